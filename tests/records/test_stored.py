"""Records read without TensorFlow are those that it reads, bit for bit, and only as far as they are asked for."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from helpers.tensorflow_reader import tensorflow_clips
from helpers.tiny_clips import TINY, make_rows
from hypothesis import given
from hypothesis import strategies as st

from mer_tf.config import MerError
from mer_tf.records import wire
from mer_tf.records.clip import process_clip
from mer_tf.records.stored import stored_clips
from mer_tf.records.write import write_records


@pytest.mark.parametrize("kind", ["raw", "png"])
def test_clips_are_those_of_tensorflow(tmp_path: Path, kind: str) -> None:
    config = replace(TINY, image_format=kind)  # type: ignore[arg-type]
    directory = write_records(make_rows(tmp_path / "source"), config, tmp_path, progress=False)
    found = list(stored_clips(directory, flow=True))
    for clip, wanted in zip(found, tensorflow_clips(directory), strict=True):
        assert clip.clip_id == wanted["clip_id"].decode()
        assert clip.content_sha256 == wanted["content_sha256"].decode()
        for part in ("frames", "flow", "frame_numbers"):
            assert getattr(clip, part).dtype == wanted[part].dtype
            np.testing.assert_array_equal(getattr(clip, part), wanted[part])
    assert next(stored_clips(directory)).flow is None


def test_clips_come_whole_and_in_index_order(tmp_path: Path) -> None:
    rows = make_rows(tmp_path / "source")
    sources = {r.clip_id: process_clip(r, TINY) for r in rows}
    clips = list(stored_clips(write_records(rows, TINY, tmp_path, progress=False), flow=True))
    assert len(clips) == 6
    assert [c.clip_id for c in clips] == sorted(sources)
    for clip in clips:
        np.testing.assert_array_equal(clip.frames, sources[clip.clip_id].frames)
        np.testing.assert_array_equal(clip.flow, sources[clip.clip_id].flow)


def test_flow_that_is_not_there_is_refused(tmp_path: Path) -> None:
    bare = replace(TINY, flow="none")
    directory = write_records(make_rows(tmp_path / "source", 2), bare, tmp_path, progress=False)
    with pytest.raises(MerError, match="holds no flow"):
        list(stored_clips(directory, flow=True))


def test_records_of_some_places_are_read_alone(tmp_path: Path) -> None:
    said = [b"a" * 5, b"", b"c" * 300]
    with tf.io.TFRecordWriter(str(tmp_path / "x")) as writer:
        for record in said:
            writer.write(record)
    assert list(wire.records(tmp_path / "x")) == said
    assert list(wire.records(tmp_path / "x", frozenset({2}))) == said[2:]
    data = (tmp_path / "x").read_bytes()
    for end in (3, 14, 20, len(data) - 1):
        (tmp_path / "cut").write_bytes(data[:end])
        with pytest.raises(ValueError, match="ends within a record"):
            list(wire.records(tmp_path / "cut"))


@given(st.lists(st.integers(-(2**63), 2**63 - 1)), st.lists(st.binary()))
def test_an_example_is_that_of_tensorflow(numbers: list[int], texts: list[bytes]) -> None:
    kinds = {
        "numbers": tf.train.Feature(int64_list=tf.train.Int64List(value=numbers)),
        "texts": tf.train.Feature(bytes_list=tf.train.BytesList(value=texts)),
    }
    record = tf.train.Example(features=tf.train.Features(feature=kinds)).SerializeToString()
    found = wire.example(record)
    assert found["numbers"] == numbers
    assert [bytes(text) for text in found["texts"]] == texts


@given(st.binary(max_size=60))
def test_bytes_that_are_no_example_are_said_to_be_none(data: bytes) -> None:
    with suppress(ValueError, KeyError, TypeError):
        wire.example(data)
