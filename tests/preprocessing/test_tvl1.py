"""TV-L1 of many pairs at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers.still_face import stays_still
from skimage.data import astronaut

from mer_tf.preprocessing import tvl1
from mer_tf.preprocessing.flow import flow_clip
from mer_tf.preprocessing.tvl1 import tvl1_clip, tvl1_pairs

PAIRS = 4


@pytest.fixture(autouse=True, scope="module")
def fewer_at_once() -> Iterator[None]:
    """Programs of four pairs at once, not of 32: they are as soon past one batch."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tvl1, "PAIRS", PAIRS)
        tvl1._program.cache_clear()
        yield
    tvl1._program.cache_clear()


@pytest.fixture(scope="module")
def frames() -> np.ndarray:
    """A face of 41 x 41 pixels, an odd size, that moves by (.4, .2) pixels a frame."""
    face = astronaut()[:246, 60:306]
    moves = [np.array([[1, 0, 2.4 * t], [0, 1, 1.2 * t]], np.float32) for t in range(PAIRS + 4)]
    large = [cv2.warpAffine(face, m, (246, 246), borderMode=cv2.BORDER_REPLICATE) for m in moves]
    return np.stack([cv2.resize(image, (41, 41), interpolation=cv2.INTER_AREA) for image in large])


@pytest.mark.slow
def test_equals_scikit_image_from_frame_to_frame_and_past_one_batch(frames: np.ndarray) -> None:
    ours = tvl1_clip(frames)
    assert ours.shape == (PAIRS + 3, 41, 41, 2)
    assert ours.dtype == np.float16
    chosen = [0, 1, PAIRS - 1, PAIRS, PAIRS + 2]
    reference = np.concatenate([flow_clip(frames[t : t + 2], "tvl1") for t in chosen])
    assert np.abs(ours[chosen].astype(float) - reference).mean() < 1e-3


def test_equals_scikit_image_from_the_onset(frames: np.ndarray) -> None:
    ours, reference = tvl1_clip(frames[:5], "onset"), flow_clip(frames[:5], "tvl1", "onset")
    assert np.abs(ours.astype(float) - reference).mean() < 1e-3
    assert np.allclose(np.median(ours[-1].astype(float), axis=(0, 1)), (1.6, 0.8), atol=0.15)


def test_a_pair_does_not_depend_on_its_company(frames: np.ndarray) -> None:
    greys = frames[..., 1]
    many = tvl1_pairs(greys[:6], greys[1:7])
    assert np.array_equal(many[3:4], tvl1_pairs(greys[3:4], greys[4:5]))


def test_a_still_face_with_noise_stays_still_after_alignment(tmp_path: Path) -> None:
    stays_still(tmp_path, "tvl1", 41)
