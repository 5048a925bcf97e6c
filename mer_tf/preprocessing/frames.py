"""Frame folders and videos to arrays: RGB uint8, in the order of the number in the file name."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from mer_tf.config import MerError
from mer_tf.preprocessing.integrity import fault
from mer_tf.preprocessing.video import iter_video

if TYPE_CHECKING:
    from mer_tf.datasets.manifest import ClipRow

log = logging.getLogger(__name__)

Frame = NDArray[np.uint8]
SUFFIXES = frozenset({".bmp", ".jpg", ".jpeg", ".png"})


@dataclass(frozen=True)
class FrameFile:
    """One frame on disk and the last integer of its name, the camera's frame number."""

    number: int
    path: Path


def list_frames(folder: Path) -> list[FrameFile]:
    """Image files of a folder by the last integer of their name; `MerError` for none, no number, or a repeated one."""
    frames = [FrameFile(_number(p), p) for p in sorted(folder.iterdir()) if p.suffix.lower() in SUFFIXES]
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
    frame = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    if frame is None:
        raise MerError(f"{path}: does not decode as an image; copy the file again from its source")
    return np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB), np.uint8)


def iter_clip(row: ClipRow) -> Iterator[tuple[int, Frame]]:
    """Yield (frame number, frame) of a clip from onset to offset, one frame in memory at a time.

    `MerError` when two frames differ in size (both are named), or when the clip has fewer than 2 frames.
    """
    count, first = 0, ("", (0, 0))
    for number, name, frame in _from_video(row) if row.video else _from_folder(row):
        size = (frame.shape[1], frame.shape[0])
        first = first if count else (name, size)
        if size != first[1]:
            raise MerError(
                f"clip {row.clip_id}: {first[0]} is {_size(first[1])} but {name} is {_size(size)}; they must be equal"
            )
        count += 1
        yield number, frame
    if count < 2:
        raise MerError(
            f"clip {row.clip_id}: {count} frame(s) between {row.onset} and {row.offset} in {row.source()}; "
            "a clip of one frame has no motion"
        )


def read_clip(row: ClipRow) -> tuple[list[Frame], NDArray[np.int64]]:
    """All frames of a clip, T of uint8 (H, W, 3), and their numbers, int64 (T,); errors as `iter_clip`."""
    pairs = list(iter_clip(row))
    return [frame for _, frame in pairs], np.array([number for number, _ in pairs], np.int64)


def _from_folder(row: ClipRow) -> Iterator[tuple[int, str, Frame]]:
    """Frames whose number lies within onset and offset; gaps in the numbers are data as they are, but said."""
    files = [f for f in list_frames(row.source()) if row.onset <= f.number <= row.offset]
    wanted = row.offset - row.onset + 1
    if len(files) < wanted:
        log.warning("clip %s: %d of %d frames are there", row.clip_id, len(files), wanted)
    for file in files:
        yield file.number, str(file.path), read_frame(file.path)


def _from_video(row: ClipRow) -> Iterator[tuple[int, str, Frame]]:
    path = row.source()
    for number, frame in iter_video(path, row.onset, row.offset):
        yield number, f"{path} frame {number}", frame


def _size(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"


def _number(path: Path) -> int:
    digits = re.findall(r"\d+", path.stem)
    if not digits:
        raise MerError(f"{path}: no frame number in the file name; rename it, e.g. to reg_image001{path.suffix}")
    return int(digits[-1])
