"""Local binary patterns of volumes in any plane, and the mapping of patterns to bins (Ojala et al., PAMI 2002)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mer_tf.config import MerError

Interpolation = Literal["rounded", "bilinear"]
Mapping = Literal["u2", "raw"]
MOST_POINTS = 24
TIE = 5e-11
"""Offsets have five decimals, so bilinear values of 8-bit images differ by 1e-10 or more, or are equal."""


@dataclass(frozen=True)
class Plane:
    """The plane and the ellipse on which a pattern's neighbours lie."""

    row_axis: int
    row_radius: int
    column_axis: int
    column_radius: int
    points: int = 8
    """Neighbour p lies at the angle 2 pi p / points: column_radius cos along columns, -row_radius sin along rows."""

    def offsets(self) -> NDArray[np.float64]:
        """(points, 2): along rows and along columns, with five decimals as scikit-image has them."""
        if not 1 <= self.points <= MOST_POINTS or min(self.row_radius, self.column_radius) < 0:
            raise MerError(f"local binary patterns: {self}; give 1 to {MOST_POINTS} points and radii of 0 or more")
        angles = 2 * np.pi * np.arange(self.points) / self.points
        return np.stack([-self.row_radius * np.sin(angles), self.column_radius * np.cos(angles)], axis=1).round(5)


def neighbours(
    volume: NDArray[Any], plane: Plane, margins: Sequence[int], interpolation: Interpolation = "rounded"
) -> Iterator[NDArray[Any]]:
    """Neighbour 0, 1, ... of every voxel that is `margins` or more from the border: one array a neighbour.

    rounded: the voxel nearest to the place, halves upwards (as Zhao & Pietikäinen's code); bilinear: between four.
    """
    if interpolation not in ("rounded", "bilinear"):
        raise MerError(f"interpolation {interpolation!r} is unknown; use rounded or bilinear")
    for row, column in plane.offsets():
        if interpolation == "rounded":
            yield _shifted(volume, plane, margins, int(np.floor(row + 0.5)), int(np.floor(column + 0.5)))
        else:
            yield _between(volume, plane, margins, row, column)


def pattern_codes(
    volume: NDArray[Any], plane: Plane, margins: Sequence[int], interpolation: Interpolation = "rounded"
) -> NDArray[np.unsignedinteger]:
    """Pattern of every inner voxel: bit p is 1 where neighbour p is the centre's value or more.

    volume: any axes; the result is smaller by two of `margins` along each. Unsigned integers of 8, 16 or 32 bits.
    """
    centre = inner(volume, margins)
    if interpolation == "bilinear":
        centre = centre - TIE
    return packed((n >= centre for n in neighbours(volume, plane, margins, interpolation)), plane.points)


def packed(bits: Iterator[NDArray[np.bool_]], points: int) -> NDArray[np.unsignedinteger]:
    """Codes of `points` arrays of bits; array p becomes bit p."""
    kind = np.uint8 if points <= 8 else np.uint16 if points <= 16 else np.uint32
    codes: Any = 0
    for place, bit in enumerate(bits):
        codes = np.left_shift(bit.astype(kind), kind(place)) | codes
    return np.asarray(codes, kind)


def inner(volume: NDArray[Any], margins: Sequence[int]) -> NDArray[Any]:
    """The volume without its margins. `MerError` when nothing is left."""
    if any(size <= 2 * margin for size, margin in zip(volume.shape, margins, strict=True)):
        raise MerError(
            f"a volume of {' x '.join(map(str, volume.shape))} holds no neighbourhood of radii "
            f"{' x '.join(map(str, margins))}; take smaller radii, or more frames by temporal interpolation"
        )
    return volume[tuple(slice(m, size - m) for m, size in zip(margins, volume.shape, strict=True))]


@cache
def bins_of(points: int, mapping: Mapping) -> tuple[NDArray[np.integer], int]:
    """Bin of each pattern (2 ** points,), and how many bins there are.

    u2: a bin for each pattern with at most two changes around the circle, in ascending order, and a last one for all
    others: points (points - 1) + 3. raw: each pattern is its own.
    """
    if mapping not in ("u2", "raw"):
        raise MerError(f"mapping {mapping!r} is unknown; use u2 or raw")
    codes = np.arange(2**points, dtype=np.int64)
    if mapping == "raw":
        return codes, len(codes)
    turned = (codes >> 1) | ((codes & 1) << (points - 1))
    uniform = np.bitwise_count(codes ^ turned) <= 2
    number = int(uniform.sum())
    return np.where(uniform, np.cumsum(uniform) - 1, number).astype(np.int32), number + 1


def _shifted(volume: NDArray[Any], plane: Plane, margins: Sequence[int], row: int, column: int) -> NDArray[Any]:
    moved = [0] * volume.ndim
    moved[plane.row_axis] += row
    moved[plane.column_axis] += column
    return volume[tuple(slice(m + d, s - m + d) for m, d, s in zip(margins, moved, volume.shape, strict=True))]


def _between(volume: NDArray[Any], plane: Plane, margins: Sequence[int], row: float, column: float) -> NDArray[Any]:
    """Bilinear value at an offset; places on the grid are read once."""
    top, left = int(np.floor(row)), int(np.floor(column))
    down, right = row - top, column - left
    value: Any = 0.0
    for r, row_share in ((top, 1 - down), (top + 1, down)):
        for c, column_share in ((left, 1 - right), (left + 1, right)):
            if row_share * column_share:
                value = value + row_share * column_share * _shifted(volume, plane, margins, r, c)
    return np.asarray(value)
