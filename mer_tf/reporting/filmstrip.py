"""A clip as a strip of frames, with its difference from the onset below: what there was to see."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from mer_tf.arrays import evenly
from mer_tf.preprocessing.pictures import replace_picture

SHOWN = 8
GAIN = 4


def filmstrip(frames: np.ndarray, path: Path) -> Path:
    """JPEG of up to 8 frames evenly spaced in time; below, each minus the first, times 4, about grey.

    frames: uint8 RGB (T, S, S, 3).
    """
    numbers = evenly(len(frames), SHOWN)
    shown = frames[numbers].astype(float)
    moved = np.clip(128 + GAIN * (shown - shown[:1]), 0, 255)
    strip = np.vstack([np.hstack(list(shown)), np.hstack(list(moved))]).astype(np.uint8)
    picture = np.vstack([_ruler(numbers, frames.shape[1]), strip])
    return replace_picture(path, picture, [cv2.IMWRITE_JPEG_QUALITY, 88])


def _ruler(numbers: np.ndarray, side: int) -> np.ndarray:
    """Frame numbers above the frames, white on a grey that fits light paper and dark."""
    bar = np.full((16, side * len(numbers), 3), 64, np.uint8)
    for place, number in enumerate(numbers):
        cv2.putText(
            bar, f"{number}", (place * side + 3, 12), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (255, 255, 255), 1, cv2.LINE_AA
        )
    return bar
