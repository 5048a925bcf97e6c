"""Video files to frames through OpenCV. Frames are numbered from 0 in decoding order, whatever their time, and turned
upright as the container says."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from mer_tf.config import MerError

log = logging.getLogger(__name__)

SUFFIXES = frozenset({".mp4", ".avi", ".mkv", ".mov", ".webm"})


@dataclass(frozen=True)
class VideoInfo:
    """What a video file holds: frames that decode, and frames a second as its container states them."""

    frames: int
    fps: float


def probe_video(path: Path) -> VideoInfo:
    """Count the frames by decoding them all, since headers lie; `MerError` for no frame or no frame rate.

    A variable frame rate is said in the log: the manifest knows one rate, and flow between two frames no time.
    """
    with _opened(path) as capture:
        fps = float(capture.get(cv2.CAP_PROP_FPS))
        times = []
        while capture.grab():
            times.append(float(capture.get(cv2.CAP_PROP_POS_MSEC)))
    if not times:
        raise MerError(f"{path}: holds no frame that decodes; convert it again, e.g. to MP4 with H.264")
    if not (math.isfinite(fps) and fps > 0):
        raise MerError(f"{path}: the container states no frame rate; convert it again with one")
    _say_uneven(path, np.diff(times), fps)
    return VideoInfo(len(times), fps)


def _say_uneven(path: Path, steps: NDArray[np.float64], fps: float) -> None:
    """Warn of steps in time, ms, that differ by half or more; 2 ms are the rounding of containers."""
    if len(steps) and steps.max() > max(1.5 * np.median(steps), steps.min() + 2):
        log.warning(
            "%s: variable frame rate, frames are %.0f to %.0f ms apart but counted as %g a second; convert it to a "
            "constant rate if time matters",
            path,
            steps.min(),
            steps.max(),
            fps,
        )


def iter_video(path: Path, first: int, last: int) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """Yield (number, uint8 (H, W, 3) RGB) for first <= number <= last; `MerError` when the video ends before `last`."""
    with _opened(path) as capture:
        for number in range(last + 1):
            if not capture.grab():
                raise MerError(f"{path}: ends after {number} frames, but frame {last} is wanted; is it truncated?")
            if number >= first:
                decoded, frame = capture.retrieve()
                if not decoded:
                    raise MerError(f"{path}: frame {number} does not decode")
                yield number, np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB), np.uint8)


@contextmanager
def _opened(path: Path) -> Iterator[cv2.VideoCapture]:
    if path.exists() and not path.is_file():  # a pipe never ends, and of a folder OpenCV reads numbered images
        raise MerError(f"{path}: is no file; put the video itself there")
    capture = cv2.VideoCapture(str(path))
    try:
        if not capture.isOpened():
            raise MerError(f"{path}: OpenCV cannot open this video; is it whole, and of a known format?")
        yield capture
    finally:
        capture.release()
