"""Action units as displacement blobs, and emotion classes as distributions over action unit combinations.

The facts are tables: data_manifests/action_units.csv (one row a blob) and data_manifests/emotion_action_units.csv (one
row a combination; FACS, Davison et al. 2018 and the data sets' own codes; the weights and extents are ours).
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mer_tf.config import MerError
from mer_tf.files import fact_file

SIDES = ("left", "right")
"""Sides of the image, not of the person."""


@dataclass(frozen=True)
class Blobs:
    """A smooth field of displacements: the sum of K axis-aligned Gaussians, each with its own vector. All in pixels."""

    centers: NDArray[np.float64]
    """(K, 2), x and y."""
    sigmas: NDArray[np.float64]
    """(K, 2), standard deviation along x and y."""
    vectors: NDArray[np.float64]
    """(K, 2), displacement at the centre of a blob that stands alone."""

    def grid(self, width: int, height: int) -> NDArray[np.float64]:
        """The field at every pixel centre: (height, width, 2), dx and dy."""
        return np.stack(self.planes(width, height), axis=-1)

    def planes(self, width: int, height: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The same as dx and dy, (height, width) each."""
        across = self._bell(np.arange(width, dtype=float)[None, :], 0)
        down = self._bell(np.arange(height, dtype=float)[None, :], 1)
        x, y = ((down * self.vectors[:, axis, None]).T @ across for axis in (0, 1))
        return x, y

    def at(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """The field at `points` (..., 2), exactly, on the grid or off it."""
        total = np.zeros_like(points, dtype=float)
        for center, sigma, vector in zip(self.centers, self.sigmas, self.vectors, strict=True):
            total += np.exp(-0.5 * (((points - center) / sigma) ** 2).sum(-1, keepdims=True)) * vector
        return total

    def solve(self, targets: NDArray[np.float64], rounds: int = 60) -> NDArray[np.float64]:
        """Points x with x + field(x) = targets (..., 2), by fixed-point iteration; needs a field of slope below 1."""
        points = np.array(targets, dtype=float)
        for _ in range(rounds):
            step = targets - self.at(points) - points
            points += step
            if np.abs(step).max(initial=0.0) < 1e-6:
                break
        return points

    def scaled(self, factor: float) -> Blobs:
        """The same blobs with all vectors times `factor`."""
        return Blobs(self.centers, self.sigmas, self.vectors * factor)

    def moved(self, matrix: NDArray[np.float64]) -> Blobs:
        """Centres carried and vectors turned by an affine `matrix` (2, 3); the bells keep their axes, scaled."""
        linear = matrix[:, :2]
        scale = float(np.sqrt(abs(np.linalg.det(linear))))
        return Blobs(self.centers @ linear.T + matrix[:, 2], self.sigmas * scale, self.vectors @ linear.T)

    def joined(self, other: Blobs) -> Blobs:
        """The blobs of both."""
        pairs = ((self.centers, other.centers), (self.sigmas, other.sigmas), (self.vectors, other.vectors))
        return Blobs(*(np.concatenate(pair) for pair in pairs))

    def _bell(self, positions: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
        return np.exp(-0.5 * ((positions - self.centers[:, axis, None]) / self.sigmas[:, axis, None]) ** 2)


@dataclass(frozen=True)
class Combination:
    """One way to show a class."""

    aus: tuple[int, ...]
    course: str
    """apex: onset, apex, offset; talk: several short openings; rest: nothing."""
    weight: float

    @property
    def code(self) -> str:
        """As data sets print it, e.g. 6+12."""
        return "+".join(map(str, self.aus))


@cache
def action_units() -> pd.DataFrame:
    """The blob table, one row a blob: offsets and sigmas in face widths, direction (lateral: away from the midline)."""
    return pd.read_csv(fact_file("action_units.csv"), keep_default_na=False)


@cache
def combinations() -> dict[str, tuple[Combination, ...]]:
    """Raw label -> its combinations, weights summing to 1; a combination of unknown action units is a `MerError`."""
    known, found = set(action_units()["au"]), {}
    for label, rows in pd.read_csv(fact_file("emotion_action_units.csv"), keep_default_na=False).groupby("label"):
        total = float(rows["weight"].sum())
        items = [
            Combination(tuple(int(a) for a in str(aus).split("+") if a), str(course), float(weight) / total)
            for aus, course, weight in zip(rows["aus"], rows["course"], rows["weight"], strict=True)
        ]
        if unknown := {a for item in items for a in item.aus} - known:
            raise MerError(
                f"emotion_action_units.csv, {label}: action units {sorted(unknown)} are not in action_units.csv"
            )
        found[str(label)] = tuple(items)
    return found


def drawn_combination(label: str, rng: np.random.Generator) -> Combination:
    """One combination of a raw label, each as often as its weight says."""
    options = combinations()[label]
    return options[int(rng.choice(len(options), p=[o.weight for o in options]))]


def drawn_sides(rng: np.random.Generator) -> tuple[float, float]:
    """Strength of the left and the right half of the image: alike but in one of ten expressions."""
    weak = 0.15 if rng.uniform() < 0.1 else 1.0
    return (1.0, weak) if rng.uniform() < 0.5 else (weak, 1.0)


def expression(
    aus: Sequence[int], points: Mapping[str, NDArray[np.float64]], face_width: float, sides: tuple[float, float]
) -> Blobs:
    """Blobs of an action unit combination on a face, scaled so that their greatest displacement is 1 pixel.

    `points`: landmark name -> (x, y) in pixels; `sides`: strength of the left and right half of the image, 0 to 1.
    Unit length holds for the symmetric expression: a one-sided one is as strong on its strong side.
    """
    if not aus:
        return Blobs(*(np.zeros((0, 2)) for _ in range(3)))
    rows = _rows(aus)
    whole = _blobs(rows, points, face_width, (1.0, 1.0))
    reach = np.linalg.norm(whole.grid(*_extent(points)), axis=-1).max()
    return _blobs(rows, points, face_width, sides).scaled(1.0 / float(reach))


def au_blobs(
    au: int, points: Mapping[str, NDArray[np.float64]], face_width: float | NDArray[np.float64]
) -> tuple[Blobs, NDArray[np.int64]]:
    """Blobs of one action unit as the table has them, and the half of the image of each: -1 left, 0 both, 1 right.

    `face_width` in the units of `points`; (2,) where these differ between x and y.
    """
    rows = _rows((au,))
    left, right = (_blobs(rows, points, face_width, s).vectors.any(axis=1).astype(int) for s in ((1, 0), (0, 1)))
    return _blobs(rows, points, face_width, (1.0, 1.0)), right - left


@cache
def _all_rows() -> list[dict[Hashable, Any]]:
    """The blob table as plain values: a face is drawn from a few of its rows thousands of times."""
    return action_units().to_dict("records")


def _rows(aus: Sequence[int]) -> list[dict[Hashable, Any]]:
    return [row for row in _all_rows() if row["au"] in aus]


def _extent(points: Mapping[str, NDArray[np.float64]]) -> tuple[int, int]:
    """Width and height of a canvas that holds the face."""
    corner = np.max(list(points.values()), axis=0) * 1.2
    return int(corner[0]) + 1, int(corner[1]) + 1


def _blobs(
    rows: Sequence[Mapping[Hashable, Any]],
    points: Mapping[str, NDArray[np.float64]],
    face_width: float | NDArray[np.float64],
    sides: tuple[float, float],
) -> Blobs:
    centers, sigmas, vectors = [], [], []
    for row in rows:
        halves = zip(SIDES, (-1.0, 1.0), sides, strict=True) if row["mirrored"] == "yes" else [("", 1.0, 1.0)]
        for side, sign, strength in halves:
            anchor = points.get(f"{row['anchor']}_{side}", points.get(row["anchor"]))
            if anchor is None:
                raise MerError(f"action_units.csv, AU {row['au']}: the face has no point {row['anchor']!r}")
            direction = np.array([sign * row["lateral"], row["down"]])
            centers.append(anchor + face_width * np.array([sign * row["offset_lateral"], row["offset_down"]]))
            sigmas.append(face_width * np.array([row["sigma_lateral"], row["sigma_down"]]))
            vectors.append(strength * row["share"] * direction / np.linalg.norm(direction))
    return Blobs(np.array(centers), np.array(sigmas), np.array(vectors))
