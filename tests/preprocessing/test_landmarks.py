"""Landmarks carried by five points, and a landmark network from an ONNX file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mer_tf.config import MerError
from mer_tf.preprocessing.faces import Face, detect_face
from mer_tf.preprocessing.landmarks import (
    FIVE,
    canonical_landmarks,
    carried_landmarks,
    fitted_face,
    fitted_transform,
    load_landmark_model,
    mapped,
)
from mer_tf.synthetic.faces import clip as synthetic_clip
from mer_tf.synthetic.trees.smic import draw, smic_clips

KNOWN = {
    "brow_outer_left": 17, "brow_inner_left": 21, "brow_inner_right": 22, "brow_outer_right": 26, "nose_tip": 30,
    "nose_wing_left": 31, "nose_wing_right": 35, "eye_outer_left": 36, "eye_inner_left": 39, "eye_inner_right": 42,
    "eye_outer_right": 45, "mouth_corner_left": 48, "mouth_top": 51, "mouth_corner_right": 54, "mouth_bottom": 57,
}  # fmt: skip


def number(value: int) -> bytes:
    """A protocol buffer's variable-length integer."""
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def field(key: int, value: int | bytes | str) -> bytes:
    if isinstance(value, int):
        return number(key << 3) + number(value)
    data = value.encode() if isinstance(value, str) else value
    return number(key << 3 | 2) + number(len(data)) + data


def constant_network(path: Path, answer: np.ndarray, side: int) -> Path:
    """An ONNX file of a network that gives `answer` for any picture: a linear layer of biases alone."""

    def tensor(name: str, values: np.ndarray) -> bytes:
        dims = b"".join(field(1, n) for n in values.shape)
        return dims + field(2, 1) + field(8, name) + field(9, values.astype("<f4").tobytes())

    def described(name: str, shape: tuple[int, ...]) -> bytes:
        dims = b"".join(field(1, field(1, n)) for n in shape)
        return field(1, name) + field(2, field(1, field(1, 1) + field(2, dims)))

    def node(kind: str, inputs: list[str], output: str) -> bytes:
        return b"".join(field(1, i) for i in inputs) + field(2, output) + field(4, kind)

    graph = field(1, node("GlobalAveragePool", ["x"], "p")) + field(1, node("Flatten", ["p"], "f"))
    graph += field(1, node("Gemm", ["f", "w", "b"], "y")) + field(2, "g")
    graph += field(5, tensor("w", np.zeros((3, answer.size)))) + field(5, tensor("b", answer.ravel()))
    graph += field(11, described("x", (1, 3, side, side))) + field(12, described("y", (1, answer.size)))
    path.write_bytes(field(1, 7) + field(7, graph) + field(8, field(2, 13)))
    return path


def test_the_canonical_face_comes_back_at_its_own_five_points() -> None:
    np.testing.assert_allclose(carried_landmarks(FIVE * 96), canonical_landmarks() * 96, atol=1e-6)


def test_landmarks_follow_a_similarity_and_a_smile() -> None:
    turn = np.array([[0.9, -0.3], [0.3, 0.9]])
    np.testing.assert_allclose(
        carried_landmarks(FIVE @ turn.T * 50 + 7), canonical_landmarks() @ turn.T * 50 + 7, atol=1e-6
    )
    wide = FIVE * 96 + np.array([[0, 0], [0, 0], [0, 0], [-4, 0], [4, 0]])
    moved = carried_landmarks(wide) - canonical_landmarks() * 96
    assert moved[48, 0] < -2.5
    assert moved[54, 0] > 2.5
    assert np.abs(moved[36:48]).max() < 1.5  # the eyes hardly follow


def test_error_on_drawn_faces_whose_landmarks_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Held to the docstring: .030 of the distance between the outer corners of the eyes; these subjects are new."""
    monkeypatch.setattr(synthetic_clip, "LABELS", {"negative": "ne", "positive": "po"})  # no other class is looked at
    errors = []
    for clip in smic_clips(subjects=4, clips_per_class=1, seed=11):
        if clip.label != "positive":
            continue
        onset = next(iter(draw(clip)))
        face = detect_face(onset, 40)
        assert face is not None
        found = carried_landmarks(face.landmarks)
        true = clip.neutral.points
        unit = np.linalg.norm(true["eye_outer_left"] - true["eye_outer_right"])
        errors.append([np.linalg.norm(found[i] - true[name]) / unit for name, i in KNOWN.items()])
    assert len(errors) == 4
    assert np.mean(errors) < 0.035
    assert np.max(errors) < 0.12


@pytest.mark.parametrize(("points", "size"), [(68, 2), (468, 3), (478, 3)])
def test_a_network_places_the_points_in_the_face_box(tmp_path: Path, points: int, size: int) -> None:
    rng = np.random.default_rng(points)
    answer = rng.uniform(0.1, 0.9, (points, size))
    face = Face(np.array([20.0, 30.0, 40.0, 60.0]), 0.99, np.zeros((5, 2)))
    frame = rng.integers(0, 256, (120, 100, 3), np.uint8)
    wanted = answer[:, :2] if points == 68 else mapped(answer[:, :2], 68)
    expected = wanted * 90 + [40 - 45, 60 - 45]  # the square of 60 x 1.5 about the middle of the box
    for name, scale in (("shares", 1.0), ("pixels", 192.0)):
        path = constant_network(tmp_path / f"{name}.onnx", answer * scale, 192)
        found = load_landmark_model(path)(frame, face)
        assert found.shape == (68, 2)
        np.testing.assert_allclose(found, expected, atol=1e-3)


def test_bad_models_and_bad_points_are_refused(tmp_path: Path) -> None:
    with pytest.raises(MerError, match="no such landmark model"):
        load_landmark_model(tmp_path / "none.onnx")
    (tmp_path / "text.onnx").write_text("no network")
    with pytest.raises(MerError, match="cannot read this"):
        load_landmark_model(tmp_path / "text.onnx")
    with pytest.raises(MerError, match="gives 10 numbers"):
        load_landmark_model(constant_network(tmp_path / "five.onnx", np.zeros((5, 2)), 192))
    with pytest.raises(MerError, match="five points"):
        carried_landmarks(np.zeros((68, 2)))


def test_the_map_from_the_mesh_has_a_point_for_each_landmark() -> None:
    which = mapped(np.stack([np.arange(478.0), np.zeros(478)], axis=1), 68)[:, 0]
    assert len(set(which)) == 68
    assert which.max() < 468
    assert (which[36], which[45], which[30]) == (33, 263, 4)  # outer corners of the eyes, tip of the nose


def test_five_points_are_the_middles_of_the_eyes_the_nose_and_the_mouth_corners() -> None:
    points = np.random.default_rng(0).uniform(0, 9, (68, 2))
    expected = [points[36:42].mean(axis=0), points[42:48].mean(axis=0), *points[[30, 48, 54]]]
    np.testing.assert_allclose(mapped(points, 5), expected)
    face = fitted_face(canonical_landmarks() * 96, 0.9)
    assert np.abs(face.landmarks / 96 - FIVE).max() < 0.04  # near where MTCNN sees them
    np.testing.assert_allclose(face.box, [13.54, 4.7, 68.45, 86.02], atol=0.01)
    np.testing.assert_allclose(fitted_transform(canonical_landmarks() * 96 - 0.5, 96), np.eye(2, 3), atol=1e-9)
