"""FDM: facial dynamics map (Xu et al., IEEE Transactions on Affective Computing 2017)."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from mer_tf.descriptors.base import ClipDescriptor, Features, Grid, Takes, steps
from mer_tf.descriptors.blocks import block_numbers

MOST_ROUNDS = 50
Vectors = NDArray[np.float64]


class Fdm(ClipDescriptor):
    """Principal direction and strength of the flow in each cuboid: (parts, rows, columns, 2), flat.

    Readings, as the paper's text was not at hand: clips are brought to `frames` by interpolating displacements; fine
    alignment takes the median motion off each flow field; cuboids divide the clip evenly, all of one size, which the
    paper gives in pixels and chooses among several by cross-validation.
    """

    takes: ClassVar[Takes] = "flow"

    def __init__(self, *, blocks: Grid = (8, 8, 4), frames: int = 10) -> None:
        self.blocks, self.frames = blocks, frames

    def describe(self, clip: NDArray[Any]) -> Features:
        """The vector of motion since the onset (T - 1, H, W, 2)."""
        flow, (rows, columns, parts) = steps(clip, self.frames), self.blocks
        flow = flow - np.median(flow, axis=(1, 2), keepdims=True)
        cuboid = block_numbers(flow.shape[:3], (parts, rows, columns)).ravel()
        return (
            dynamics(flow.reshape(-1, 2).astype(np.float64), cuboid, rows * columns * parts).ravel().astype("float32")
        )


def dynamics(vectors: Vectors, cuboid: NDArray[np.int64], number: int) -> Vectors:
    """(number, 2): mean over a cuboid of its vectors' lengths along its principal direction, times that direction.

    vectors (N, 2) and the cuboid of each. The direction starts at the mean vector and becomes that of the sum of all
    vectors within 90 degrees of it, until that changes no more; vectors beyond 90 degrees then count nothing.
    """
    size = np.bincount(cuboid, minlength=number)[:, None]
    direction = _unit(_summed(vectors, cuboid, number))
    for _ in range(MOST_ROUNDS):
        total = _summed(_along(vectors, direction[cuboid]), cuboid, number)
        if np.allclose(_unit(total), direction, atol=1e-9):
            break
        direction = _unit(total)
    strength = (total * direction).sum(axis=1, keepdims=True) / np.maximum(size, 1)
    return np.asarray(strength * direction)


def _along(vectors: Vectors, directions: Vectors) -> Vectors:
    """Vectors that lie within 90 degrees of their direction; the others as 0."""
    return np.asarray(vectors * ((vectors * directions).sum(axis=1, keepdims=True) > 0))


def _summed(vectors: Vectors, owner: NDArray[np.int64], number: int) -> Vectors:
    return np.stack([np.bincount(owner, weights=vectors[:, i], minlength=number) for i in (0, 1)], axis=1)


def _unit(vectors: Vectors) -> Vectors:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 0)
