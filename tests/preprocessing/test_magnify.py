"""Magnification of changes whose frequency and size are known."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from mer_tf.config import MerError
from mer_tf.preprocessing.flow import flow_pair
from mer_tf.preprocessing.magnify import magnified, passed

FPS, COUNT = 100.0, 200
TIME = np.arange(COUNT) / FPS


def pulsing(hertz: float, size: float = 2.0) -> NDArray[np.float64]:
    """Grey frames (T, 4, 4, 3) whose brightness swings by `size` about 100."""
    return (100 + size * np.sin(2 * np.pi * hertz * TIME))[:, None, None, None] * np.ones((4, 4, 3))


def swing(frames: NDArray[np.floating], hertz: float) -> float:
    """Amplitude at one frequency over the middle half."""
    middle = slice(COUNT // 4, 3 * COUNT // 4)
    wave = np.exp(-2j * np.pi * hertz * TIME[middle])
    values = frames[middle, 0, 0, 0] - frames[middle, 0, 0, 0].mean()
    return float(2 * np.abs((values * wave).mean()))


def test_the_butterworth_gain_is_the_squared_response() -> None:
    low, high, alpha = 2.0, 10.0, 5.0
    warped = [np.tan(np.pi * f / FPS) for f in (low, high)]
    for hertz in (2.0, 4.0, 6.0, 10.0, 20.0):
        w = np.tan(np.pi * hertz / FPS)
        response = 1 / (1 + ((w**2 - warped[0] * warped[1]) / (w * (warped[1] - warped[0]))) ** 2)
        made = magnified(pulsing(hertz), FPS, alpha, low, high)
        assert swing(made, hertz) == pytest.approx(2 * (1 + alpha * response), rel=0.02)
    assert passed(pulsing(2.0), FPS, low, high).shape == (COUNT, 4, 4, 3)


def test_the_same_seconds_are_magnified_at_any_frame_rate() -> None:
    fast = magnified(pulsing(5.0), FPS, 8.0, 2.0, 8.0)
    slow = magnified(pulsing(5.0)[::2], FPS / 2, 8.0, 2.0, 8.0)
    middle = slice(COUNT // 8, 3 * COUNT // 8)
    np.testing.assert_allclose(slow[middle], fast[::2][middle], atol=0.25)


def test_a_small_motion_becomes_one_plus_alpha_times_as_large() -> None:
    """A texture of 32 pixels that swings by .05 px at 5 Hz, seen through optical flow."""
    x = np.arange(64.0)
    shift = 0.05 * np.sin(2 * np.pi * 5 * TIME[:100])
    texture = np.stack([sum(np.sin(2 * np.pi * (x - s) / w) for w in (32, 21)) for s in shift])
    rows = 1 + 0.3 * np.sin(2 * np.pi * x / 32)
    frames = (120 + 50 * texture[:, None, :] * rows[:, None])[..., None] * np.ones(3)
    made = magnified(frames, FPS, 9.0, 2.0, 12.5)
    peak, trough = 45, 55  # a quarter and three quarters of a swing, away from the ends
    first, second = (np.clip(np.round(made[t]), 0, 255).astype(np.uint8) for t in (trough, peak))
    travelled = float(np.median(flow_pair(first, second, "dis")[8:-8, 8:-8, 0]))
    assert travelled == pytest.approx(10 * (shift[peak] - shift[trough]), rel=0.12)


def test_alpha_0_and_a_still_clip_change_nothing() -> None:
    clip = np.random.default_rng(0).uniform(0, 255, (20, 6, 6, 3))
    np.testing.assert_allclose(magnified(clip, FPS, 0.0, 2.0, 8.0), clip, atol=1e-9)
    still = np.repeat(clip[:1], 20, axis=0)
    np.testing.assert_allclose(magnified(still, FPS, 20.0, 2.0, 8.0), still, atol=1e-6)


def test_colour_stays() -> None:
    frames = pulsing(5.0) * [1.0, 0.9, 0.8]
    added = magnified(frames, FPS, 8.0, 2.0, 8.0) - frames
    np.testing.assert_allclose(added[..., 0], added[..., 2], atol=1e-9)


def test_a_band_the_clip_cannot_carry_is_refused() -> None:
    with pytest.raises(MerError, match=r"must lie within 0 and 12.5 Hz"):
        magnified(pulsing(5.0), 25.0, 8.0, 2.0, 20.0)
