"""Copies of frames that keep the expression: turned in the image plane."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


def turned(frames: np.ndarray, degrees: np.ndarray) -> np.ndarray:
    """Frames (T, H, W, 3) uint8, each turned about its centre by degrees (T,), counter-clockwise; same shape and dtype.

    Bilinear; the border is continued, not black, so that no edge appears that the face has not.
    """
    height, width = frames.shape[1:3]
    centre = ((width - 1) / 2, (height - 1) / 2)
    return np.stack(
        [
            cv2.warpAffine(
                frame,
                cv2.getRotationMatrix2D(centre, float(angle), 1.0),
                (width, height),
                flags=cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_REPLICATE,
            )
            for frame, angle in zip(frames, degrees, strict=True)
        ]
    )


def mirrored_flow_image(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Flow images (..., S, S, 3) seen in a mirror: columns reversed, and u turned about the middle of its range.

    After a stretch to 0..255 (`min_max`) that is a change of sign to the bit; a flat u, 0, becomes 255 and means rest.
    """
    seen = images[..., ::-1, :].copy()
    seen[..., 0] = 255 - seen[..., 0]
    return seen
