"""Rows of a manifest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mer_tf.datasets.manifest import ClipRow


def made_row(**changes: Any) -> ClipRow:
    """A clip of frames 1 to 9 in the folder `clip` below `root`; data set and subject follow its `clip_id`."""
    clip_id = changes.get("clip_id", "toy/c")
    dataset = changes.get("dataset", clip_id.partition("/")[0])
    fields = {"clip_id": clip_id, "dataset": dataset, "subject": f"{dataset}/s", "session": "", "root": "/"}
    frames = "" if changes.get("video") or changes.get("image") else "clip"
    fields |= {"frames_dir": frames, "video": "", "onset": 1, "apex": None, "offset": 9, "fps": 100.0}
    fields |= {"label_raw": "x", "aus": "", "sheet_sha": ""} | changes
    return ClipRow(**(fields | {"root": str(fields["root"])}))


def written_row(root: Path, frames: list[np.ndarray]) -> ClipRow:
    """The row of these frames, which are written below `root`, numbered from 1."""
    (root / "clip").mkdir(parents=True)
    for number, frame in enumerate(frames, 1):
        cv2.imwrite(str(root / "clip" / f"img{number}.png"), frame)
    return made_row(root=root, offset=len(frames))
