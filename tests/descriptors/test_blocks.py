"""Block grids: every position in a block, overlaps counted twice, sums as slices give them."""

import numpy as np
import pytest

from mer_tf.config import MerError
from mer_tf.descriptors.blocks import block_edges, block_histograms, block_numbers, block_sums, normalised


@pytest.mark.parametrize(
    ("length", "parts", "overlap"), [(90, 8, 0), (90, 8, 0.7), (13, 5, 0), (7, 7, 0), (40, 3, 0.5)]
)
def test_blocks_are_equal_and_cover_all(length, parts, overlap):
    edges = block_edges(length, parts, overlap)
    assert (edges[0, 0], edges[-1, 1]) == (0, length)
    sizes = edges[:, 1] - edges[:, 0]
    assert np.ptp(sizes) <= 1
    shared = edges[:-1, 1] - edges[1:, 0]
    assert np.all(np.abs(shared - overlap * sizes.mean()) <= 1)


def test_histograms_and_sums_are_those_of_slices():
    codes = np.random.default_rng(0).integers(0, 5, (6, 11, 9))
    blocks, overlap = (2, 3, 4), 0.4
    edges = [block_edges(n, k, overlap) for n, k in zip(codes.shape, blocks, strict=True)]
    counts, sums = block_histograms(codes, 5, blocks, overlap), block_sums(codes[..., None], blocks, overlap)
    for place in np.ndindex(*blocks):
        part = codes[tuple(slice(*edges[axis][k]) for axis, k in enumerate(place))]
        np.testing.assert_array_equal(counts[place], np.bincount(part.ravel(), minlength=5))
        assert sums[place] == part.sum()


def test_numbers_count_in_c_order_and_empty_histograms_stay_empty():
    numbers = block_numbers((4, 6), (2, 3))
    np.testing.assert_array_equal(numbers[::2, ::2], [[0, 1, 2], [3, 4, 5]])
    np.testing.assert_array_equal(normalised(np.array([[0.0, 0], [1, 3]])), [[0, 0], [0.25, 0.75]])


@pytest.mark.parametrize(("parts", "overlap"), [(0, 0), (3, 1.0), (3, -0.1), (11, 0)])
def test_impossible_grids_are_refused(parts, overlap):
    with pytest.raises(MerError, match="blocks"):
        block_edges(10, parts, overlap)
