"""Eulerian video magnification: small periodic changes of each pixel, made larger (Wu et al., SIGGRAPH 2012)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfiltfilt

from mer_tf.config import MerError

LUMA = np.array([0.299, 0.587, 0.114])


def magnified(frames: NDArray[np.generic], fps: float, alpha: float, low: float, high: float) -> NDArray[np.float64]:
    """Frames (T, H, W, 3) plus `alpha` times the change of their luminance between `low` and `high` Hz: float64.

    A motion of d pixels at such a frequency becomes one of about (1 + alpha) d, as long as that stays below an eighth
    of the wavelength of the texture. Colour is left as it is (Wu et al. attenuate it), and all wavelengths have one
    gain, so that no pyramid is needed.
    """
    values = np.asarray(frames, np.float64)
    return values + alpha * passed(values @ LUMA, fps, low, high)[..., None]


def passed(values: NDArray[np.float64], fps: float, low: float, high: float) -> NDArray[np.float64]:
    """What of `values` (T, ...) changes between `low` and `high` Hz: float64, same shape, without delay.

    A Butterworth filter of first order, run forwards and backwards, so that the gain at frequency f is |H(f)|^2, 1/2 at
    either edge. `MerError` for a band the frame rate cannot carry.
    """
    if not 0 < low < high < fps / 2:
        raise MerError(f"magnification: the band {low:g} to {high:g} Hz must lie within 0 and {fps / 2:g} Hz (fps / 2)")
    sections = butter(1, [low, high], btype="bandpass", fs=fps, output="sos")
    return np.asarray(sosfiltfilt(sections, values, axis=0, padlen=min(len(values) - 1, round(fps / low))))
