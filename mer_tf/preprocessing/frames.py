"""Frame folders and videos to arrays: RGB uint8, in the order of the number in the file name."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from mer_tf.config import MerError

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


def _number(path: Path) -> int:
    digits = re.findall(r"\d+", path.stem)
    if not digits:
        raise MerError(f"{path}: no frame number in the file name; rename it, e.g. to reg_image001{path.suffix}")
    return int(digits[-1])
