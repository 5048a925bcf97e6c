"""Any tree of clips: the folders of frames and the video files below a path."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from mer_tf.config import MerError
from mer_tf.datasets.adapters.listing import subfolders
from mer_tf.files import hidden
from mer_tf.preprocessing.containers import is_video
from mer_tf.preprocessing.frame_names import SUFFIXES as PICTURES
from mer_tf.preprocessing.video import SUFFIXES as VIDEOS

LEAST = 2
"""Pictures in a folder that is a clip."""


def is_clip_video(path: Path) -> bool:
    """Whether a file is a video, by its name or by what it holds."""
    return path.suffix.lower() in VIDEOS or is_video(path)


def clips_below(path: Path) -> list[Path]:
    """Folders of two or more pictures, and videos, at or below `path`, sorted; `MerError` when there is no such path.

    A folder of pictures is one clip: what lies deeper in it is not looked at.
    """
    if not path.exists():
        raise MerError(f"{path}: no such file or folder; give a folder of frames, a video, or a folder of these")
    if path.is_file():
        return [path] if is_clip_video(path) else []
    return sorted(_found(path))


def _found(folder: Path) -> Iterator[Path]:
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries if not hidden(entry.name) and entry.is_file()]
    if sum(Path(name).suffix.lower() in PICTURES for name in names) >= LEAST:
        yield folder
        return
    yield from (folder / name for name in names if Path(name).suffix.lower() in VIDEOS)
    for inner in subfolders(folder):
        yield from _found(inner)
