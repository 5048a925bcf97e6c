"""Videos as OpenCV writes them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
import pytest


def write_video(path: Path, pictures: Iterable[np.ndarray], code: str = "MJPG", fps: float = 25.0) -> Path:
    """BGR pictures of one size; the test is skipped where OpenCV writes no such video."""
    held = list(pictures)
    size = held[0].shape[1::-1] if held else (64, 48)
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*code), fps, size)
    if not writer.isOpened():
        pytest.skip(f"OpenCV writes no {code} in a {path.suffix} here")
    for picture in held:
        writer.write(picture)
    writer.release()
    return path


def greys(count: int, step: int = 20) -> list[np.ndarray]:
    """Pictures of 64 x 48 pixels, each of one grey value, `step` brighter than the one before."""
    return [np.full((48, 64, 3), step * number, np.uint8) for number in range(count)]
