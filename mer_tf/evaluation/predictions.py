"""predictions.csv: the one results file. One row a clip (and seed); everything shown is derived from it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from mer_tf.config import MerError
from mer_tf.files import write_csv
from mer_tf.table_files import read_table

KEYS = ("clip_id", "dataset", "subject", "fold", "seed", "window", "y_true", "y_pred")
REQUIRED = ("clip_id", "y_true", "y_pred")


def predictions_frame(
    clips: pd.DataFrame, probabilities: np.ndarray, classes: Sequence[str], window: str
) -> pd.DataFrame:
    """Rows from clips (clip_id, dataset, subject, fold, seed, y_true as class name) and probabilities (n, classes).

    `window` says how a clip became one row: `whole` (one pass over all frames) or `mean` (mean softmax of windows).
    """
    chosen = np.asarray(classes, dtype=object)[probabilities.argmax(axis=1)]
    columns = {f"p_{name}": probabilities[:, k].round(6) for k, name in enumerate(classes)}
    return clips.assign(window=window, y_pred=chosen, **columns)[[*KEYS, *columns]]


def write_predictions(frame: pd.DataFrame, path: Path) -> Path:
    """Write sorted by seed and clip_id, atomically."""
    return write_csv(frame.sort_values(["seed", "clip_id"]), path)


def read_predictions(path: Path) -> pd.DataFrame:
    """Read predictions: clip_id, y_true, y_pred needed, the rest optional (subject, fold, seed, p_*).

    Labels are kept as text. Raises `MerError` naming the file and line for a missing column, an empty cell or a clip
    that is predicted twice for one seed.
    """
    table = read_table(path, REQUIRED, f"give a file with {', '.join(REQUIRED)}")
    return checked(table.frame, path, table.lines)


def checked(frame: pd.DataFrame, path: Path, lines: Sequence[int] | None = None) -> pd.DataFrame:
    """The table, when it holds rows, none empty and none twice; `lines` says where each stands, without from 2 on."""
    lines = lines or range(2, len(frame) + 2)
    if frame.empty:
        raise MerError(f"{path}: holds no prediction")
    for column in REQUIRED:
        if (empty := frame[column].str.strip() == "").any():
            raise MerError(f"{path}, line {lines[int(empty.to_numpy().argmax())]}: {column} is empty")
    keys = [c for c in ("clip_id", "seed") if c in frame.columns]
    if (twice := frame.duplicated(keys)).any():
        place = int(twice.to_numpy().argmax())
        clip = frame["clip_id"].iloc[place]
        raise MerError(f"{path}, line {lines[place]}: {clip} is predicted more than once; keep one row a clip")
    return frame
