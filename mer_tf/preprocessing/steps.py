"""What happens to the aligned frames of a clip before their flow is taken, in this order:

frame rate, grey levels, magnification, temporal interpolation. Between the steps values stay unrounded.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mer_tf.config import MerError, Preprocess
from mer_tf.preprocessing.interpolate import tim, tim_places
from mer_tf.preprocessing.normalise import as_pixels, stretched
from mer_tf.preprocessing.resample import at_places, resampled_places


@dataclass(frozen=True, eq=False)
class Course:
    """The frames of a clip in time."""

    frames: NDArray[np.uint8]
    """(T, S, S, 3) RGB."""
    numbers: NDArray[np.int64]
    """(T,): number in the source; of a frame made from several, the nearest one."""
    fps: float


def treated(course: Course, config: Preprocess) -> Course:
    """`course` after the steps that `config` asks for; with none of them, the same object.

    `MerError` for settings that no clip or not this clip can meet; it names the setting, not the clip.
    """
    _check(config)
    if not (config.fps or config.interpolate or config.magnify or config.grey_level != "none"):
        return course
    values, places, fps = course.frames.astype(np.float64), np.arange(len(course.frames), dtype=float), course.fps
    if config.fps:
        places = resampled_places(len(values), fps, config.fps)
        values, fps = at_places(values, places), config.fps
    if len(values) < 2:
        raise MerError(f"preprocess.fps={config.fps:g} leaves 1 frame of this clip; use a higher frame rate")
    if config.grey_level == "clip":
        values = stretched(values)
    if config.magnify:
        from mer_tf.preprocessing.magnify import magnified  # brings scipy.signal

        values = magnified(values, fps, config.magnify, config.band_low, config.band_high)
    if config.interpolate:
        fps *= (config.interpolate - 1) / (len(values) - 1)
        places = at_places(places, tim_places(len(values), config.interpolate))
        values = tim(values, config.interpolate)
    return Course(as_pixels(values), course.numbers[np.round(places).astype(int)], fps)


def _check(config: Preprocess) -> None:
    for name in ("fps", "magnify", "interpolate"):
        if getattr(config, name) < 0:
            raise MerError(f"preprocess.{name} must be 0 (off) or more, not {getattr(config, name)}")
    if config.interpolate == 1:
        raise MerError("preprocess.interpolate=1 leaves one frame, which has no motion; use 0 (off) or 2 and more")
