"""Which made-up movements are expressions, and which cause the others have."""

import numpy as np
import pytest

from mer_tf.video.decide import decide
from mer_tf.video.regions import NAMES
from mer_tf.video.signals import peaks, signals
from mer_tf.video.track import Curves

FPS, T = 30.0, 300


def bump(middle, length):
    """Half a wave of a cosine of so many frames."""
    phase = np.clip((np.arange(T) - middle) / (length / 2), -1, 1)
    return (1 + np.cos(np.pi * phase)) / 2


def made(*moves, noise=0.01, head=None, light=None):
    """Curves in which regions move: (name, x, y, middle, length)."""
    positions = np.random.default_rng(0).normal(0, noise, (T, len(NAMES), 2))
    for name, x, y, middle, length in moves:
        positions[:, NAMES.index(name)] += bump(middle, length)[:, None] * (x, y)
    still = np.zeros((T, 2)) if head is None else head
    level = np.full(T, 120.0) if light is None else light
    return Curves(0, positions.astype(np.float32), still, level, np.zeros(T, np.float32))


def of(curves, **options):
    return decide(curves, FPS, **options)[0]


def test_a_rise_of_a_brow_is_a_micro_expression_in_its_frames():
    (one,) = of(made(("brow_inner_left", 0, -1.0, 150, 12)))
    assert (one.micro, one.cause, one.apex, one.regions) == (True, "", 150, ("brow_inner_left",))
    assert abs(one.onset - 144) <= 1
    assert abs(one.offset - 156) <= 1
    assert one.size == pytest.approx(1.0, abs=0.1)
    assert 1 in one.units


def test_a_slow_one_is_a_macro_expression():
    (one,) = of(made(("mouth_corner_left", -1.5, -1.5, 150, 45), ("mouth_corner_right", 1.5, -1.5, 150, 45)))
    assert (one.micro, one.cause) == (False, "")
    assert abs(one.apex - 150) <= 2


def test_slow_drift_and_noise_are_nothing():
    curves = made(noise=0.03)
    drift = np.linspace(0, 5, T, dtype=np.float32)[:, None, None]
    moved = Curves(0, curves.positions + drift, curves.head, curves.light, curves.tilt)
    assert [one for one in of(moved) if not one.cause] == []


BROW = ("brow_inner_left", 0, -0.7, 150, 12)
LIDS = [(lid, 0, 2.0, 150, 8) for lid in ("lid_left", "lid_right")]
SPEECH = [("lip_lower", 0, 2.0, 100 + 9 * n, 8) for n in range(8)]
AWAY = bump(150, 30)[:, None] * (8 / 96, 0)
LAMP = 120 + 12 * (np.arange(T) > 150)


@pytest.mark.parametrize(
    ("curves", "cause"),
    [
        (made(*LIDS), "blink"),
        (
            made(("brow_inner_left", 0, 0.4, 150, 9), *((lid, 0, 0.9, 150, 9) for lid in ("lid_left", "lid_right"))),
            "blink",
        ),
        (made(BROW, *LIDS), "blink"),
        (made(("lid_left", 1.5, 0, 150, 20)), "gaze"),
        (made(*SPEECH), "talk"),
        (made(BROW, head=AWAY), "head turn"),
        (made(BROW, light=LAMP), "light"),
        (made(("brow_inner_left", 0, -14, 150, 12)), "too large"),
    ],
)
def test_what_is_no_expression_has_its_cause(curves, cause):
    found = of(curves)
    assert found
    assert {one.cause for one in found if one.score > 5} == {cause}


def test_one_lid_that_moves_far_is_enough_for_a_blink_and_a_large_rise_of_a_brow_is_none():
    lid = ("lid_left", 0, 2.0, 147, 8)
    assert all(f.cause for f in of(made(BROW, lid)))
    assert [f.groups for f in of(made(BROW, lid), without={"blink"}) if not f.cause] == [("brow",)]
    assert all(f.cause for f in of(made(("brow_inner_left", 0, 0.9, 150, 9), ("lid_left", 0, 2.3, 150, 9))))
    raised = of(made(("brow_inner_left", 0, -1.2, 150, 12), lid))
    assert [f.cause for f in raised if "brow" in f.groups] == [""]


def test_a_head_that_moves_twice_as_far_is_no_turn():
    far = bump(150, 30)[:, None] * (2.0 / 96, 0)
    assert [f.cause for f in of(made(("chin", 0, -1.0, 150, 12), head=far))] == [""]


def test_a_face_that_does_not_come_back_made_a_longer_movement():
    curves = made(("mouth_corner_left", -2.0, 0, 150, 12))
    held = np.clip((np.arange(T) - 146) / 6, 0, 1)[:, None] * np.array([-3.0, 0])
    curves.positions[:, NAMES.index("mouth_corner_left")] += held.astype(np.float32)
    assert [one.cause for one in of(curves) if one.micro] == ["stays"]
    assert [one.cause for one in of(curves, without={"stays"}) if one.micro] == [""]


def test_a_rule_can_be_left_out():
    assert {one.cause for one in of(made(BROW, head=AWAY), without={"head turn"}) if one.score > 5} == {""}


def test_brows_count_while_the_person_speaks():
    found = of(made(("brow_inner_left", 0, -1.0, 131, 12), *SPEECH))
    assert [one.groups for one in found if not one.cause] == [("brow",)]


def test_a_face_that_never_rests_is_abstained_from():
    found, noise = decide(made(("brow_inner_left", 0, -9, 150, 12), noise=0.6), FPS)
    assert noise > 0.25
    assert all(one.cause for one in found)


def test_the_noise_has_a_floor_and_a_short_piece_nothing():
    still = signals(np.zeros((T, len(NAMES), 2)), FPS, 1.5)
    assert peaks(still, np.arange(len(NAMES)), 1.0) == []
    short = made()
    assert decide(Curves(0, *(getattr(short, n)[:5] for n in ("positions", "head", "light", "tilt"))), FPS) == ([], 0.0)


@pytest.mark.parametrize("fps", [25.0, 100.0, 200.0])
def test_width_does_not_hang_on_the_frame_rate(fps):
    frames = round(10 * fps)
    phase = np.clip((np.arange(frames) / fps - 5) / 0.2, -1, 1)
    positions = np.random.default_rng(1).normal(0, 0.01, (frames, len(NAMES), 2))
    positions[:, 0, 1] -= (1 + np.cos(np.pi * phase)) / 2
    (one,) = [p for p in peaks(signals(positions, fps, 1.5), np.array([0]), 4.5)]
    onset, offset = one.span(frames)
    assert onset / fps == pytest.approx(4.82, abs=0.06)
    assert offset / fps == pytest.approx(5.18, abs=0.06)
