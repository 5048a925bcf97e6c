"""Regions of a face: the head's motion is taken out, and action units are told by what they move."""

import numpy as np
import pytest

from mer_tf.preprocessing.landmarks import FIVE
from mer_tf.video.regions import NAMES, SIDE, Layout, _unit_motion, crop_matrix, suggested_units

FACE = FIVE * 200 + (70, 40)


@pytest.fixture(scope="module")
def layout():
    return Layout.of(FACE, crop_matrix(FACE))


def test_motion_of_the_head_is_no_motion_of_a_region(layout):
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    flow = np.stack([1.5 + 0.01 * (x - 64) - 0.02 * (y - 64), -0.7 + 0.02 * (x - 64)], axis=-1).astype(np.float32)
    moves, head = layout.split(flow)
    assert np.abs(moves).max() < 0.02
    np.testing.assert_allclose(head[2], [1.5, -0.7], atol=0.02)


def test_a_brow_is_seen_on_a_head_that_moves(layout):
    """The fit rests on what is rigid: a raised brow does not spread into it."""
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    brow = layout.centers[NAMES.index("brow_inner_left")]
    flow = np.zeros((SIDE, SIDE, 2), np.float32)
    flow[..., 1] = 1.0 - 2.0 * np.exp(-((x - brow[0]) ** 2 + (y - brow[1]) ** 2) / (2 * 10**2))
    moves, head = layout.split(flow)
    assert moves[NAMES.index("brow_inner_left"), 1] == pytest.approx(-1.6, abs=0.15)
    assert np.abs(moves[NAMES.index("mouth_corner_right")]).max() < 0.1
    np.testing.assert_allclose(head[2], [0, 1], atol=0.1)


@pytest.mark.parametrize("unit", [1, 4, 12, 15, 26])
def test_an_action_unit_is_suggested_by_its_own_motion(unit):
    units, table = _unit_motion()
    assert suggested_units(table[:, units.index(unit)].reshape(-1, 2)) == [unit]


def test_no_motion_suggests_no_action_unit():
    assert suggested_units(np.zeros((len(NAMES), 2))) == []
