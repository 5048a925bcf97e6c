"""Key frames of made clips in which it is known when something moves."""

from typing import get_args

import numpy as np
import pytest

from mer_tf.config import MerError
from mer_tf.preprocessing.keyframes import KeyFrames, select_keyframes

METHODS = get_args(KeyFrames)


def clip(course):
    """A bright square moves right by course[t] pixels: uint8 (T, 24, 24, 3)."""
    frames = np.full((len(course), 24, 24, 3), 40, np.uint8)
    for frame, shift in zip(frames, course, strict=True):
        frame[8:16, 2 + int(shift) : 10 + int(shift)] = 200
    return frames


def bump(frames=60, start=20, end=40, height=7):
    """Still, out and back between start and end, still."""
    times = np.arange(frames)
    return np.round(height * np.clip(1 - np.abs(times - (start + end) / 2) / ((end - start) / 2), 0, 1))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("seed", range(5))
def test_places_are_distinct_sorted_as_many_as_wanted_and_inside(method, seed):
    rng = np.random.default_rng(seed)
    frames = rng.integers(0, 256, (40, 6, 6)).astype(np.uint8)
    onset, apex, offset = np.sort(rng.integers(0, 40, 3)).tolist()
    found = select_keyframes(frames, onset, apex, offset, 7, method)
    assert len(found) == min(7, offset - onset + 1)
    assert (np.diff(found) > 0).all()
    assert onset <= found[0]
    assert found[-1] <= offset


@pytest.mark.parametrize("method", METHODS)
def test_a_clip_in_which_nothing_moves_and_a_short_one(method):
    found = select_keyframes(clip(np.zeros(30)), 0, None, 29, 5, method)
    assert len(np.unique(found)) == 5
    assert select_keyframes(clip(np.zeros(30)), 3, 4, 6, 5, method).tolist() == [3, 4, 5, 6]


def test_cumulated_differences_put_frames_where_it_moves():
    found = select_keyframes(clip(bump()), 0, None, 59, 10, "cumdiff")
    assert found[0] == 0
    assert ((found >= 18) & (found <= 42)).sum() == 9
    even = select_keyframes(clip(bump()), 0, None, 59, 10, "tim")
    assert set(np.diff(even).tolist()) == {6, 7}


def test_peaks_hold_the_onset_and_the_strongest_frame():
    course = bump(start=10, end=20, height=4) + bump(start=30, end=50)
    found = select_keyframes(clip(course), 0, None, 59, 4, "peakdiff")
    assert {0, 15, 40} <= set(found.tolist())


def test_phases_hold_onset_apex_and_offset():
    assert select_keyframes(clip(bump()), 10, 30, 50, 5, "phases").tolist() == [10, 20, 30, 40, 50]
    ten = select_keyframes(clip(bump()), 0, 12, 59, 10, "phases").tolist()
    assert {0, 12, 59} <= set(ten)
    assert sum(p < 12 for p in ten) == 5
    near = select_keyframes(clip(bump()), 0, 1, 59, 7, "phases")
    assert len(near) == 7
    assert {0, 1, 59} <= set(near.tolist())


def test_an_unknown_apex_is_the_frame_that_differs_most_from_the_onset():
    found = select_keyframes(clip(bump(start=6, end=26)), 0, None, 59, 3, "phases")
    assert found.tolist() == [0, 16, 59]


def test_clusters_take_a_frame_of_every_scene():
    scenes = np.repeat([0, 5, 10], 20)
    found = select_keyframes(clip(scenes), 0, None, 59, 3, "cluster")
    assert scenes[found].tolist() == [0, 5, 10]
    vectors = np.repeat(np.eye(3), [30, 5, 25], axis=0)
    assert vectors[select_keyframes(vectors, 0, None, 59, 3, "cluster")].argmax(axis=1).tolist() == [0, 1, 2]


@pytest.mark.parametrize("places", [(-1, None, 9), (0, None, 60), (5, 4, 9), (0, 10, 9), (8, None, 7)])
def test_places_no_clip_can_have_are_refused(places):
    with pytest.raises(MerError, match="onset"):
        select_keyframes(clip(bump()), *places, 5)


def test_an_unknown_rule_is_refused():
    with pytest.raises(MerError, match="phases, cumdiff"):
        select_keyframes(clip(bump()), 0, None, 59, 5, "best")
