"""Frame files: in the order of their numbers, decoded to RGB uint8."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from mer_tf.config import MerError
from mer_tf.files import hidden
from mer_tf.preprocessing.frame_names import SUFFIXES, frame_names
from mer_tf.preprocessing.integrity import fault

log = logging.getLogger(__name__)
Frame = NDArray[np.uint8]


@dataclass(frozen=True)
class FrameFile:
    """One frame on disk and the camera's frame number, which its name states."""

    number: int
    path: Path


def list_frames(folder: Path) -> list[FrameFile]:
    """Frames of a folder by number, see `frame_names`, whose errors are this function's; what is left out is logged."""
    found = frame_names(folder)
    if said := found.said(folder):
        log.warning("%s", said)
    return [FrameFile(number, folder / name) for number, name in zip(found.numbers, found.names, strict=True)]


def image_files(folder: Path, *, deep: bool = False) -> list[Path]:
    """Image files of a folder, or of all folders below it, sorted; those of the system are passed over."""
    paths = folder.rglob("*") if deep else folder.iterdir()
    shown = (p for p in paths if not any(map(hidden, p.relative_to(folder).parts)))
    return sorted(p for p in shown if p.suffix.lower() in SUFFIXES)


def file_bytes(path: Path) -> bytes:
    """What a regular file holds; `MerError` for anything else, so that a pipe, which never ends, is not waited for."""
    try:
        if not path.is_file():
            path.stat()  # says why, unless it is there and no file
            raise MerError(f"{path}: is no file; put the image itself there")
        return path.read_bytes()
    except (OSError, ValueError) as error:
        raise MerError(f"{path}: cannot be read ({getattr(error, 'strerror', error)})") from error


def read_frame(path: Path) -> Frame:
    """One image file as uint8 (H, W, 3) RGB; grey is repeated, of 16 bits the upper 8 are kept, alpha is dropped.

    Pixels stay as stored (no EXIF rotation). A missing, empty, truncated or foreign file is a `MerError` that names it.
    """
    data = file_bytes(path)
    if reason := fault(data):
        raise MerError(f"{path}: {reason}; copy the file again from its source")
    frame = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION)
    if frame is None:
        raise MerError(f"{path}: does not decode as an image; copy the file again from its source")
    return np.asarray(frame, np.uint8)
