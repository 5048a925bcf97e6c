"""Clips stored by a recipe: steps in time, flow from the onset, and a face that stays still."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers.rows import written_row
from helpers.still_face import PHOTO, stays_still

from mer_tf.config import MerError, Preprocess
from mer_tf.preprocessing.flow import Method, flow_clip, flow_pair
from mer_tf.preprocessing.recipes import load_recipe
from mer_tf.records.clip import process_clip
from mer_tf.records.schema import decode, encode


def moving(count: int) -> list[np.ndarray]:
    shifts = [np.array([[1, 0, 0.4 * t], [0, 1, 0]], np.float32) for t in range(count)]
    return [cv2.warpAffine(PHOTO, s, (300, 260), flags=cv2.INTER_CUBIC) for s in shifts]


@pytest.mark.parametrize("method", ["farneback", "dis"])
def test_a_still_face_with_noise_stays_still_after_alignment(tmp_path: Path, method: Method) -> None:
    """TV-L1's test stands in preprocessing/test_tvl1.py: it is compiled for each size, in seconds."""
    stays_still(tmp_path, method, 96)


def test_flow_from_the_onset_grows_and_round_trips(tmp_path: Path) -> None:
    settings = Preprocess(size=64, flow="dis", flow_from="onset", face="none")
    record = process_clip(written_row(tmp_path, moving(4)), settings)
    assert record.flow is not None
    steps = np.median(record.flow[..., 0], axis=(1, 2)) * 300 / 64
    assert steps == pytest.approx([0.4, 0.8, 1.2], abs=0.15)
    np.testing.assert_array_equal(record.flow[2], flow_pair(record.frames[0], record.frames[3], "dis").astype("f2"))
    again = decode(encode(record, "png"), "png")
    np.testing.assert_array_equal(again.flow, record.flow)


def test_a_recipe_with_fewer_frames_is_stored_and_read_back(tmp_path: Path) -> None:
    recipe = dataclasses.replace(load_recipe("elrcn").preprocess, size=32, flow="farneback", recipe="elrcn+")
    record = process_clip(written_row(tmp_path, moving(5)), recipe)
    assert record.frames.shape == (10, 32, 32, 3)
    assert record.fps == pytest.approx(100 * 9 / 4)
    assert record.frame_numbers[[0, -1]].tolist() == [1, 5]
    np.testing.assert_array_equal(record.flow, flow_clip(record.frames, "farneback"))
    again = decode(encode(record, "raw"), "raw")
    np.testing.assert_array_equal(again.frames, record.frames)
    np.testing.assert_array_equal(again.frame_numbers, record.frame_numbers)


def test_a_fault_of_the_settings_names_the_clip_and_a_false_recipe_is_refused(tmp_path: Path) -> None:
    row = written_row(tmp_path, moving(3))
    with pytest.raises(MerError, match=r"clip toy/c: preprocess\.fps=20 leaves 1 frame"):
        process_clip(row, Preprocess(face="none", size=16, flow="none", fps=20))
    with pytest.raises(MerError, match="preprocess.recipe=elrcn, but"):
        process_clip(row, Preprocess(recipe="elrcn"))
