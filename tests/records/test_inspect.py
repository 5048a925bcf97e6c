"""A look at the records, and what a damaged shard is told by."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers.tiny_clips import TINY

from mer_tf.datasets.manifest import ClipRow
from mer_tf.records.inspect import check, describe, write_face_sheet
from mer_tf.records.write import write_records

SHARD = "shard-00001-of-00003.tfrecord"


@pytest.fixture
def directory(rows: list[ClipRow], tmp_path: Path) -> Path:
    return write_records(rows, TINY, tmp_path / "out", progress=False)


def test_describe_counts(directory: Path) -> None:
    text = describe(directory)
    assert "6 clips, 33 frames, 3 shards" in text
    assert "size=16" in text
    negative = next(line for line in text.splitlines() if "negative" in line)
    assert negative.split() == ["toy", "negative", "3", "3", "5", "6.7", "8"]


def test_equal_clips_are_said(rows: list[ClipRow], tmp_path: Path) -> None:
    copy = dataclasses.replace(rows[0], clip_id="toy/copy", subject="toy/s9")
    text = describe(write_records([*rows, copy], TINY, tmp_path / "out", progress=False))
    assert "toy/c05 = toy/copy" in text


@pytest.mark.parametrize("place", [0.001, 0.2, 0.5, 0.999])
def test_a_flipped_bit_is_found(directory: Path, place: float) -> None:
    assert check(directory, progress=False) == []
    path = directory / SHARD
    data = bytearray(path.read_bytes())
    data[int(len(data) * place)] ^= 0x10
    path.write_bytes(data)
    faults = check(directory, progress=False)
    assert faults
    assert all(SHARD in fault for fault in faults)
    assert any("SHA-256" in fault for fault in faults)


def test_a_truncated_shard_is_found(directory: Path) -> None:
    path = directory / SHARD
    path.write_bytes(path.read_bytes()[:-100])
    faults = check(directory, progress=False)
    assert any(SHARD in fault and "after 1 of 2 clips" in fault for fault in faults)


def test_an_index_that_lies_is_found(directory: Path) -> None:
    path = directory / "index.json"
    index = json.loads(path.read_text())
    index["clips"][0]["content_sha256"] = "0" * 64
    index["clips"][1]["n_frames"] = 99
    index["clips"][4]["clip_id"] = "toy/other"
    del index["clips"][5]
    path.write_text(json.dumps(index))
    text = "\n".join(check(directory, progress=False))
    for part in ("pixels differ", "not (99, 16, 16, 3)", "is toy/c04", "holds 2 clips, the index says 1"):
        assert part in text


def test_the_face_sheet_shows_every_clip(directory: Path, tmp_path: Path) -> None:
    sheet = cv2.imread(str(write_face_sheet(directory, tmp_path / "sheet.png")))
    assert sheet is not None
    assert sheet.shape[0] >= 178
    assert sheet.shape[1] >= 320
    tiles = [sheet[:160, x : x + 160] for x in range(0, 320, 160)]
    assert all(np.std(tile) > 10 for tile in tiles)
