"""Tiny clips: textured squares that shift, six clips of three subjects, of 3 to 8 frames."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import cv2
import numpy as np
import pytest

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
        relative = str(folder.relative_to(root))
        rows.append(
            ClipRow(
                f"toy/c{i:02d}",
                "toy",
                f"toy/s{i % 3}",
                "",
                str(root),
                relative,
                "",
                100,
                None,
                99 + length,
                100.0,
                label,
                "",
                "",
            )
        )
    return rows[::-1]


@pytest.fixture
def rows(tmp_path: Path) -> list[ClipRow]:
    return make_rows(tmp_path / "source")


@pytest.fixture
def forked_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers come from one process that has loaded TensorFlow and run nothing of it; a job spawns each, in seconds."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tensorflow"])
    monkeypatch.setattr(multiprocessing, "get_context", lambda _: context)


def tree(directory: Path) -> dict[str, bytes]:
    """File name -> bytes of everything in a directory."""
    return {p.name: p.read_bytes() for p in sorted(directory.iterdir())}
