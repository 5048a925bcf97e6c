"""The frames of a manifest row, from its folder or its video."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mer_tf.config import MerError
from mer_tf.datasets.manifest import ClipRow
from mer_tf.files import inside
from mer_tf.preprocessing.frame_names import thinned
from mer_tf.preprocessing.frames import Frame, FrameFile, list_frames, read_frames
from mer_tf.preprocessing.video import iter_by_time, iter_video

log = logging.getLogger(__name__)


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


def clip_files(row: ClipRow) -> list[Path]:
    """The pictures of a clip in a folder, by number."""
    return [file.path for file in _files(row)]


def _files(row: ClipRow) -> list[FrameFile]:
    return [f for f in list_frames(row.source()) if row.onset <= f.number <= row.offset]


def _from_folder(row: ClipRow) -> Iterator[tuple[int, str, Frame]]:
    """Frames whose number lies within onset and offset; gaps in the numbers are data as they are, but said."""
    files = _files(row)
    wanted = row.offset - row.onset + 1
    if len(files) < wanted and not thinned([f.number for f in files], row.onset, row.offset):
        log.warning("clip %s: %d of %d frames are there", row.clip_id, len(files), wanted)
    for file in files:
        if file.path.is_symlink():
            inside(Path(row.root), str(file.path), f"clip {row.clip_id}", row.links)
    for file, frame in zip(files, read_frames([f.path for f in files]), strict=True):
        yield file.number, str(file.path), frame


def _from_video(row: ClipRow) -> Iterator[tuple[int, str, Frame]]:
    path = row.source()
    by_time = row.sampling == "time"
    frames = iter_by_time(path, row.fps, row.onset, row.offset) if by_time else iter_video(path, row.onset, row.offset)
    for number, frame in frames:
        yield number, f"{path} frame {number}", frame


def _size(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"
