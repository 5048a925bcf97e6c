"""Clips stored by a recipe: steps in time, flow from the onset, and a face that stays still."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers.rows import written_row
from skimage.data import astronaut

from mer_tf.config import MerError, Preprocess
from mer_tf.preprocessing.flow import Method, flow_clip, flow_pair
from mer_tf.preprocessing.recipes import load_recipe
from mer_tf.records.clip import process_clip
from mer_tf.records.schema import decode, encode

PHOTO = cv2.cvtColor(astronaut()[:260, 80:380], cv2.COLOR_RGB2BGR)


def moving(count: int) -> list[np.ndarray]:
    shifts = [np.array([[1, 0, 0.4 * t], [0, 1, 0]], np.float32) for t in range(count)]
    return [cv2.warpAffine(PHOTO, s, (300, 260), flags=cv2.INTER_CUBIC) for s in shifts]


@pytest.mark.parametrize(("method", "size"), [("farneback", 96), ("dis", 96), ("tvl1", 41)])
def test_a_still_face_with_noise_stays_still_after_alignment(tmp_path: Path, method: Method, size: int) -> None:
    """One map a clip adds no jitter: what flow is left is the noise's, below .05 px of 96 over the face as a whole.

    TV-L1 is compiled for each size, in seconds; 41 is the size of its own tests.
    """
    rng = np.random.default_rng(0)
    frames = [np.clip(PHOTO + rng.normal(0, 2, PHOTO.shape), 0, 255).astype(np.uint8) for _ in range(4)]
    record = process_clip(written_row(tmp_path, frames), Preprocess(flow=method, size=size))
    assert record.flow is not None
    inner, limit = record.flow[:, 8:-8, 8:-8].astype(float), 0.05 * size / 96
    assert np.abs(inner.mean(axis=(1, 2))).max() < limit
    assert np.hypot(*np.moveaxis(inner, -1, 0)).mean() < limit


def test_flow_from_the_onset_grows_and_round_trips(tmp_path: Path) -> None:
    settings = Preprocess(size=64, flow="dis", flow_from="onset", face="none")
    record = process_clip(written_row(tmp_path, moving(4)), settings)
    assert record.flow is not None
    steps = np.median(record.flow[..., 0], axis=(1, 2)) * 300 / 64
    assert steps == pytest.approx([0.4, 0.8, 1.2], abs=0.15)
    np.testing.assert_array_equal(record.flow[2], flow_pair(record.frames[0], record.frames[3], "dis").astype("f2"))
    again = decode(encode(record, "png"))
    np.testing.assert_array_equal(again.flow, record.flow)


def test_a_recipe_with_fewer_frames_is_stored_and_read_back(tmp_path: Path) -> None:
    recipe = dataclasses.replace(load_recipe("elrcn").preprocess, size=32, flow="farneback", recipe="elrcn+")
    record = process_clip(written_row(tmp_path, moving(5)), recipe)
    assert record.frames.shape == (10, 32, 32, 3)
    assert record.fps == pytest.approx(100 * 9 / 4)
    assert record.frame_numbers[[0, -1]].tolist() == [1, 5]
    np.testing.assert_array_equal(record.flow, flow_clip(record.frames, "farneback"))
    again = decode(encode(record, "raw"))
    np.testing.assert_array_equal(again.frames, record.frames)
    np.testing.assert_array_equal(again.frame_numbers, record.frame_numbers)


def test_a_fault_of_the_settings_names_the_clip_and_a_false_recipe_is_refused(tmp_path: Path) -> None:
    row = written_row(tmp_path, moving(3))
    with pytest.raises(MerError, match=r"clip toy/c: preprocess\.fps=20 leaves 1 frame"):
        process_clip(row, Preprocess(face="none", size=16, flow="none", fps=20))
    with pytest.raises(MerError, match="preprocess.recipe=elrcn, but"):
        process_clip(row, Preprocess(recipe="elrcn"))
