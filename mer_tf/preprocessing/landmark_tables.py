"""Landmarks of a clip that were fitted before: a CSV with a row a frame, as OpenFace's FeatureExtraction writes it.

Columns frame, success, confidence (may be absent) and x_0, y_0 ... of 68 points; of 5 points in MTCNN's order and of
the 468 or 478 of MediaPipe's face mesh as well. Blanks about names and columns of other things are passed over.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mer_tf.config import MerError
from mer_tf.preprocessing.faces import Face
from mer_tf.preprocessing.landmarks import as_68, fitted_face
from mer_tf.table_files import read_table
from mer_tf.table_files.grid import whole_number

COLUMN = re.compile(r"frame|face_id|success|confidence|[xy]_\d+")
COUNTS = (68, 5, 468, 478)
MEND = "write it with OpenFace's `FeatureExtraction -2Dfp`"


@dataclass(frozen=True, eq=False)
class LandmarkTable:
    """The points of every image of a folder or video, in its order."""

    path: Path
    lines: tuple[int, ...]
    """Line of each image in the file."""
    points: NDArray[np.float64]
    """(N, P, 2): x and y in pixels; NaN where nothing was fitted."""
    confidence: NDArray[np.float64]
    """(N,): from 0 to 1, 0 where nothing was fitted."""

    def face(self, place: int) -> Face | None:
        """The face in an image counted from 0; None where nothing was fitted."""
        if not self.confidence[place]:
            return None
        return fitted_face(as_68(self.points[place]), float(self.confidence[place]))


def read_landmarks(path: Path) -> LandmarkTable:
    """The table in a file; `MerError` naming file, row and mend."""
    read = read_table(path, ("frame", "success"), MEND)
    table = read.frame[[c for c in read.frame if COLUMN.fullmatch(str(c))]].apply(lambda column: column.str.strip())
    if "face_id" in table and table["face_id"].nunique() > 1:
        raise MerError(f"{path}: follows {table['face_id'].nunique()} faces; {MEND}, which follows one")
    _check_frames(path, table["frame"].tolist(), read.lines)
    points = _points(path, table, read.lines)
    kept = table["success"].map(whole_number).to_numpy() == 1
    confidence = _numbers(path, table[["confidence"]], read.lines)[:, 0] if "confidence" in table else kept
    if wrong := np.flatnonzero(kept & ~np.isfinite(points).all(axis=(1, 2))).tolist():
        raise MerError(f"{path}, line {read.lines[wrong[0]]}: has success 1 and lacks a coordinate; {MEND}")
    return LandmarkTable(path, read.lines, points, np.where(kept, np.clip(confidence, 1e-4, 1), 0.0))


def _check_frames(path: Path, frames: list[str], lines: tuple[int, ...]) -> None:
    """Frames are 1, 2, 3 ...: OpenFace counts the images, whatever their names."""
    for wanted, (text, line) in enumerate(zip(frames, lines, strict=True), 1):
        if whole_number(text) != wanted:
            raise MerError(
                f"{path}, line {line}: is frame {text!r} where {wanted} comes; a row an image, from 1; {MEND}"
            )


def _points(path: Path, table: pd.DataFrame, lines: tuple[int, ...]) -> NDArray[np.float64]:
    names = {axis: [c for c in table if re.fullmatch(rf"{axis}_\d+", str(c))] for axis in "xy"}
    count = len(names["x"])
    columns = [[f"{axis}_{k}" for k in range(count)] for axis in "xy"]
    if count not in COUNTS or any(set(have) != set(want) for have, want in zip(names.values(), columns, strict=True)):
        raise MerError(
            f"{path}: has {count} columns x_0 ... and {len(names['y'])} y_0 ...; expected as many of each as there are "
            f"points, {', '.join(map(str, COUNTS))}; {MEND}"
        )
    return np.stack([_numbers(path, table[which], lines) for which in columns], axis=-1)


def _numbers(path: Path, table: pd.DataFrame, lines: tuple[int, ...]) -> NDArray[np.float64]:
    numbers = table.apply(pd.to_numeric, errors="coerce")
    bad = numbers.isna() & ~table.apply(lambda column: column.str.lower()).isin(["", "nan"])
    if bad.to_numpy().any():
        row, column = (int(k[0]) for k in np.nonzero(bad.to_numpy()))
        raise MerError(f"{path}, line {lines[row]}: {table.iloc[row, column]!r} is no number; correct this row")
    return numbers.to_numpy(np.float64)
