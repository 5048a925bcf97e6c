"""STSTNet's first layer for many folds at once: convolution, ReLU, the sums that batch norm needs, and the max-pool.

Every fold sees the same images, so their patches are cut once and all folds' filters stand side by side in one matrix.
Nothing of full size (images x positions x filters x folds) is kept: a few images and folds at a time stay in the cache,
and the backward pass computes them again. Batch norm is an affine map of each filter, so it can follow the max-pool.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

PAD, SIZE, POOL = 2, 3, 3
CHUNK = 4
"""Images whose positions are computed together."""


@dataclass(frozen=True)
class Grid:
    """Positions of the convolution in the order of the patches: first slot by slot of the pooled cells, then the rest.

    The pooling windows begin one pixel outside: such a slot repeats its neighbour, which is in the same window, and
    `counts` not.
    """

    cells: int
    places: np.ndarray
    """(P,) flat positions in the map: POOL^2 x cells^2 slots, then those no window covers."""
    counts: np.ndarray
    """(P,) float32, 0 for repeated slots."""
    side: int

    @property
    def slots(self) -> int:
        return POOL**2 * self.cells**2


def make_grid(image_side: int) -> Grid:
    """Grid for images of that many pixels a side."""
    side = image_side + 2 * PAD - SIZE + 1
    cells = (side + 1) // POOL
    one = np.arange(cells)[None, :] * POOL - 1 + np.arange(POOL)[:, None]
    rows, columns = one[:, None, :, None], one[None, :, None, :]
    inside = ((rows >= 0) & (columns >= 0)).ravel()
    slots = (np.maximum(rows, 0) * side + np.maximum(columns, 0)).ravel()
    rest = np.setdiff1d(np.arange(side**2), slots)
    counts = np.concatenate([inside, np.ones(len(rest))]).astype("float32")
    return Grid(cells, np.concatenate([slots, rest]), counts, side)


def cut_patches(images: np.ndarray, grid: Grid) -> np.ndarray:
    """Patches of images (N, S, S, C) and a 1 for the bias: float32 (N, P, K), K = 9 C + 1."""
    padded = np.pad(images.astype("float32"), [(0, 0), (PAD, PAD), (PAD, PAD), (0, 0)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, (SIZE, SIZE), axis=(1, 2))
    flat = windows.transpose(0, 1, 2, 4, 5, 3).reshape(len(images), grid.side**2, -1)[:, grid.places]
    return np.concatenate([flat, np.ones_like(flat[..., :1])], axis=-1)


def in_chunks(patches: np.ndarray) -> np.ndarray:
    """Patches (B, P, K), B a multiple of CHUNK, as `stem` takes them: (B / CHUNK, P CHUNK, K)."""
    count, (_, positions, width) = len(patches) // CHUNK, patches.shape
    chunks = patches.reshape(count, CHUNK, positions, width).transpose(0, 2, 1, 3)
    return chunks.reshape(count, positions * CHUNK, width)


def stem(kernel: Any, sign: Any, chunks: Any, grid: Grid) -> tuple[Any, Any, Any]:
    """Sum and sum of squares over positions, and greatest of each pooled cell, of r = ReLU(patches x kernel).

    kernel (G, K, D): filters of G groups of folds. sign (G, D): 1, or -1 where the least is wanted, which is then given
    negated. chunks: `in_chunks`, N of them. Returns (G, N, CHUNK, D) twice and (G, N, cells^2, CHUNK, D): an order in
    which nothing large is ever transposed.
    """

    @ops.custom_gradient
    def run(kernel: Any, sign: Any, chunks: Any) -> Any:
        found = ops.map(lambda g: ops.map(lambda c: _forward(c, g[0], g[1], grid), chunks), (kernel, sign))

        def gradient(*args: Any, upstream: Any = None) -> tuple[Any, Any, Any]:
            given = tuple(keras.tree.flatten(args if upstream is None else upstream))

            def group(g: Any) -> Any:
                return ops.sum(ops.map(lambda c: _backward(c[0], g[0], g[1], c[1:], grid), (chunks, *g[2:])), axis=0)

            return ops.map(group, (kernel, sign, *given)), ops.zeros_like(sign), ops.zeros_like(chunks)

        return found, gradient

    return run(kernel, sign, chunks)


def _responses(chunk: Any, kernel: Any) -> Any:
    """(P, CHUNK, D) of patches (P CHUNK, K)."""
    return ops.reshape(ops.relu(ops.matmul(chunk, kernel)), (-1, CHUNK, kernel.shape[-1]))


def _by_slot(responses: Any, grid: Grid) -> Any:
    """(9, cells^2, CHUNK, D) of the slots."""
    return ops.reshape(responses[: grid.slots], (POOL**2, grid.cells**2, CHUNK, responses.shape[-1]))


def _forward(chunk: Any, kernel: Any, sign: Any, grid: Grid) -> tuple[Any, Any, Any]:
    """Sums (CHUNK, D) twice and maxima (cells^2, CHUNK, D)."""
    r = _responses(chunk, kernel)
    weighted = r * ops.convert_to_tensor(grid.counts[:, None, None])
    return ops.sum(weighted, axis=0), ops.sum(weighted * r, axis=0), ops.max(_by_slot(r, grid) * sign, axis=0)


def _backward(chunk: Any, kernel: Any, sign: Any, given: Sequence[Any], grid: Grid) -> Any:
    """Gradient (K, D) of the kernel from those of what `_forward` gave."""
    sums, squares, greatest = given
    r, slots, width = _responses(chunk, kernel), grid.slots, kernel.shape[-1]
    counts = ops.convert_to_tensor(grid.counts[:slots].reshape(POOL**2, -1, 1, 1))
    seen = _by_slot(r, grid)
    wanted = ops.equal(seen * sign, ops.max(seen * sign, axis=0))
    # Of equal patches, any share of the gradient gives the kernel the same sum.
    share = greatest * sign / ops.sum(ops.where(wanted, counts, 0.0), axis=0)
    slope = ops.where(wanted, share, 0.0) + (sums + 2 * squares * seen)
    inner = ops.reshape(ops.where(seen > 0, slope * counts, 0.0), (-1, width))
    outer = ops.reshape(ops.where(r[slots:] > 0, sums + 2 * squares * r[slots:], 0.0), (-1, width))
    turned, edge = ops.transpose(chunk), slots * CHUNK
    return ops.matmul(turned[:, :edge], inner) + ops.matmul(turned[:, edge:], outer)
