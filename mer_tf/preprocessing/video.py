"""Video files to frames through OpenCV. Frames are numbered from 0 in decoding order."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from mer_tf.config import MerError

SUFFIXES = frozenset({".mp4", ".avi", ".mkv", ".mov", ".webm"})


@dataclass(frozen=True)
class VideoInfo:
    """What a video file holds: frames that decode, and frames a second as its container states them."""

    frames: int
    fps: float


def probe_video(path: Path) -> VideoInfo:
    """Count the frames by decoding them all, since headers lie; `MerError` for no frame or no frame rate."""
    with _opened(path) as capture:
        fps = float(capture.get(cv2.CAP_PROP_FPS))
        frames = 0
        while capture.grab():
            frames += 1
    if not frames:
        raise MerError(f"{path}: holds no frame that decodes; convert it again, e.g. to MP4 with H.264")
    if not (math.isfinite(fps) and fps > 0):
        raise MerError(f"{path}: the container states no frame rate; convert it again with one")
    return VideoInfo(frames, fps)


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
    capture = cv2.VideoCapture(str(path))
    try:
        if not capture.isOpened():
            raise MerError(f"{path}: OpenCV cannot open this video; is it whole, and of a known format?")
        yield capture
    finally:
        capture.release()
