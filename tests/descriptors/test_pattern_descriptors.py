"""LBP-SIP, LBP-MOP, STLBP-IP and STCLQP: sizes as published, values as their definitions read."""

import numpy as np
import pytest

from mer_tf.config import MerError
from mer_tf.descriptors.codes import Plane
from mer_tf.descriptors.gaussian_jet import GaussianJetLbp, structure
from mer_tf.descriptors.higo import Higo
from mer_tf.descriptors.lbp_mop import LbpMop
from mer_tf.descriptors.lbp_sip import LbpSip
from mer_tf.descriptors.lbp_top import LbpTop
from mer_tf.descriptors.stclqp import CompletedPatterns, PatternCodebook, magnitude_codes, orientation_codes
from mer_tf.descriptors.stlbp_ip import StlbpIp


def volume(shape=(9, 30, 30), seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def test_sip_has_20_bins_a_block_and_its_space_is_lbp_top_with_four_points():
    clip, options = volume(), {"blocks": (2, 3, 1), "radii": (2, 2, 2), "frames": 0}
    found = LbpSip(**options).transform([clip])[0].reshape(6, 20)
    np.testing.assert_allclose(found[:, :16].sum(axis=1), 1, rtol=1e-6)
    top = LbpTop(points=4, mapping="raw", **options).transform([clip])[0].reshape(6, 3, 16)
    np.testing.assert_array_equal(found[:, :16], top[:, 0])


def test_sip_counts_the_two_neighbours_in_time():
    rising = np.arange(9, dtype=np.uint8)[:, None, None] * np.ones((9, 20, 20), np.uint8)
    found = LbpSip(blocks=(1, 1, 1), radii=(1, 1, 1), frames=0).transform([rising])[0]
    np.testing.assert_array_equal(found[16:], [0, 1, 0, 0])  # the later frame (bit 0) is brighter, the earlier darker
    np.testing.assert_array_equal(found[:16], np.eye(16)[15])


def test_mop_has_177_bins_a_block_and_its_xy_is_lbp_of_the_mean_frame():
    clip = volume((9, 40, 40))
    d = LbpMop(blocks=(2, 2, 1), radii=(1, 1, 1), frames=0, wiener=0)
    found = d.transform([clip])[0].reshape(4, 3, 59)
    assert found.size == 4 * 177
    mean = np.repeat(clip.sum(axis=0, dtype=np.int64)[None], 3, axis=0)
    top = LbpTop(blocks=(2, 2, 1), radii=(1, 1, 1), frames=0, interpolation="bilinear").transform([mean])[0]
    np.testing.assert_array_equal(found[:, 0], top.reshape(4, 3, 59)[:, 0])


def test_mop_averages_each_block_over_its_own_rows_and_columns():
    clip = volume((9, 40, 40))
    d = LbpMop(blocks=(2, 2, 1), radii=(1, 1, 1), frames=0, wiener=0)
    before = d.transform([clip])[0].reshape(2, 2, 3, 59)
    changed = clip.copy()
    changed[:, 25:] = 255 - changed[:, 25:]  # the lower row of blocks alone
    after = d.transform([changed])[0].reshape(2, 2, 3, 59)
    np.testing.assert_array_equal(before[0, :, 1], after[0, :, 1])
    assert (before[1, :, 1] != after[1, :, 1]).any()
    assert np.isfinite(LbpMop(frames=0).transform([np.zeros((9, 40, 40), np.uint8)])).all()


def test_stlbp_ip_has_the_630_bins_of_the_published_code_and_sees_no_identity():
    clip = volume((12, 40, 40)) // 2
    d = StlbpIp(blocks=(1, 1, 1), frames=0)
    found = d.transform([clip])[0]
    assert found.shape == (630,)
    np.testing.assert_allclose(found.sum(), 4, rtol=1e-6)
    other = clip + volume((1, 40, 40), seed=1) // 2  # another face under the same motion
    np.testing.assert_array_equal(found, d.transform([other])[0])
    assert StlbpIp(blocks=(2, 3, 1), frames=0).transform([clip]).shape == (1, 6 * 630)


def test_stlbp_ip_blocks_stand_in_rows_and_columns():
    clip = np.zeros((8, 40, 40), np.uint8)
    clip[1:, :20, 20:] = volume((7, 20, 20))  # moves in the upper right block alone
    found = StlbpIp(blocks=(2, 2, 1), frames=0).transform([clip])[0].reshape(2, 2, 630)
    still = np.zeros(630)
    still[[255, 511]] = 1
    np.testing.assert_array_equal(found[1, 0, :512], still[:512])
    assert (found[0, 1] != found[1, 0]).any()


def test_magnitude_and_orientation_as_they_are_defined():
    clip = np.zeros((3, 7, 7), np.uint8)
    clip[:, :, 4:] = 100  # an edge: gradients point along x, or are 0
    plane = Plane(1, 1, 2, 1, 4)
    inside = clip[1, 1:-1, 1:-1].astype(int)
    shifted = [
        np.roll(clip[1].astype(int), (-dy, -dx), (0, 1))[1:-1, 1:-1] for dy, dx in ((0, 1), (-1, 0), (0, -1), (1, 0))
    ]
    apart = np.abs(np.stack(shifted) - inside)
    wanted = ((apart >= apart.mean()) * (1 << np.arange(4))[:, None, None]).sum(axis=0)
    np.testing.assert_array_equal(magnitude_codes(clip, plane, (1, 1, 1))[0], wanted)
    turned = orientation_codes(clip, plane, (1, 1, 1))[0]
    assert turned[0].tolist() == [0, 0, 1 + 2 + 8, 2 + 4 + 8, 0]


def test_a_codebook_learns_from_training_clips_alone_and_keeps_all_counts():
    clips = [volume((8, 24, 24), seed=s) for s in range(8)]
    for clip in clips[::2]:
        clip[:, ::2] = 0
    labels = np.arange(8) % 2
    raw = CompletedPatterns(blocks=(2, 2, 1), radii=(1, 1, 1), frames=0).transform(clips)
    assert raw.shape == (8, 4 * 9 * 256)
    book = PatternCodebook(size=10, kept=40).fit(raw[:6], labels[:6])
    words = book.transform(raw)
    assert words.shape == (8, 4 * 9 * 10)
    np.testing.assert_allclose(words.reshape(8, 36, 10).sum(axis=-1), 1, rtol=1e-5)
    again = PatternCodebook(size=10, kept=40).fit(raw[:6], labels[:6])
    np.testing.assert_array_equal(book.words_, again.words_)
    with pytest.raises(MerError, match="size <= kept"):
        PatternCodebook(size=50, kept=40).fit(raw, labels)


def test_every_voxel_with_a_gradient_has_one_vote_and_a_faint_change_in_time_turns_it():
    rising = np.broadcast_to(np.arange(40, dtype=np.uint8), (9, 40, 40))
    found = [
        Higo(blocks=(1, 1, 1), frames=0).transform([clip])[0].reshape(3, 8)
        for clip in (rising, rising + np.arange(9, dtype=np.uint8)[:, None, None], rising[:, :, ::-1])
    ]
    np.testing.assert_array_equal(found[0], [np.eye(8)[0], np.eye(8)[0], np.zeros(8)])  # nothing along y, nor in time
    np.testing.assert_array_equal(found[1], [np.eye(8)[0], np.eye(8)[1], np.eye(8)[2]])
    np.testing.assert_array_equal(found[2][0], np.eye(8)[4])


def test_angles_of_the_jet_know_no_light_no_contrast_and_no_turn_of_the_frame():
    clip = np.random.default_rng(0).random((2, 24, 24))
    angles = structure(clip, 1.5)
    np.testing.assert_allclose(structure(3 * clip + 7, 1.5), angles, atol=2e-3)
    np.testing.assert_allclose(structure(np.rot90(clip, axes=(1, 2)), 1.5), np.rot90(angles, axes=(2, 3)), atol=2e-3)
    options = {"blocks": (2, 2, 1), "radii": (1, 1, 1), "frames": 0}
    whole = GaussianJetLbp(sigma=1.5, **options).describe(clip.repeat(3, axis=0)).reshape(3, -1)
    one = LbpTop(**options).histograms(structure(clip.repeat(3, axis=0), 1.5)[1])
    np.testing.assert_array_equal(whole[1], one)
