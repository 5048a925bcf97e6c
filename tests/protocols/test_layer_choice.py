"""Where the face is in stored frames, however they were stored."""

import cv2
import numpy as np
import pytest
from skimage.data import astronaut

from mer_tf.config import MerError, Preprocess
from mer_tf.explain.regions import FACE_BOX, aligned_landmarks
from mer_tf.protocols.layer_choice import stored_landmarks

BLANK = np.zeros((2, 96, 96, 3), np.uint8)


def test_aligned_frames_hold_the_canonical_face():
    assert stored_landmarks(BLANK, Preprocess(face="align")) == pytest.approx(np.stack([aligned_landmarks(96)] * 2))


def test_a_crop_holds_its_box_within_the_margin():
    tight, wide = (stored_landmarks(BLANK, Preprocess(face="crop", margin=m))[0] for m in (0.0, 0.5))
    assert np.ptp(tight, axis=0) == pytest.approx(2 * np.ptp(wide, axis=0))
    assert wide.mean(axis=0) == pytest.approx((tight.mean(axis=0) - 48) / 2 + 48)
    assert tight.min() > -96 * FACE_BOX.min()


def test_whole_frames_are_searched_for_the_face():
    frame = cv2.resize(astronaut()[:300, 100:400], (224, 224))
    points = stored_landmarks(np.stack([frame, frame]), Preprocess(face="none"))
    eyes = points[0, 36:48].mean(axis=0)
    assert eyes == pytest.approx((92, 79), abs=12)  # between the astronaut's eyes
    with pytest.raises(MerError, match="face in 0 of 2 frames"):
        stored_landmarks(BLANK, Preprocess(face="none"))
