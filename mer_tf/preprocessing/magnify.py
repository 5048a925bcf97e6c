"""Eulerian video magnification: small periodic changes of each pixel, made larger (Wu et al., SIGGRAPH 2012)."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfiltfilt

from mer_tf.config import MerError

Filter = Literal["ideal", "butterworth"]
LUMA = np.array([0.299, 0.587, 0.114])


def magnified(
    frames: NDArray[np.generic],
    fps: float,
    alpha: float,
    low: float,
    high: float,
    *,
    temporal: Filter = "butterworth",
    cutoff: float | None = None,
) -> NDArray[np.float64]:
    """Frames (T, H, W, 3) plus `alpha` times the change of their luminance between `low` and `high` Hz: float64.

    A motion of d pixels at such a frequency becomes one of about (1 + alpha) d, as long as that stays below an eighth
    of the wavelength of the texture. Colour is left as it is (Wu et al. attenuate it). `cutoff`: wavelength in pixels
    below which the gain falls, so that fine texture does not break up (`gains`); without it all wavelengths have
    `alpha`, and the pyramid is not needed.
    """
    values = np.asarray(frames, np.float64)
    band = passed(values @ LUMA, fps, low, high, temporal)
    if cutoff is None:
        return values + alpha * band[..., None]
    return values + np.stack([_amplified(image, alpha, cutoff) for image in band])[..., None]


def passed(
    values: NDArray[np.float64], fps: float, low: float, high: float, temporal: Filter = "butterworth"
) -> NDArray[np.float64]:
    """What of `values` (T, ...) changes between `low` and `high` Hz: float64, same shape, without delay.

    ideal: Fourier coefficients outside the band are set to 0 (the clip counts as periodic). butterworth: first order,
    run forwards and backwards, so the gain at frequency f is |H(f)|^2, 1/2 at either edge. `MerError` for a band the
    frame rate cannot carry, and for one between whose edges a clip this short has no frequency (ideal).
    """
    count = len(values)
    if not 0 < low < high < fps / 2:
        raise MerError(f"magnification: the band {low:g} to {high:g} Hz must lie within 0 and {fps / 2:g} Hz (fps / 2)")
    if temporal == "butterworth":
        sections = butter(1, [low, high], btype="bandpass", fs=fps, output="sos")
        return np.asarray(sosfiltfilt(sections, values, axis=0, padlen=min(count - 1, round(fps / low))))
    frequencies = np.fft.rfftfreq(count, 1 / fps)
    kept = (frequencies >= low - 1e-9) & (frequencies <= high + 1e-9)
    if not kept.any():
        raise MerError(
            f"magnification: {count} frames at {fps:g} a second tell {fps / count:.3g} Hz apart, and none lies between "
            f"{low:g} and {high:g} Hz; widen the band or use the butterworth filter"
        )
    return np.fft.irfft(np.fft.rfft(values, axis=0) * kept.reshape(-1, *[1] * (values.ndim - 1)), count, axis=0)


def gains(alpha: float, cutoff: float, wavelengths: NDArray[np.float64]) -> NDArray[np.float64]:
    """Gain at each spatial wavelength in pixels: `alpha` from `cutoff` on, less below it (Wu et al., equation 14).

    The bound (1 + gain) delta < wavelength / 8 is met with delta = cutoff / 8 / (1 + alpha).
    """
    delta = cutoff / 8 / (1 + alpha)
    return np.clip(wavelengths / (8 * delta) - 1, 0, alpha)


def _amplified(band: NDArray[np.float64], alpha: float, cutoff: float) -> NDArray[np.float64]:
    """One band image (H, W) with each level of its Laplacian pyramid times its gain, summed again."""
    levels = max(1, int(np.log2(min(band.shape))) - 2)
    gaussian = [band]
    for _ in range(levels):
        gaussian.append(np.asarray(cv2.pyrDown(gaussian[-1]), np.float64))
    # a level keeps what pyrDown would lose: wavelengths of about 2 to 4 of its own pixels
    gain = gains(alpha, cutoff, 3 * np.exp2(np.arange(levels + 1, dtype=np.float64)))
    out = gain[-1] * gaussian[-1]
    for level in range(levels - 1, -1, -1):
        here, size = gaussian[level], gaussian[level].shape[::-1]
        out = cv2.pyrUp(out, dstsize=size) + gain[level] * (here - cv2.pyrUp(gaussian[level + 1], dstsize=size))
    return np.asarray(out)
