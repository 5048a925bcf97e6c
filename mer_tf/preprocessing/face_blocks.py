"""Blocks of a face: where windows are cut from its feature map, by its landmarks (data_manifests/face_blocks.csv).

A block's centre is the mean of some of the 68 landmarks, shifted by (dx, dy) pixels of a face 224 pixels wide.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mer_tf.config import MerError
from mer_tf.files import facts
from mer_tf.table_files import cell_text, read_table

TABLE = "face_blocks.csv"
COLUMNS = ("name", "landmarks", "dx", "dy", "region", "source")
FACE = 224
"""Width of the face that offsets are given for, pixels."""
POINTS = 68
NONE = "none"
"""The set without blocks."""
_FROM = (
    *range(16, -1, -1),
    *range(26, 16, -1),
    *(27, 28, 29, 30, 35, 34, 33, 32, 31),
    *(45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40),
    *(54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55),
    *(64, 63, 62, 61, 60, 67, 66, 65),
)
"""Landmark of a face that each landmark of its mirror image is."""

Points = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class FaceBlocks:
    """A set of K blocks of the face, placed by landmarks."""

    names: tuple[str, ...]
    regions: tuple[str, ...]
    weights: NDArray[np.float64]
    """(K, 68): share of each landmark in the centre; rows sum to 1."""
    offsets: NDArray[np.float64]
    """(K, 2): (x, y) added to it, as shares of the face."""

    def centres(self, landmarks: Points) -> Points:
        """(..., 68, 2) landmarks as shares of the face's side -> (..., K, 2) centres as such shares."""
        return np.asarray(self.weights @ landmarks + self.offsets)


def load_blocks(name: str) -> FaceBlocks:
    """A published set (`24`, `10`, `none`), or the blocks of a CSV file with columns name, landmarks, dx, dy, region,
    source, where landmarks is one index or several joined by "+". `MerError` naming file, row and mend."""
    if name == NONE:
        return FaceBlocks((), (), np.zeros((0, POINTS)), np.zeros((0, 2)))
    if Path(name).suffix or Path(name).is_file():
        read = read_table(Path(name), COLUMNS, f"blocks are listed as in data_manifests/{TABLE}")
        return _blocks(read.frame, name, read.lines)
    table = facts(TABLE)
    if name not in set(table["set"]):
        known = ", ".join([*table["set"].unique(), NONE])
        raise MerError(f"blocks {name!r}: no such set in data_manifests/{TABLE}; one of {known}, or a .csv file")
    blocks = table[table["set"] == name]
    return _blocks(blocks, TABLE, range(2, len(blocks) + 2))


def mirrored(landmarks: Points) -> Points:
    """Landmarks (..., 68, 2), shares of the side, of the mirrored face: left and right change their numbers as well."""
    turned = landmarks[..., list(_FROM), :].copy()
    turned[..., 0] = 1 - turned[..., 0]
    return np.asarray(turned)


def _blocks(table: pd.DataFrame, file: str, lines: Sequence[int]) -> FaceBlocks:
    names = table["name"].tolist()
    if table.empty:
        raise MerError(f"{file}: lists no block; give one row a block, or take the set {NONE!r}")
    if twice := sorted({n for n in names if names.count(n) > 1}):
        raise MerError(f"{file}: {', '.join(twice)} is listed twice; give each block a name of its own")
    rows = zip(lines, table.to_dict("records"), strict=True)
    found = [_row(row, f"{file}, row {number}") for number, row in rows]
    weights, offsets = zip(*found, strict=True)
    return FaceBlocks(tuple(names), tuple(table["region"]), np.stack(weights), np.stack(offsets))


def _row(row: dict[Hashable, Any], where: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weights (68,) and offset (2,) of one block."""
    try:
        points = [int(cell_text(part)) for part in row["landmarks"].split("+")]
        offset = np.array([float(row["dx"]), float(row["dy"])]) / FACE
    except ValueError as error:
        raise MerError(
            f"{where} ({row['name']}): {error}; landmarks are indices joined by +, as 23+25, dx and dy pixels"
        ) from error
    if outside := [p for p in points if not 0 <= p < POINTS]:
        raise MerError(f"{where} ({row['name']}): landmarks {outside} are not among 0 to {POINTS - 1}")
    if not np.isfinite(offset).all() or np.abs(offset).max() > 1:
        raise MerError(
            f"{where} ({row['name']}): dx and dy are pixels of a face {FACE} wide, got {row['dx']}, {row['dy']}"
        )
    weights = np.zeros(POINTS)
    np.add.at(weights, points, 1 / len(points))
    return weights, offset
