"""Drawn clips as flow stacks: rest where nothing moves, the time course of the table, units of stored flow."""

import numpy as np

from mer_tf.synthetic.action_units.stacks import draw_stacks


def test_stacks_are_at_rest_before_and_after_and_go_back_the_way_they_came():
    stacks, labels = draw_stacks(30, 19, 24, np.random.default_rng(0))
    assert stacks.shape == (30, 19, 24, 24, 3)
    assert np.bincount(labels).tolist() == [10, 10, 10]
    down = stacks[..., 1].astype(float) - 127.5
    strong = np.abs(down).max(axis=(2, 3))
    assert np.median(strong.max(axis=1) / strong.min(axis=1)) > 2, "the motion comes and goes"
    place = np.abs(down).max(axis=1).reshape(30, -1).argmax(axis=1)
    there = down.reshape(30, 19, -1)[np.arange(30), :, place]
    assert ((there.max(axis=1) > 15) & (there.min(axis=1) < -15)).mean() > 0.5, "most clips relax within the window"


def test_equal_seeds_draw_equal_clips():
    one, other, third = (draw_stacks(6, 5, 16, np.random.default_rng(s))[0] for s in (1, 1, 2))
    assert (one == other).all()
    assert (one != third).any()


def test_a_larger_bound_makes_motion_fainter():
    near, far = (draw_stacks(6, 5, 16, np.random.default_rng(1), bound=b)[0] for b in (1.0, 4.0))
    assert near[..., :2].std() > 2 * far[..., :2].std()
