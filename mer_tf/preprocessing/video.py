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

SLACK = 3
"""Frames by which a header may differ from what decodes."""
UNEVEN = 0.25
"""Share of the median step by which steps of one frame rate may differ."""
ROUNDED = 2.0
"""Milliseconds by which containers round."""
SUFFIXES = frozenset({".mp4", ".avi", ".mkv", ".mov", ".webm"})


@dataclass(frozen=True)
class VideoInfo:
    """What a video file holds: frames that decode, and frames a second as its container states them."""

    frames: int
    fps: float
    seconds: float
    """From the first to the last frame that decodes, by their time stamps."""
    missing: str = ""
    """What the container states and the file does not hold; "" for a whole video."""


def probe_video(path: Path, *, by_time: bool = False) -> VideoInfo:
    """Count the frames by decoding them all, since headers lie; `MerError` for no frame or no frame rate.

    A variable frame rate is said in the log, unless frames are taken `by_time`: the manifest knows one rate, and flow
    between two frames no time.
    """
    with _opened(path) as capture:
        fps, stated = float(capture.get(cv2.CAP_PROP_FPS)), int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
        times = []
        while capture.grab():
            times.append(float(capture.get(cv2.CAP_PROP_POS_MSEC)))
    if not times:
        raise MerError(f"{path}: holds no frame that decodes; convert it again, e.g. to MP4 with H.264")
    if not (math.isfinite(fps) and fps > 0):
        raise MerError(f"{path}: the container states no frame rate; convert it again with one")
    if not by_time:
        _say_uneven(path, np.diff(times), fps)
    seconds = (times[-1] - times[0]) / 1000
    return VideoInfo(len(times), fps, seconds, _missing(path, len(times), stated, seconds * fps + 1))


def _missing(path: Path, frames: int, stated: int, lasted: float) -> str:
    """A sentence on the frames a file lacks; empty when no frame is lost.

    A file lacks frames when its header states more frames than decode and its last frame, at `lasted` in frames, comes
    before the stated end. Containers count repeated frames and round, so a difference of a frame or two is no loss.
    """
    if stated - frames < SLACK or stated - lasted < SLACK:
        return ""
    return (
        f"{path}: holds {frames} of the {stated} frames that its header states, {stated - frames} are missing at its "
        "end; is it cut? copy it again"
    )


def _say_uneven(path: Path, steps: NDArray[np.float64], fps: float) -> None:
    """Warn of steps in time, ms, whose spread is more than a quarter of their median and of what containers round."""
    if len(steps) and steps.max() - steps.min() > max(UNEVEN * np.median(steps), ROUNDED):
        log.warning(
            "%s: variable frame rate, frames are %.0f to %.0f ms apart but counted as %g a second; list it by its time "
            "stamps (`mer-tf manifest --by-time FPS`), or convert it to a constant rate",
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
                yield number, _retrieved(capture, f"{path}: frame {number}")


def iter_by_time(path: Path, fps: float, first: int, last: int) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """As `iter_video`, of a video resampled: number n is the frame nearest to n / `fps` seconds after the first."""
    with _opened(path) as capture:
        wanted, start, before = first, None, None
        while wanted <= last and capture.grab():
            time = float(capture.get(cv2.CAP_PROP_POS_MSEC)) / 1000
            start = time if start is None else start
            now = (time - start, _retrieved(capture, f"{path}: a frame"))
            while wanted <= last and wanted / fps <= now[0] + 1e-6:
                nearer = now if before is None or now[0] - wanted / fps <= wanted / fps - before[0] else before
                yield wanted, nearer[1]
                wanted += 1
            before = now
    if wanted <= last:
        raise MerError(f"{path}: ends before {last / fps:g} seconds, but frame {last} of {fps:g} a second is wanted")


def _retrieved(capture: cv2.VideoCapture, what: str) -> NDArray[np.uint8]:
    """The frame just grabbed, as RGB; `what` names it in a `MerError`."""
    decoded, frame = capture.retrieve()
    if not decoded:
        raise MerError(f"{what} does not decode; convert the video again, e.g. to MP4 with H.264")
    return np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB), np.uint8)


@contextmanager
def _opened(path: Path) -> Iterator[cv2.VideoCapture]:
    if path.exists() and not path.is_file():  # a pipe never ends, and of a folder OpenCV reads numbered images
        raise MerError(f"{path}: cannot be read (it is no file); put the video itself there")
    capture = cv2.VideoCapture(str(path))
    try:
        if not capture.isOpened():
            raise MerError(f"{path}: OpenCV cannot open this video; is it whole, and of a known format?")
        yield capture
    finally:
        capture.release()
