"""Grids of blocks over volumes, and what is counted or summed in each: no loop over pixels, frames or blocks."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mer_tf.config import MerError

Array = NDArray[np.float64]


def block_edges(length: int, parts: int, overlap: float = 0.0) -> NDArray[np.int64]:
    """First position and the one after the last of each of `parts` equal blocks on 0 .. length: int64 (parts, 2).

    overlap: share of a block that lies in the next one, 0 to below 1; the first block starts at 0, the last ends at
    `length`. Edges fall on the nearest positions. `MerError` when there are more blocks than positions.
    """
    if parts < 1 or not 0 <= overlap < 1:
        raise MerError(f"blocks: {parts} parts with overlap {overlap:g}; give 1 or more, overlap from 0 to below 1")
    if length < parts:
        raise MerError(f"{length} positions cannot be cut into {parts} blocks; give fewer blocks or larger clips")
    size = length / (1 + (parts - 1) * (1 - overlap))
    starts = np.arange(parts) * size * (1 - overlap)
    return np.floor(np.stack([starts, starts + size], axis=1) + 0.5).astype(np.int64)


def block_histograms(codes: NDArray[np.integer], bins: int, blocks: Sequence[int], overlap: float = 0.0) -> Array:
    """How often each code, 0 to `bins` - 1, occurs in each block: float64 (*blocks, bins).

    codes: (...), an axis for each of `blocks`; a position in the overlap of blocks counts in all of them.
    """
    cell, owners = _cells(codes.shape, blocks, overlap)
    number = [owner.shape[1] for owner in owners]
    counts = np.bincount((cell * bins + codes).ravel(), minlength=math.prod(number) * bins)
    return _joined(counts.reshape(*number, bins).astype(np.float64), owners)


def block_sums(values: NDArray[np.floating], blocks: Sequence[int], overlap: float = 0.0) -> Array:
    """Sum over each block of values (*axes, channels), an axis for each of `blocks`: float64 (*blocks, channels)."""
    total: Array = np.asarray(values, np.float64)
    for axis, parts in enumerate(blocks):
        edges = block_edges(values.shape[axis], parts, overlap)
        before = np.insert(total.cumsum(axis=axis), 0, 0, axis=axis)
        total = before.take(edges[:, 1], axis=axis) - before.take(edges[:, 0], axis=axis)
    return total


def block_numbers(shape: Sequence[int], blocks: Sequence[int]) -> NDArray[np.int64]:
    """Number of the block, in C order, that each position of `shape` belongs to, blocks without overlap."""
    return _cells(shape, blocks, 0.0)[0]


def normalised(histograms: Array) -> Array:
    """Histograms (..., bins) that sum to 1; an empty one stays 0."""
    total = histograms.sum(axis=-1, keepdims=True)
    return np.asarray(histograms / np.where(total > 0, total, 1))


def _cells(shape: Sequence[int], blocks: Sequence[int], overlap: float) -> tuple[NDArray[np.int64], list[Array]]:
    """The cell between all edges of all blocks, in C order, of each position; and by axis which cells (blocks, cells)
    each block is made of."""
    edges = [block_edges(length, parts, overlap) for length, parts in zip(shape, blocks, strict=True)]
    cuts = [np.setdiff1d(pairs, [length]) for pairs, length in zip(edges, shape, strict=True)]
    owners = [((e[:, :1] <= c) & (c < e[:, 1:])).astype(np.float64) for e, c in zip(edges, cuts, strict=True)]
    places = [np.searchsorted(c, np.arange(length), side="right") - 1 for c, length in zip(cuts, shape, strict=True)]
    return np.ravel_multi_index(np.ix_(*places), [len(c) for c in cuts]), owners


def _joined(counts: Array, owners: Sequence[Array]) -> Array:
    """Counts by cell (*cells, bins) summed to counts by block (*blocks, bins)."""
    for axis, owner in enumerate(owners):
        if len(owner) == owner.shape[1]:
            continue  # without overlap a block is a cell
        counts = np.moveaxis(np.tensordot(owner, counts, axes=(1, axis)), 0, axis)
    return counts
