"""Contact sheet of a synthetic tree, to be looked at: does a person see the right expression, and no tearing?"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mer_tf.config import MerError
from mer_tf.preprocessing.frames import list_frames, read_frame
from mer_tf.preprocessing.pictures import replace_picture
from mer_tf.synthetic.trees.smic import TRUTH

FACE = (slice(50, 230), slice(70, 250))
"""Rows and columns of a frame that hold the face."""
TITLE = 22


def write_preview(root: Path, out_png: Path, subjects: int = 4) -> Path:
    """One row a class and subject, the first clip of each, of the tree under `root`; return the path of the picture.

    Columns: onset, halfway to the apex, apex (the middle where there is none), halfway back, offset; the difference
    of apex and onset times 4 about grey. No truth table is a `MerError`.
    """
    table = Path(root) / TRUTH
    if not table.exists():
        raise MerError(f"{table}: no such file; draw the tree first (`write_smic`)")
    clips = pd.read_csv(table, keep_default_na=False).groupby(["subject", "label"], sort=False).head(1)
    clips = clips[clips["subject"].isin(clips["subject"].unique()[:subjects])]
    sheet = np.vstack([_row(Path(root), clip) for _, clip in clips.iterrows()])
    return replace_picture(Path(out_png), sheet)


def _row(root: Path, clip: pd.Series) -> NDArray[np.uint8]:
    """One clip as a strip: title above, five frames, the difference."""
    files = list_frames(root / clip["folder"])
    last = len(files) - 1
    apex = int(clip["apex"]) - int(clip["onset"]) if clip["apex"] else last // 2
    steps = [0, apex // 2, apex, (apex + last) // 2, last]
    frames = [read_frame(files[step].path) for step in steps]
    onset, strongest = frames[0][FACE], frames[2][FACE]
    difference = np.clip(128 + 4 * (strongest.astype(float) - onset), 0, 255).astype(np.uint8)
    strip = np.hstack([*(frame[FACE] for frame in frames), difference])
    title = np.zeros((TITLE, strip.shape[1], 3), np.uint8)
    aus = f"AU {clip['aus']}" if clip["aus"] else "no AU"
    text = f"{clip['clip']}  {clip['label']}  {aus}  x{clip['intensity']:.2f}  frames {steps} of {last + 1}"
    cv2.putText(title, text, (4, TITLE - 6), cv2.FONT_HERSHEY_SIMPLEX, 0.55, (255, 255, 255), 1, cv2.LINE_AA)
    return np.vstack([title, strip])
