"""Tiny clips: textured squares that shift, six clips of three subjects, of 3 to 8 frames."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from helpers.rows import made_row
from mer_tf.config import Preprocess
from mer_tf.datasets.manifest import ClipRow

LENGTHS = (8, 6, 5, 3, 7, 4)
TINY = Preprocess(face="none", size=16, flow="farneback", clips_per_shard=2)


def make_rows(root: Path, count: int = 6) -> list[ClipRow]:
    """Draw `count` clips below `root` and return their rows, not in the order of their ids."""
    rng = np.random.default_rng(0)
    rows = []
    for i in range(count):
        folder = root / f"s{i % 3}" / f"clip{i:02d}"
        folder.mkdir(parents=True)
        length = LENGTHS[i % len(LENGTHS)]
        texture = cv2.resize(rng.integers(0, 256, (12, 12, 3), np.uint8), (48, 48), interpolation=cv2.INTER_CUBIC)
        for t in range(length):
            cv2.imwrite(str(folder / f"img{100 + t}.png"), np.roll(texture, t, axis=1)[:40, :40])
        label = ("negative", "positive")[i % 2]
        where = {"root": root, "frames_dir": str(folder.relative_to(root))}
        span = {"onset": 100, "offset": 99 + length}
        rows.append(made_row(clip_id=f"toy/c{i:02d}", subject=f"toy/s{i % 3}", label_raw=label, **where, **span))
    return rows[::-1]


def tree(directory: Path) -> dict[str, bytes]:
    """File name -> bytes of everything in a directory."""
    return {p.name: p.read_bytes() for p in sorted(directory.iterdir())}
