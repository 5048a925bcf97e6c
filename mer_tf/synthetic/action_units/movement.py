"""Many drawn expressions at once: which action units move, where, how far and how unlike the table's.

A movement is a set of blobs in units of a crop. Everything is strongly randomised: what is learned from drawn images
must not hang on where exactly a blob of the table lies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mer_tf.synthetic.action_units.geometry import Geometry
from mer_tf.synthetic.action_units.table import SIDES, Blobs, au_blobs, drawn_combination

Array = NDArray[np.float64]
Profile = Literal["bell", "patch", "tail"]
CLASSES = ("negative", "positive", "surprise")
"""In the order of the composite and of flow-image folders (0, 1, 2)."""
BLINK_AU = "eye_upper"


@dataclass(frozen=True)
class Spread:
    """How unlike the table a drawn expression is; shares of the crop, or of the value, unless said otherwise."""

    place: float = 0.04
    """Of each blob's centre, and of the whole face."""
    size: float = 0.3
    """Of the extent of blobs (logarithm)."""
    turn: float = 0.4
    """Of the direction, radians."""
    unit: float = 0.35
    """Strength of each action unit: 1 minus up to this, plus up to this."""
    sides: float = 0.3
    """The weaker half of a face has up to this less."""
    one_sided: float = 0.15
    """Share of expressions of one half of the face."""
    blink: float = 0.15
    """Share of images with a blink."""
    stray: float = 0.6
    """Greatest strength of the two blobs that belong to no action unit."""


EXACT = Spread(*(0.0,) * 8)
"""The table as it stands."""


@dataclass(frozen=True)
class Movements:
    """N expressions of K blobs each, lengths in crops; a blob that an expression lacks has the vector 0."""

    centers: Array
    """(N, K, 2), x and y."""
    sigmas: Array
    """(N, K, 2)."""
    vectors: Array
    """(N, K, 2)."""

    def fields(self, side: int, profile: Profile = "bell") -> NDArray[np.float32]:
        """Displacement (N, side, side, 2), dx and dy in pixels of a crop of that many pixels."""
        at = (np.arange(side) + 0.5) / side
        near = [((at - self.centers[..., k, None]) / self.sigmas[..., k, None]).astype(np.float32) for k in (0, 1)]
        across, down = (one**2 for one in near)
        count, vectors = len(self.centers), np.swapaxes(side * self.vectors, 1, 2).astype(np.float32)
        if profile == "bell":  # rows, then columns: a product of matrices
            rows = vectors[:, :, None, :] * np.swapaxes(np.exp(-down / 2), 1, 2)[:, None]
            made = rows.reshape(count, 2 * side, -1) @ np.exp(-across / 2)
        else:
            squared = down[..., :, None] + across[..., None, :]
            made = vectors @ _extent(squared, profile).reshape(count, -1, side * side)
        return np.moveaxis(made.reshape(count, 2, side, side), 1, -1)

    def scaled(self, factors: Array) -> Movements:
        """Vectors times a factor (N,)."""
        return replace(self, vectors=self.vectors * factors[:, None, None])

    def blobs(self, index: int, crop: Array) -> Blobs:
        """One expression in pixels of a picture whose crop is (x, y, width, height)."""
        moving = np.abs(self.vectors[index]).sum(-1) > 0
        centers, sigmas, vectors = (a[index][moving] for a in (self.centers, self.sigmas, self.vectors))
        return Blobs(crop[:2] + centers * crop[2:], sigmas * crop[2:], vectors * crop[2:])


def draw_labels(count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """(count,) class indices, classes alike."""
    return rng.permutation(np.arange(count) % len(CLASSES))


def draw_movements(
    labels: NDArray[np.int64], face: Geometry, rng: np.random.Generator, spread: Spread | None = None
) -> Movements:
    """A movement for each class index, its greatest displacement 1 crop where it is symmetric; scale it afterwards."""
    picked = [drawn_combination(CLASSES[label], rng).aus for label in labels]
    return move_units(picked, face, rng, spread or Spread())


def move_units(
    units: Sequence[Sequence[int]], face: Geometry, rng: np.random.Generator, spread: Spread = EXACT
) -> Movements:
    """A movement for each set of action units, as `draw_movements`."""
    made, sides, members = _table(units, face)
    count, kinds = made.vectors.shape[:2]
    centers = made.centers + rng.normal(0, 1, (count, 1, 2)) * spread.place
    centers += rng.normal(0, 1, (count, kinds, 2)) * spread.place
    sigmas = made.sigmas * np.exp(rng.normal(0, 1, (count, kinds, 2)) * spread.size)
    strength = 1 + spread.unit * rng.uniform(-1, 1, (count, members.max() + 1))
    vectors = _turned(made.vectors, spread.turn * rng.normal(0, 1, (count, kinds)))
    whole = Movements(centers, sigmas, vectors * np.take_along_axis(strength, members, axis=1)[..., None])
    reach = np.linalg.norm(whole.fields(14), axis=-1).max(axis=(1, 2)) / 14
    whole = whole.scaled(1 / np.maximum(reach, 1e-9))
    halves = _halves(count, rng, spread)
    shown = replace(whole, vectors=whole.vectors * np.take_along_axis(halves, sides + 1, axis=1)[..., None])
    return _joined(_joined(shown, _blinks(count, face, rng, spread)), _strays(count, rng, spread))


def _table(units: Sequence[Sequence[int]], face: Geometry) -> tuple[Movements, NDArray[np.int64], NDArray[np.int64]]:
    """Blobs of each set, padded to the longest; side (-1, 0, 1) and place in the set of each blob, (N, K)."""
    known = {au: au_blobs(au, face.points, face.face_width) for au in sorted({a for one in units for a in one})}
    longest = max((sum(len(known[a][1]) for a in one) for one in units), default=0) or 1
    shape = (len(units), longest)
    found = Movements(np.full((*shape, 2), 0.5), np.ones((*shape, 2)), np.zeros((*shape, 2)))
    sides, members = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    for row, one in enumerate(units):
        start = 0
        for member, au in enumerate(one):
            blobs, side = known[au]
            part = (row, slice(start, start := start + len(side)))
            found.centers[part], found.sigmas[part], found.vectors[part] = blobs.centers, blobs.sigmas, blobs.vectors
            sides[part], members[part] = side, member
    return found, sides, members


def _halves(count: int, rng: np.random.Generator, spread: Spread) -> Array:
    """(count, 3): strength of what lies left, in the middle, right."""
    weak = 1 - spread.sides * rng.uniform(0, 1, count)
    weak = np.where(rng.uniform(0, 1, count) < spread.one_sided, rng.uniform(0, 0.25, count), weak)
    left = rng.uniform(0, 1, count) < 0.5
    return np.stack([np.where(left, weak, 1), np.ones(count), np.where(left, 1, weak)], axis=1)


def _blinks(count: int, face: Geometry, rng: np.random.Generator, spread: Spread) -> Movements:
    """Both upper lids, down or up again."""
    there = (
        (rng.uniform(0, 1, count) < spread.blink) * rng.choice([-1.0, 1.0, 1.0], count) * rng.uniform(0.4, 1.2, count)
    )
    lids = np.stack([face.points[f"{BLINK_AU}_{side}"] for side in SIDES]) + np.array([0, 0.02])
    centers = lids + rng.normal(0, 1, (count, 1, 2)) * spread.place
    sigmas = np.broadcast_to(face.face_width * [0.09, 0.05], (count, 2, 2))
    return Movements(centers, sigmas, np.stack([np.zeros((count, 2)), np.repeat(there[:, None], 2, 1)], axis=-1))


def _strays(count: int, rng: np.random.Generator, spread: Spread) -> Movements:
    """Two blobs anywhere, in any direction."""
    shape, angle = (count, 2), rng.uniform(0, 2 * np.pi, (count, 2))
    vectors = np.stack([np.cos(angle), np.sin(angle)], axis=-1) * spread.stray * rng.uniform(0, 1, (*shape, 1))
    return Movements(rng.uniform(0, 1, (*shape, 2)), rng.uniform(0.06, 0.2, (*shape, 2)), vectors)


def _joined(one: Movements, other: Movements) -> Movements:
    pairs = ((one.centers, other.centers), (one.sigmas, other.sigmas), (one.vectors, other.vectors))
    return Movements(*(np.concatenate(pair, axis=1) for pair in pairs))


def _turned(vectors: Array, angles: Array) -> Array:
    cos, sin = np.cos(angles), np.sin(angles)
    x, y = vectors[..., 0], vectors[..., 1]
    return np.stack([cos * x - sin * y, sin * x + cos * y], axis=-1)


def _extent(squared: NDArray[np.float32], profile: Profile) -> NDArray[np.float32]:
    """Share of the displacement at squared distances, in sigmas."""
    if profile == "patch":
        return np.maximum(1 - squared / np.float32(8), np.float32(0)) ** 3
    return np.asarray((1 + squared / np.float32(3)) ** -2, np.float32)
