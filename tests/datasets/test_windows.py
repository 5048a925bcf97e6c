"""Window plans: starts, balancing, mirrors, determinism."""

from collections import Counter

import pytest

from mer_tf.config import Clip
from mer_tf.datasets.windows import cut_windows, plan_windows, window_starts

CLASSES = ("negative", "positive", "surprise", "non-micro")
LENGTH = {"a": 20, "b": 40, "c": 11, "d": 58}.__getitem__
CLIPS = {"a": 0, "b": 1, "c": 2, "d": 3}


@pytest.mark.parametrize(
    ("n", "frames", "stride", "expected"),
    [(13, 13, 1, [0]), (15, 13, 1, [0, 1, 2]), (20, 13, 4, [0, 4, 7]), (21, 13, 4, [0, 4, 8]), (11, 13, 1, [0])],
)
def test_window_starts_end_with_the_clip(n, frames, stride, expected):
    assert window_starts(n, frames, stride) == expected


def test_published_window_counts_of_one_class():
    """One clip of n frames gives n - N + 1 windows at stride 1 (Bai & Goecke 2020, section 4.2)."""
    plan = plan_windows({"b": 1}, LENGTH, Clip(frames=13, mirror=False), CLASSES, 0)
    assert len(plan) == 28


def test_balanced_plan_has_equal_classes_and_every_window():
    plan = plan_windows(CLIPS, LENGTH, Clip(frames=13, mirror=False), CLASSES, seed=1)
    per_clip = Counter(w.clip_id for w in plan)
    assert set(per_clip.values()) == {28}
    assert {w.start for w in plan if w.clip_id == "a"} == set(range(8))


def test_balancing_repeats_no_window_twice_more_than_another():
    plan = plan_windows(CLIPS, LENGTH, Clip(frames=13, mirror=False), CLASSES, seed=1)
    repeats = Counter((w.clip_id, w.start) for w in plan if w.clip_id == "a").values()
    assert max(repeats) - min(repeats) <= 1


def test_mirror_adds_each_window_once_more():
    plan = plan_windows(CLIPS, LENGTH, Clip(balance=False), CLASSES, seed=0)
    sides = Counter(w.copy == 1 for w in plan)
    assert sides[True] == sides[False]
    assert {(w.clip_id, w.start) for w in plan if w.copy} == {(w.clip_id, w.start) for w in plan if not w.copy}


def test_plan_depends_on_seed_and_not_on_clip_order():
    first = plan_windows(CLIPS, LENGTH, Clip(), CLASSES, seed=3)
    assert first == plan_windows(dict(reversed(CLIPS.items())), LENGTH, Clip(), CLASSES, seed=3)
    assert first != plan_windows(CLIPS, LENGTH, Clip(), CLASSES, seed=4)


def test_non_micro_has_its_own_stride():
    plan = plan_windows(CLIPS, LENGTH, Clip(balance=False, mirror=False, non_micro_stride=20), CLASSES, seed=0)
    assert sorted(w.start for w in plan if w.clip_id == "d") == [0, 20, 40, 45]


def test_a_class_without_clips_stays_empty():
    plan = plan_windows({"a": 0, "b": 1}, LENGTH, Clip(mirror=False), CLASSES, seed=0)
    assert Counter(w.clip_id for w in plan) == {"a": 28, "b": 28}


def test_scheme_v2_adds_windows_of_every_nth_frame_where_the_clip_is_long_enough():
    plan = cut_windows({"b": 1}, LENGTH, Clip(frames=13, scheme="v2"), CLASSES)
    assert {w.start for w in plan if w.step == 3} == {0, 1}
    assert {w.step for w in plan} == {1, 2, 3}
    assert all(w.start + w.step * 12 < 40 for w in plan)


def test_the_released_code_trains_on_mirrors_alone():
    plan = plan_windows(CLIPS, LENGTH, Clip(mirrored_only=True), CLASSES, seed=0)
    assert {w.copy for w in plan} == {1}


def test_copies_by_class_as_in_table_1():
    """Aug-I of Bai & Goecke 2020: multipliers 7, 8, 11, 3."""
    plan = plan_windows(
        CLIPS, LENGTH, Clip(frames=1, non_micro_stride=1, balance=False, multiply=(7, 8, 11, 3)), CLASSES, 0
    )
    counts = Counter(w.clip_id for w in plan)
    assert counts == {"a": 140, "b": 320, "c": 121, "d": 174}
    assert {w.copy for w in plan if w.clip_id == "c"} == set(range(11))
