"""Landmarks and frame numbers of stored clips, without a pixel decoded."""

import numpy as np
import pytest

from mer_tf.config import MerError, Preprocess
from mer_tf.files import sha256
from mer_tf.preprocessing.faces import TEMPLATE, Face
from mer_tf.preprocessing.landmarks import canonical_landmarks, carried_landmarks
from mer_tf.records.clip import ClipRecord
from mer_tf.records.index import Index, IndexedClip, write_index
from mer_tf.records.landmarks import recorded_landmarks
from mer_tf.records.schema import encode
from mer_tf.records.stored import frame_numbers

SIZE = 32


def record(face):
    return ClipRecord(
        clip_id="made/c1",
        dataset="made",
        subject="made/s1",
        label_raw="x",
        fps=100.0,
        frame_numbers=np.array([7, 9, 11]),
        frames=np.zeros((3, SIZE, SIZE, 3), np.uint8),
        flow=None,
        face=face,
        detected_in=None if face is None else 7,
        transform=np.array([[0.5, 0.0, 2.0], [0.0, 0.5, -3.0]]),
    )


@pytest.fixture
def stored(tmp_path):
    """stored(face found or None, preprocess.face) -> landmarks and frame numbers of the one clip."""
    import tensorflow as tf

    def write(face, mode):
        with tf.io.TFRecordWriter(str(tmp_path / "clips.tfrecord")) as out:
            out.write(encode(record(face), "png"))
        clip = IndexedClip("made/c1", "made", "made/s1", "x", 3, 100.0, "clips.tfrecord", "0")
        config = Preprocess(face=mode, size=SIZE, flow="none")
        shards = {"clips.tfrecord": sha256(tmp_path / "clips.tfrecord")}
        write_index(Index(tmp_path, config, "m", (clip,), shards, 0, {}))
        return recorded_landmarks(tmp_path)["made/c1"], frame_numbers(tmp_path)["made/c1"]

    return write


def test_landmarks_follow_the_five_points_into_the_stored_frame(stored):
    five = (TEMPLATE * SIZE - 0.5 + np.array([[0, 0], [0, 0], [1.5, -1], [0, 0], [0, 0]]) - (2, -3)) / 0.5
    found, numbers = stored(Face(np.array([0.0, 0, 60, 60]), 1.0, five), "align")
    expected = (carried_landmarks(five * 0.5 + (2, -3)) + 0.5) / SIZE
    assert found == pytest.approx(expected)
    assert np.abs(found - canonical_landmarks()).max() < 0.15  # the nose alone was moved
    assert numbers.tolist() == [7, 9, 11]


def test_aligned_clips_without_points_have_the_canonical_face(stored):
    assert stored(None, "align")[0] == pytest.approx(canonical_landmarks())


@pytest.mark.parametrize("mode", ["none", "crop"])
def test_other_clips_without_points_are_refused(stored, mode):
    with pytest.raises(MerError, match=f"made/c1: .*preprocess.face={mode} looks for no face; use .*align or crop"):
        stored(None, mode)


def test_a_clip_is_described_by_plain_arrays(stored):
    assert [value.shape for value in stored(None, "align")] == [(68, 2), (3,)]
