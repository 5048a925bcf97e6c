"""The steps in time, one after the other, on a clip of known frames."""

from __future__ import annotations

import numpy as np
import pytest

from mer_tf.config import MerError, Preprocess
from mer_tf.preprocessing.interpolate import tim
from mer_tf.preprocessing.magnify import magnified
from mer_tf.preprocessing.normalise import as_pixels, stretched
from mer_tf.preprocessing.steps import Course, treated


def course(frames: int = 12, fps: float = 100.0) -> Course:
    rng = np.random.default_rng(0)
    drift = np.linspace(60, 180, frames)[:, None, None, None]
    pixels = np.clip(drift + rng.uniform(-20, 20, (1, 8, 8, 3)), 0, 255).astype(np.uint8)
    return Course(pixels, np.arange(40, 40 + frames), fps)


def test_without_steps_the_clip_is_the_same_object() -> None:
    clip = course()
    assert treated(clip, Preprocess()) is clip
    assert treated(clip, Preprocess(recipe="ststnet+", flow="tvl1", size=28, flow_from="onset")) is clip


def test_half_the_frame_rate_keeps_every_second_frame_and_its_number() -> None:
    clip = course()
    made = treated(clip, Preprocess(fps=50))
    np.testing.assert_array_equal(made.frames, clip.frames[::2])
    assert made.numbers.tolist() == [40, 42, 44, 46, 48, 50]
    assert made.fps == 50


def test_interpolation_changes_the_frame_rate_and_names_the_nearest_frames() -> None:
    clip = course(frames=5)
    made = treated(clip, Preprocess(interpolate=9))
    np.testing.assert_array_equal(made.frames, as_pixels(tim(clip.frames, 9)))
    np.testing.assert_array_equal(made.frames[::8], clip.frames[::4])
    assert made.fps == pytest.approx(200)
    assert made.numbers.tolist() == [40, 40, 41, 42, 42, 42, 43, 44, 44]
    np.testing.assert_array_equal(treated(clip, Preprocess(interpolate=5)).frames, clip.frames)


def test_all_steps_follow_each_other_unrounded() -> None:
    clip = course(frames=24)
    settings = Preprocess(fps=50, grey_level="clip", magnify=4.0, band_low=1.0, band_high=8.0, interpolate=10)
    expected = tim(magnified(stretched(clip.frames[::2]), 50, 4.0, 1.0, 8.0), 10)
    made = treated(clip, settings)
    np.testing.assert_array_equal(made.frames, as_pixels(expected))
    assert made.frames.shape == (10, 8, 8, 3)
    assert made.frames.dtype == np.uint8
    assert made.fps == pytest.approx(50 * 9 / 11)
    assert made.numbers[[0, -1]].tolist() == [40, 62]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (Preprocess(fps=-1), "preprocess.fps must be 0"),
        (Preprocess(interpolate=-3), "preprocess.interpolate must be 0"),
        (Preprocess(interpolate=1), "leaves one frame"),
        (Preprocess(fps=2), "use a higher frame rate"),
        (Preprocess(magnify=2, band_high=50), "must lie within"),
    ],
)
def test_impossible_settings_are_named(settings: Preprocess, message: str) -> None:
    with pytest.raises(MerError, match=message):
        treated(course(), settings)
