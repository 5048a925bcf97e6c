"""Frame files: in the order of their numbers, decoded to RGB uint8."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from mer_tf.config import MerError
from mer_tf.files import hidden
from mer_tf.preprocessing.frame_names import SUFFIXES, frame_names
from mer_tf.preprocessing.integrity import fault, sixteen_bits, turned

log = logging.getLogger(__name__)
Frame = NDArray[np.uint8]
DEPTHS = (8, 10, 12, 14, 16)
"""Bits a pixel of cameras."""


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
            raise MerError(f"{path}: cannot be read (it is no file); put the image itself there")
        return path.read_bytes()
    except (OSError, ValueError) as error:
        raise MerError(f"{path}: cannot be read ({getattr(error, 'strerror', error)})") from error


def read_frame(path: Path) -> Frame:
    """`read_frames` of one file."""
    return next(read_frames([path]))


def read_frames(paths: Sequence[Path]) -> Iterator[Frame]:
    """The image files of one clip in turn, each as uint8 (H, W, 3) RGB; grey is repeated, alpha is dropped.

    Of 16 bits those 8 are kept that the brightest pixel of all `paths` needs, see `depth`. Pictures are turned upright
    as their EXIF says. A missing, empty, damaged or foreign file is a `MerError` that names it.
    """
    bits = 0
    for path in paths:
        values = _decoded(path)
        if values.dtype != np.uint8:
            bits = bits or depth(int(_decoded(p).max(initial=0)) for p in paths)
            values = np.right_shift(values, bits - 8, dtype=values.dtype)
        yield np.asarray(values, np.uint8)


def depth(brightest: Iterable[int]) -> int:
    """Bits a pixel that a camera used: the least of `DEPTHS` that holds the greatest value.

    One figure for all frames of a clip: a scale of each frame's own would flicker, and flow would see motion.
    """
    most = max(brightest)
    return next(bits for bits in DEPTHS if most < 2**bits)


def read_otherwise_before(paths: Sequence[Path]) -> Path | None:
    """The first image of a clip that versions before FRAMES 2 (code_version.py) read otherwise; None without one."""
    deep = []
    for path in paths:
        data = file_bytes(path)
        if turned(data):
            return path
        if sixteen_bits(data):
            deep.append(path)
    unused = deep and depth(int(_decoded(path).max(initial=0)) for path in deep) < DEPTHS[-1]
    return deep[0] if unused else None


def _decoded(path: Path) -> NDArray[np.uint8 | np.uint16]:
    """Pixels as the file has them, of 8 or 16 bits."""
    data = file_bytes(path)
    if reason := fault(data):
        raise MerError(f"{path}: {reason}; copy the file again from its source")
    try:
        frame = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB | cv2.IMREAD_ANYDEPTH)
    except cv2.error as error:
        raise MerError(f"{path}: OpenCV refuses it ({error.err}); copy the file again from its source") from error
    if frame is None or frame.dtype not in (np.uint8, np.uint16):
        raise MerError(f"{path}: does not decode as an image; copy the file again from its source")
    return cast(NDArray[np.uint8 | np.uint16], frame)
