"""Face detection on a photograph, and the maps that follow from it."""

from __future__ import annotations

from itertools import product

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from skimage.data import astronaut

from mer_tf.config import MerError
from mer_tf.preprocessing.faces import (
    ALIGNED_BY,
    TEMPLATE,
    Face,
    detect_face,
    face_transform,
    similarity,
    warp,
)
from mer_tf.preprocessing.mtcnn import FACTOR, WINDOW, face_detector, if_any

PHOTO = astronaut()


@pytest.fixture(scope="module")
def face() -> Face:
    found = detect_face(PHOTO, 40)
    assert found is not None
    return found


def test_the_face_of_the_photograph(face: Face) -> None:
    left_eye, right_eye, nose, left_mouth, right_mouth = face.landmarks
    assert left_eye[0] < nose[0] < right_eye[0]
    assert left_mouth[0] < right_mouth[0]
    assert max(left_eye[1], right_eye[1]) < nose[1] < min(left_mouth[1], right_mouth[1])
    np.testing.assert_allclose(face.box, (180, 65, 85, 108), atol=6)
    np.testing.assert_array_equal(face.landmarks, np.round(face.landmarks, 2))


@pytest.mark.parametrize("min_face", [40, 80])
def test_the_face_is_found_from_a_smallest_face_that_shrinks_the_first_level(min_face: int) -> None:
    found = detect_face(PHOTO, min_face)
    assert found is not None
    np.testing.assert_allclose(found.box, (180, 65, 85, 108), atol=4)
    np.testing.assert_allclose(found.landmarks, [(204, 100), (246, 102), (225, 127), (201, 139), (245, 141)], atol=3)


def test_the_first_network_sees_levels_down_to_its_window_and_none_below(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    proposals = face_detector().stages[0]
    network = proposals.model
    monkeypatch.setattr(proposals, "_model", lambda images: seen.append(min(images.shape[1:3])) or network(images))
    for height, width, min_face in product((8, 11, 12, 13, 20, 47), (12, 19, 200), (12, 14, 20, 40)):
        seen.clear()
        assert detect_face(np.zeros((height, width, 3), np.uint8), min_face) is None
        assert bool(seen) == (min(height, width) >= min_face)
        assert not seen or WINDOW <= min(seen) < (WINDOW + 1) / FACTOR


def test_networks_are_not_asked_about_no_proposals() -> None:
    """A batch of no images fails in TensorFlow on some processors and not on others."""
    refused = if_any(lambda **_: pytest.fail("was asked"))
    assert refused(bboxes_batch=np.empty((0, 6)), images_normalized=None).shape == (0, 6)
    asked = if_any(lambda bboxes_batch, images_normalized: bboxes_batch + images_normalized)
    assert asked(bboxes_batch=np.ones((1, 6)), images_normalized=1).tolist() == [[2] * 6]


def test_a_face_that_fills_a_large_image_is_found_from_a_small_smallest_face() -> None:
    big = cv2.resize(PHOTO[20:220, 120:320], None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
    found = detect_face(np.asarray(big, np.uint8), 14)
    assert found is not None
    assert found.box[3] > 300


def test_a_face_below_the_smallest_does_not_count() -> None:
    assert detect_face(PHOTO, 150) is None


def test_the_larger_of_two_faces_is_taken() -> None:
    part = PHOTO[20:220, 120:320]
    small = cv2.resize(part, (100, 100), interpolation=cv2.INTER_AREA)
    scene = np.full((220, 340, 3), 128, np.uint8)
    scene[10:110, 5:105], scene[10:210, 130:330] = small, part
    found = detect_face(scene, 30)
    assert found is not None
    assert found.box[0] > 130


@pytest.mark.parametrize("shape", [(200, 300, 3), (20, 20, 3), (8, 500, 3)])
def test_no_face_is_none(shape: tuple[int, int, int]) -> None:
    assert detect_face(np.zeros(shape, np.uint8), 40) is None
    assert detect_face(np.random.default_rng(0).integers(0, 256, shape, np.uint8), 20) is None


def apply(matrix: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    return points @ matrix[:, :2].T + matrix[:, 2]


def test_a_similarity_is_recovered_without_reflection() -> None:
    points = TEMPLATE[list(ALIGNED_BY)] * 100
    turn = 2.5 * np.array([[np.cos(0.3), -np.sin(0.3)], [np.sin(0.3), np.cos(0.3)]])
    matrix = similarity(points, points @ turn.T + (7, -3))
    np.testing.assert_allclose(matrix, np.column_stack([turn, (7, -3)]), atol=1e-9)
    mirrored = similarity(points, points * (-1, 1))
    assert np.linalg.det(mirrored[:, :2]) > 0
    with pytest.raises(MerError, match="one point"):
        similarity(np.ones((4, 2)), points)


def test_align_puts_level_eyes_and_mouth_where_the_template_has_them(face: Face) -> None:
    turned = cv2.warpAffine(PHOTO, cv2.getRotationMatrix2D((224, 118), 20, 1.3), (512, 512))
    for frame in (PHOTO, np.asarray(turned, np.uint8)):
        found = detect_face(frame, 40)
        assert found is not None
        points = apply(face_transform(found, "align", 96, 0.1, frame.shape[:2]), found.landmarks) / 96
        eyes, mouth = points[:2], points[3:]
        assert abs(eyes[0, 1] - eyes[1, 1]) < 0.03
        assert eyes[:, 1].mean() == pytest.approx(0.35, abs=0.05)
        assert mouth[:, 1].mean() == pytest.approx(0.72, abs=0.05)
        assert points[:, 0].mean() == pytest.approx(0.5, abs=0.04)


def test_crop_is_the_square_about_the_box_with_its_margin() -> None:
    face = Face(np.array([100.0, 50.0, 40.0, 60.0]), 1.0, np.zeros((5, 2)))
    matrix = face_transform(face, "crop", 72, 0.1, (200, 300))
    corners = apply(matrix, np.array([[120 - 36 - 0.5, 80 - 36 - 0.5], [120 + 36 - 0.5, 80 + 36 - 0.5]]))
    np.testing.assert_allclose(corners, [[-0.5, -0.5], [71.5, 71.5]], atol=1e-9)
    with pytest.raises(MerError, match="needs a face"):
        face_transform(None, "crop", 72, 0.1, (200, 300))


def test_none_keeps_the_whole_frame() -> None:
    frame = np.zeros((60, 120, 3), np.uint8)
    frame[:30, :60] = 200
    small = warp(frame, face_transform(None, "none", 32, 0.1, (60, 120)), 32)
    assert small[:14, :14].min() == 200
    assert small[18:].max() == 0
    assert small[:, 18:].max() == 0


def test_an_unchanged_size_is_the_same_picture() -> None:
    square = np.asarray(PHOTO[:96, :96], np.uint8)
    np.testing.assert_array_equal(warp(square, face_transform(None, "none", 96, 0.0, (96, 96)), 96), square)


def test_shrinking_does_not_alias() -> None:
    """Stripes finer than the new grid must become grey; sampled without a blur they become coarse false stripes."""
    stripes = np.zeros((400, 400, 3), np.uint8)
    stripes[:, ::3] = 255
    matrix = face_transform(None, "none", 96, 0.0, (400, 400))
    plain = cv2.warpAffine(stripes, matrix, (96, 96), flags=cv2.INTER_LINEAR)
    assert plain[8:-8, 8:-8].std() > 50
    assert warp(stripes, matrix, 96)[8:-8, 8:-8].std() < 6


def test_a_part_of_a_large_frame_warps_as_the_whole_would() -> None:
    """Only the footprint is blurred and warped; padding the frame far away must not change a byte."""
    matrix = similarity(np.array([[200.0, 100], [250, 100], [225, 150]]), np.array([[30.0, 30], [62, 32], [46, 60]]))
    padded = np.asarray(cv2.copyMakeBorder(PHOTO, 300, 0, 500, 0, cv2.BORDER_CONSTANT), np.uint8)
    shifted = matrix.copy()
    shifted[:, 2] -= matrix[:, :2] @ (500, 300)
    difference = warp(PHOTO, matrix, 96).astype(int) - warp(padded, shifted, 96)
    assert np.abs(difference).max() <= 1
