"""Picture files, written with the reason of the system when it refuses: OpenCV tells success or not, and no more."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from mer_tf.config import MerError
from mer_tf.files import atomic

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
INNER = "pictures"
"""Text of a figure's PNG: the boxes of the pictures in it, as JSON [[left, top, right, bottom], ...] in pixels. All
around them is paper and ink, which a dark page may exchange."""


def write_picture(path: Path, picture: NDArray[np.uint8], options: Sequence[int] = ()) -> None:
    """One RGB or grey picture in the format of the suffix; `options` are OpenCV's. `MerError` when it cannot be."""
    try:
        _, data = cv2.imencode(path.suffix, picture[..., ::-1] if picture.ndim == 3 else picture, list(options))
    except cv2.error as error:
        raise MerError(f"{path}: not a name of a picture that OpenCV writes ({error.err}); end it in .png") from error
    try:
        path.write_bytes(data)
    except OSError as error:
        mend = "make room on the disk" if error.errno in FULL else "write to another folder, or mend this one"
        raise MerError(f"{path}: cannot be written ({error.strerror}); {mend}") from error


def replace_picture(path: Path, picture: NDArray[np.uint8], options: Sequence[int] = ()) -> Path:
    """`write_picture`, whole or not at all; return the path."""
    with atomic(path) as part:
        write_picture(part, picture, options)
    return path
