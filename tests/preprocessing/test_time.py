"""Temporal interpolation against the published algorithm; frame rates by the clock; segments of one length."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest
from numpy.typing import NDArray

from mer_tf.config import MerError
from mer_tf.preprocessing.interpolate import tim, tim_places, tim_weights
from mer_tf.preprocessing.resample import at_places, resampled_places
from mer_tf.preprocessing.segments import segment_starts, several


def published_tim(frames: NDArray[np.float64], wanted: int) -> NDArray[np.float64]:
    """The algorithm of Zhou and Pfister step by step: embed the path graph, learn the map, go back to pixels."""
    n = len(frames)
    x = frames.reshape(n, -1).T
    mean = x.mean(axis=1, keepdims=True)
    u, s, vt = np.linalg.svd(x - mean, full_matrices=False)
    u, q = u[:, : n - 1], s[: n - 1, None] * vt[: n - 1]
    path = np.diag(np.ones(n - 1), 1) + np.diag(np.ones(n - 1), -1)
    _, vectors = np.linalg.eigh(np.diag(path.sum(0)) - path)
    w = np.linalg.solve(q @ q.T, q @ vectors[:, 1:])
    k = np.arange(1, n)

    def curve(t: float) -> NDArray[np.float64]:
        return np.asarray(np.sin(np.pi * k * t + np.pi * (n - k) / (2 * n)))

    scale = (q[:, 0] @ w) / curve(1 / n)
    new = [u @ np.linalg.solve(w.T, scale * curve(t)) + mean[:, 0] for t in np.linspace(1 / n, 1, wanted)]
    return np.stack(new).reshape(wanted, *frames.shape[1:])


@pytest.mark.parametrize(("frames", "wanted"), [(5, 10), (12, 10), (9, 9), (2, 7), (30, 15)])
def test_tim_is_the_published_algorithm(frames: int, wanted: int) -> None:
    clip = np.random.default_rng(frames).uniform(0, 255, (frames, 9, 7, 3))
    np.testing.assert_allclose(tim(clip, wanted), published_tim(clip, wanted), atol=1e-8)


@pytest.mark.parametrize("frames", [2, 3, 10, 57])
def test_tim_to_as_many_frames_gives_the_frames_back(frames: int) -> None:
    clip = np.random.default_rng(0).integers(0, 256, (frames, 4, 4, 3), np.uint8)
    np.testing.assert_allclose(tim(clip, frames), clip, atol=1e-9)


def test_tim_keeps_both_ends_and_bears_equal_frames() -> None:
    clip = np.random.default_rng(0).uniform(0, 255, (6, 5, 5))
    np.testing.assert_allclose(tim(clip, 13)[[0, -1]], clip[[0, -1]], atol=1e-9)
    still = np.repeat(clip[:1], 6, axis=0)
    np.testing.assert_allclose(tim(still, 10), np.repeat(clip[:1], 10, axis=0), atol=1e-9)
    np.testing.assert_allclose(tim_weights(8, 20).sum(axis=1), 1, atol=1e-12)
    assert tim_places(5, 3).tolist() == [0, 2, 4]


def test_tim_follows_a_smooth_motion_between_the_frames() -> None:
    course = np.cos(np.pi * (np.arange(1, 11) - 0.5) / 10)  # one eigenvector of the path: between frames it is known
    new = np.cos(np.pi * (10 * np.linspace(0.1, 1, 37) - 0.5) / 10)
    np.testing.assert_allclose(tim(course, 37), new, atol=1e-12)


def test_one_frame_has_no_course() -> None:
    with pytest.raises(MerError, match="2 frames or more"):
        tim(np.zeros((1, 2, 2)), 10)
    with pytest.raises(MerError, match="2 frames or more"):
        tim(np.zeros((5, 2, 2)), 1)


def test_half_the_frame_rate_is_every_second_frame() -> None:
    clip = np.random.default_rng(0).integers(0, 256, (9, 3, 3), np.uint8)
    np.testing.assert_array_equal(at_places(clip, resampled_places(9, 200, 100)), clip[::2])
    np.testing.assert_array_equal(at_places(clip, resampled_places(9, 100, 100)), clip)


@pytest.mark.parametrize(("frames", "fps", "wanted"), [(10, 25, 100), (31, 200, 60), (8, 100, 30), (2, 100, 25)])
def test_resampled_frames_lie_at_equal_times(frames: int, fps: float, wanted: float) -> None:
    places = resampled_places(frames, fps, wanted)
    clock = at_places(np.arange(frames) / fps, places)
    np.testing.assert_allclose(clock, np.arange(len(clock)) / wanted, atol=1e-12)
    assert (frames - 1) / fps - 1 / wanted < clock[-1] <= (frames - 1) / fps + 1e-12


def test_a_frame_rate_is_positive() -> None:
    with pytest.raises(MerError, match="frame rates must be positive"):
        resampled_places(10, 0.0, 25)


def segments(frames: int, length: int, mode: Literal["center", "sliding"], stride: int = 10) -> NDArray[np.int64]:
    """Frame numbers of every segment, the ends of the clip repeated beyond it, as stores fill their windows."""
    starts = np.array(segment_starts(frames, length, mode, stride))
    return np.clip(starts[:, None] + np.arange(length), 0, frames - 1)


def centred(frames: int, length: int) -> NDArray[np.int64]:
    return segments(frames, length, "center")[0]


@pytest.mark.parametrize(
    ("frames", "length", "first", "last"),
    [
        (24, 20, 2, 21),  # 4 too many: 2 from each end
        (25, 20, 2, 21),  # 5 too many: 2 in front, 3 at the back
        (21, 20, 0, 19),
        (20, 20, 0, 19),
        (23, 4, 9, 12),
    ],
)
def test_long_clips_lose_half_of_the_surplus_at_each_end(frames: int, length: int, first: int, last: int) -> None:
    assert centred(frames, length).tolist() == list(range(first, last + 1))


@pytest.mark.parametrize(
    ("frames", "length", "expected"),
    [
        (4, 8, [0, 0, 0, 1, 2, 3, 3, 3]),  # 4 wanting: each end twice more
        (4, 7, [0, 0, 1, 2, 3, 3, 3]),  # 3 wanting: once in front, twice at the back
        (4, 5, [0, 1, 2, 3, 3]),
        (1, 4, [0, 0, 0, 0]),
    ],
)
def test_short_clips_repeat_their_ends(frames: int, length: int, expected: list[int]) -> None:
    assert centred(frames, length).tolist() == expected


@pytest.mark.parametrize(
    ("frames", "length", "expected"),
    [
        (4, 8, [0, 1, 0, 1, 2, 3, 2, 3]),  # 4 wanting: the first two and the last two once more
        (4, 7, [0, 0, 1, 2, 3, 2, 3]),  # 3 wanting: one in front, two at the back
        (2, 8, [0, 1, 0, 0, 1, 1, 0, 1]),  # three of two: over and over, in order
        (1, 4, [0, 0, 0, 0]),
        (5, 5, [0, 1, 2, 3, 4]),
    ],
)
def test_short_clips_have_several_first_and_last_frames_twice(frames: int, length: int, expected: list[int]) -> None:
    assert several(frames, length).tolist() == expected


@pytest.mark.parametrize("frames", range(1, 45))
def test_any_length_gives_ordered_frames_of_the_clip(frames: int) -> None:
    window = centred(frames, 20)
    assert window.shape == (20,)
    assert set(np.diff(window)) <= {0, 1}
    assert window.min() >= 0
    assert window.max() < frames
    front, back = window[0], frames - 1 - window[-1]
    if frames >= 20:
        assert back - front in (0, 1)


def test_sliding_segments_reach_every_frame() -> None:
    found = segments(47, 20, "sliding", 10)
    assert found[:, 0].tolist() == [0, 10, 20, 27]
    assert set(found.ravel().tolist()) == set(range(47))
    assert segments(40, 20, "sliding", 10)[:, 0].tolist() == [0, 10, 20]
    np.testing.assert_array_equal(segments(12, 20, "sliding"), centred(12, 20)[None])
    np.testing.assert_array_equal(segments(47, 20, "center"), centred(47, 20)[None])
