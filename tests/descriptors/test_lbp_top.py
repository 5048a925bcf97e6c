"""LBP-TOP against a plain implementation, bin by bin, and against scikit-image in space."""

import numpy as np
import pytest
from helpers.plain_lbp_top import plain_lbp_top
from skimage.feature import local_binary_pattern

from mer_tf.config import MerError
from mer_tf.descriptors.blocks import normalised
from mer_tf.descriptors.codes import Plane, bins_of, pattern_codes
from mer_tf.descriptors.lbp_top import LbpTop


def volume(shape=(8, 10, 11), levels=256, seed=0):
    return np.random.default_rng(seed).integers(0, levels, shape, dtype=np.uint8)


OPTIONS = [
    {},
    {"interpolation": "bilinear"},
    {"radii": (2, 1, 2)},
    {"radii": (3, 2, 1), "interpolation": "bilinear"},
    {"points": 4, "mapping": "raw", "radii": (1, 1, 3)},
    {"points": 4, "radii": (2, 2, 2)},
    {"points": 6, "mapping": "u2", "interpolation": "bilinear"},
    {"points": 10, "radii": (2, 2, 1), "blocks": (1, 2, 1)},
    {"points": 8, "mapping": "raw"},
    {"blocks": (3, 2, 2)},
    {"blocks": (4, 3, 2), "overlap": 0.5},
    {"blocks": (3, 4, 1), "overlap": 0.7, "interpolation": "bilinear", "radii": (1, 2, 2)},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("levels", [256, 3])
def test_equals_the_plain_implementation_bin_by_bin(options, levels):
    """Three grey levels make ties, where the last decimal of a bilinear value decides."""
    d = LbpTop(**{"blocks": (2, 3, 1), "radii": (1, 1, 1), "frames": 0} | options)
    clip = volume(levels=levels)
    plain = normalised(plain_lbp_top(clip, d)).ravel().astype(np.float32)
    np.testing.assert_array_equal(d.transform([clip])[0], plain)


@pytest.mark.parametrize("radius", [1, 2, 3])
@pytest.mark.parametrize("points", [4, 8, 12])
def test_the_spatial_plane_is_that_of_scikit_image(points, radius):
    clip = volume((1, 40, 30))
    plane = Plane(1, radius, 2, radius, points)
    codes = pattern_codes(clip, plane, (0, radius, radius), "bilinear")[0]
    inside = slice(radius, -radius)
    reference = local_binary_pattern(clip[0], points, radius, "default")[inside, inside]
    np.testing.assert_array_equal(codes, reference)
    table, bins = bins_of(points, "u2")
    uniform = local_binary_pattern(clip[0], points, radius, "nri_uniform")[inside, inside].astype(int)
    assert bins == points * (points - 1) + 3
    pairs = set(zip(table[codes].ravel().tolist(), uniform.ravel().tolist(), strict=True))
    assert len(pairs) == len(np.unique(uniform)) == len(np.unique(table[codes]))


def test_published_sizes():
    clip = volume((10, 96, 96))
    assert LbpTop(blocks=(8, 8, 1)).transform([clip]).shape == (1, 11328)
    assert LbpTop(blocks=(8, 8, 2), radii=(3, 3, 1)).transform([clip]).shape == (1, 22656)
    raw = LbpTop(blocks=(5, 5, 1), points=4, mapping="raw", radii=(1, 1, 4))
    assert raw.transform([clip]).shape == (1, 1200)
    assert bins_of(4, "u2")[1] == 15


def test_each_histogram_sums_to_one_and_a_still_clip_has_one_code_in_time():
    still = np.repeat(volume((1, 30, 30)), 10, axis=0)
    found = LbpTop(blocks=(2, 2, 1), radii=(1, 1, 1)).transform([still])[0].reshape(4, 3, 59)
    np.testing.assert_allclose(found.sum(axis=-1), 1, rtol=1e-6)
    flat = np.full((10, 30, 30), 7, np.uint8)
    only = LbpTop(blocks=(2, 2, 1), radii=(1, 1, 1), interpolation="bilinear").transform([flat])[0].reshape(12, 59)
    assert (only[:, bins_of(8, "u2")[0][255]] == 1).all()


def test_brighter_or_stretched_frames_say_the_same():
    clip = volume((10, 30, 30), levels=100)
    d = LbpTop(blocks=(2, 2, 1), radii=(1, 1, 1), frames=0)
    np.testing.assert_array_equal(d.transform([clip]), d.transform([clip * 2 + 10]))


def test_clips_of_different_length_become_vectors_of_one_length():
    clips = [volume((n, 30, 30), seed=n) for n in (4, 10, 23)]
    assert LbpTop(blocks=(2, 2, 1), frames=10).transform(clips).shape == (3, 2 * 2 * 3 * 59)


def test_what_cannot_be_described_is_named():
    with pytest.raises(MerError, match=r"clip 1: .*holds no neighbourhood of radii 3 x 1 x 1"):
        LbpTop(radii=(1, 1, 3), frames=0).transform([volume((9, 40, 40)), volume((6, 40, 40))])
    with pytest.raises(MerError, match=r"clip 0: LbpTop takes grey frames"):
        LbpTop().transform([np.zeros((4, 30, 30, 3), np.uint8)])
    with pytest.raises(MerError, match="cannot be cut into 8 blocks"):
        LbpTop(radii=(1, 1, 1)).transform([volume((9, 9, 40))])
    with pytest.raises(MerError, match="mapping 'ri'"):
        LbpTop(mapping="ri").transform([volume((9, 40, 40))])
