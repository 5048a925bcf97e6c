"""Records that are not what their index states are refused with the shard's name, whichever way they are read."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.tiny_clips import TINY, make_rows
from hypothesis import given, settings
from hypothesis import strategies as st

from mer_tf.config import MerError
from mer_tf.records.clip import ClipRecord
from mer_tf.records.index import read_index
from mer_tf.records.inspect import check
from mer_tf.records.landmarks import recorded_landmarks
from mer_tf.records.schema import clip_of
from mer_tf.records.shards import plan_shards, read_sidecar
from mer_tf.records.stored import frame_numbers, shard_clips, stored_clips
from mer_tf.records.write import write_records

FIRST, SECOND = (f"shard-0000{k}-of-00003.tfrecord" for k in (0, 1))


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return write_records(make_rows(tmp_path / "source"), TINY, tmp_path / "out", progress=False)


def swap(directory: Path) -> str:
    (directory / FIRST).rename(directory / "x")
    (directory / SECOND).rename(directory / FIRST)
    (directory / "x").rename(directory / SECOND)
    return FIRST


def double(directory: Path) -> str:
    (directory / SECOND).write_bytes((directory / FIRST).read_bytes())
    return SECOND


def flip(directory: Path) -> str:
    data = bytearray((directory / SECOND).read_bytes())
    data[len(data) // 2] ^= 4
    (directory / SECOND).write_bytes(data)
    return SECOND


def cut(directory: Path) -> str:
    (directory / FIRST).write_bytes((directory / FIRST).read_bytes()[:-50])
    return FIRST


@pytest.mark.parametrize("harm", [swap, double, flip, cut])
@pytest.mark.parametrize("read", [frame_numbers, recorded_landmarks, lambda d: list(stored_clips(d))])
def test_no_reader_takes_other_bytes(directory: Path, harm, read) -> None:
    named = harm(directory)
    with pytest.raises(MerError, match=rf"{named}: is not the file that index.json states; delete index.json and run"):
        read(directory)
    assert any(named in fault for fault in check(directory, progress=False))


def test_clips_come_by_their_ids(directory: Path) -> None:
    assert [clip.clip_id for clip in stored_clips(directory)] == [f"toy/c0{k}" for k in range(6)]
    index = json.loads((directory / "index.json").read_text())
    index["clips"][0], index["clips"][1] = index["clips"][1], index["clips"][0]
    (directory / "index.json").write_text(json.dumps(index))
    with pytest.raises(MerError, match=rf"{FIRST}: holds toy/c00 in the place of toy/c01"):
        list(stored_clips(directory))


def test_only_wanted_clips_are_decoded(directory: Path, monkeypatch) -> None:
    whole, decoded = {clip.clip_id: clip for clip in stored_clips(directory)}, []

    def watched(*options: Any, **more: Any) -> ClipRecord:
        clip = clip_of(*options, **more)
        decoded.append(clip.clip_id)
        return clip

    monkeypatch.setattr("mer_tf.records.stored.clip_of", watched)
    some = list(stored_clips(directory, wanted={"toy/c04", "toy/c01"}))
    assert [clip.clip_id for clip in some] == decoded == ["toy/c01", "toy/c04"]
    assert all(np.array_equal(clip.frames, whole[clip.clip_id].frames) for clip in some)
    assert list(stored_clips(directory, wanted=set())) == []


@pytest.mark.parametrize("keep", [0.3, 0.7, 0.99])
def test_a_broken_shard_is_named_by_the_reader_of_one_shard(directory: Path, keep: float) -> None:
    path = directory / FIRST
    path.write_bytes(path.read_bytes()[: int(keep * path.stat().st_size)])
    with pytest.raises(MerError, match=rf"{FIRST}: damaged or truncated after [01] clips .*delete index.json"):
        list(shard_clips(path, "png"))
    path.write_bytes(b"")
    assert list(shard_clips(path, "png")) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda v: [v], "holds a list"),
        (lambda v: v | {"config": v["config"] | {"size": "16"}}, "size is '16', not of type int"),
        (lambda v: v | {"config": v["config"] | {"colour": 1}}, "colour"),
        (lambda v: v | {"clips": [v["clips"][0] | {"n_frames": 8.5}]}, "n_frames is 8.5, not of type int"),
        (lambda v: v | {"clips": [v["clips"][0] | {"clip_id": None}]}, "clip_id is None"),
        (lambda v: v | {"clips": 3}, "not an index of this version"),
        (lambda v: v | {"shards": {"/etc/passwd": "0"}}, "'/etc/passwd' is not the name of a file in this directory"),
        (lambda v: v | {"shards": {"../x.tfrecord": "0"}}, "'../x.tfrecord' is not the name"),
        (lambda v: v | {"shards": {"": "0"}}, "lacks|not the name"),
        (lambda v: v | {"shards": [FIRST]}, "not an index of this version"),
        (lambda v: v | {"errors": "many"}, "not an index of this version"),
    ],
)
def test_an_index_of_other_types_is_refused(directory: Path, change, message) -> None:
    path = directory / "index.json"
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    with pytest.raises(MerError, match=message):
        read_index(directory)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=4,
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    home = tmp_path_factory.mktemp("whole")
    return write_records(make_rows(home / "source"), TINY, home / "out", progress=False)


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(
    path=st.sampled_from(
        [(), ("config",), ("config", "size"), ("clips",), ("clips", 0), ("clips", 0, "shard"), ("shards",), ("errors",)]
    ),
    value=JSON,
)
def test_any_index_is_read_or_refused(whole: Path, path, value) -> None:
    file, stored = whole / "index.json", (whole / "index.json").read_text()
    held = holder = {"": json.loads(stored)}
    key = ""
    for step in path:
        holder, key = holder[key], step
    holder[key] = value
    file.write_text(json.dumps(held[""]))
    try:
        with suppress(MerError):
            read_index(whole)
    finally:
        file.write_text(stored)


def test_a_nested_or_wrong_sidecar_is_a_shard_to_write_again(directory: Path) -> None:
    shard = plan_shards(make_rows(directory / "again"), TINY, directory)[0]
    assert read_sidecar(shard) is not None
    for text in ("[" * 100_000, "[1]", "3", '{"bytes": []}', "", "\x00"):
        shard.sidecar.write_text(text)
        assert read_sidecar(shard) is None
