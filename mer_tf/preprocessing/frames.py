"""Frame files: in the order of the number in their name, decoded to RGB uint8."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from mer_tf.config import MerError
from mer_tf.preprocessing.integrity import fault

Frame = NDArray[np.uint8]
SUFFIXES = frozenset({".bmp", ".jpg", ".jpeg", ".png"})


@dataclass(frozen=True)
class FrameFile:
    """One frame on disk and the last integer of its name, the camera's frame number."""

    number: int
    path: Path


def list_frames(folder: Path) -> list[FrameFile]:
    """Image files of a folder by the last integer of their name; `MerError` for none, no number, or a repeated one.

    Hidden files are passed over: macOS leaves a `._img001.jpg` beside each frame it copies.
    """
    shown = (p for p in sorted(folder.iterdir()) if not p.name.startswith("."))
    frames = [FrameFile(_number(p), p) for p in shown if p.suffix.lower() in SUFFIXES]
    if not frames:
        raise MerError(f"{folder}: holds no frame ({', '.join(sorted(SUFFIXES))})")
    if repeated := [n for n, count in Counter(f.number for f in frames).items() if count > 1]:
        raise MerError(f"{folder}: frame number {repeated[0]} occurs more than once; remove one of the files")
    return sorted(frames, key=lambda f: f.number)


def read_frame(path: Path) -> Frame:
    """One image file as uint8 (H, W, 3) RGB; grey is repeated, of 16 bits the upper 8 are kept, alpha is dropped.

    Pixels stay as stored (no EXIF rotation). A missing, empty, truncated or foreign file is a `MerError` that names it.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise MerError(f"{path}: cannot be read ({error.strerror})") from error
    if reason := fault(data):
        raise MerError(f"{path}: {reason}; copy the file again from its source")
    frame = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION)
    if frame is None:
        raise MerError(f"{path}: does not decode as an image; copy the file again from its source")
    return np.asarray(frame, np.uint8)


def _number(path: Path) -> int:
    digits = re.findall(r"\d+", path.stem)
    if not digits:
        raise MerError(f"{path}: no frame number in the file name; rename it, e.g. to reg_image001{path.suffix}")
    return int(digits[-1])
