"""FDM: facial dynamics map (Xu et al., IEEE Transactions on Affective Computing 2017)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from mer_tf.descriptors.base import ClipDescriptor, Features, Grid, Takes, steps
from mer_tf.descriptors.blocks import block_numbers

MOST_ROUNDS = 50
Vectors = NDArray[np.float64]


@dataclass(kw_only=True, eq=False, repr=False)
class Fdm(ClipDescriptor):
    """Principal direction and strength of the flow in each cuboid: (parts, rows, columns, 2), flat.

    Readings, as the paper's text was not at hand: clips are brought to `frames` by interpolating displacements; fine
    alignment takes the median motion off each flow field; cuboids divide the clip evenly, all of one size, which the
    paper gives in pixels and chooses among several by cross-validation.
    """

    takes: ClassVar[Takes] = "flow"

    blocks: Grid = (8, 8, 4)
    frames: int = 10

    def describe(self, clip: NDArray[Any]) -> Features:
        flow, (rows, columns, parts) = steps(clip, self.frames), self.blocks
        flow = flow - np.median(flow, axis=(1, 2), keepdims=True)
        cuboid = block_numbers(flow.shape[:3], (parts, rows, columns)).ravel()
        return (
            dynamics(flow.reshape(-1, 2).astype(np.float64), cuboid, rows * columns * parts).ravel().astype("float32")
        )


def dynamics(vectors: Vectors, cuboid: NDArray[np.int64], number: int) -> Vectors:
    """(number, 2): mean over a cuboid of its vectors' lengths along its principal direction, times that direction.

    vectors (N, 2) and the cuboid of each; no cuboid is empty. The direction starts at the mean vector and becomes that
    of the sum of all vectors within 90 degrees of it, until that changes no more; vectors beyond 90 degrees then count
    nothing.
    """
    order, size = np.argsort(cuboid, kind="stable"), np.bincount(cuboid, minlength=number)
    starts, vectors = size.cumsum() - size, vectors[order]  # a cuboid's vectors side by side, so that sums are quick
    direction = _unit(np.add.reduceat(vectors, starts, axis=0))
    for _ in range(MOST_ROUNDS):
        total = np.add.reduceat(_along(vectors, direction.repeat(size, axis=0)), starts, axis=0)
        if np.allclose(_unit(total), direction, atol=1e-9):
            break
        direction = _unit(total)
    strength = (total * direction).sum(axis=1, keepdims=True) / size[:, None]
    return np.asarray(strength * direction)


def _along(vectors: Vectors, directions: Vectors) -> Vectors:
    """Vectors that lie within 90 degrees of their direction; the others as 0."""
    return np.asarray(vectors * (np.einsum("ni,ni->n", vectors, directions) > 0)[:, None])


def _unit(vectors: Vectors) -> Vectors:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 0)
