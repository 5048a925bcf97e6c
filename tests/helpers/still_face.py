"""A face that does not move, before a noisy camera."""

from pathlib import Path

import cv2
import numpy as np
from skimage.data import astronaut

from helpers.rows import written_row
from mer_tf.config import Preprocess
from mer_tf.preprocessing.flow import Method
from mer_tf.records.clip import process_clip

PHOTO = cv2.cvtColor(astronaut()[:260, 80:380], cv2.COLOR_RGB2BGR)


def stays_still(root: Path, method: Method, size: int) -> None:
    """One map a clip adds no jitter: what flow is left is the noise's, below .05 px of 96 over the face as a whole."""
    rng = np.random.default_rng(0)
    frames = [np.clip(PHOTO + rng.normal(0, 2, PHOTO.shape), 0, 255).astype(np.uint8) for _ in range(4)]
    record = process_clip(written_row(root, frames), Preprocess(flow=method, size=size))
    assert record.flow is not None
    inner, limit = record.flow[:, 8:-8, 8:-8].astype(float), 0.05 * size / 96
    assert np.abs(inner.mean(axis=(1, 2))).max() < limit
    assert np.hypot(*np.moveaxis(inner, -1, 0)).mean() < limit
