"""One clip from files to aligned frames: one map a clip, and a face looked for beyond the first frame."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers.rows import written_row
from helpers.still_face import PHOTO

from mer_tf.config import MerError, Preprocess
from mer_tf.records.clip import process_clip

ALIGN = Preprocess(face="align", size=64, flow="dis")


def test_all_frames_share_one_map_so_noise_makes_no_jitter(tmp_path: Path) -> None:
    """Sensor noise moves a detection by a fraction of a pixel; with one map a clip the still face does not move."""
    rng = np.random.default_rng(0)
    frames = [np.clip(PHOTO + rng.normal(0, 3, PHOTO.shape), 0, 255).astype(np.uint8) for _ in range(5)]
    record = process_clip(written_row(tmp_path, frames), ALIGN)
    assert record.frames.shape == (5, 64, 64, 3)
    assert record.flow is not None
    assert np.abs(np.median(record.flow, axis=(1, 2))).max() < 0.02
    assert record.frame_numbers.tolist() == [1, 2, 3, 4, 5]
    assert record.detected_in == 1


def test_motion_below_a_pixel_survives_alignment(tmp_path: Path) -> None:
    shifts = [np.array([[1, 0, 0.5 * t], [0, 1, 0]], np.float32) for t in range(3)]
    frames = [cv2.warpAffine(PHOTO, s, (300, 260), flags=cv2.INTER_CUBIC) for s in shifts]
    record = process_clip(written_row(tmp_path, frames), ALIGN)
    scale = float(np.hypot(*record.transform[:, 0]))
    assert record.flow is not None
    assert np.median(record.flow[..., 0]) == pytest.approx(0.5 * scale, abs=0.06)


def test_a_face_is_looked_for_later_in_the_clip(tmp_path: Path) -> None:
    frames = [np.zeros_like(PHOTO), np.zeros_like(PHOTO), *[PHOTO] * 3]
    record = process_clip(written_row(tmp_path, frames), ALIGN)
    assert record.detected_in == 3
    assert record.frames.shape[0] == 5


def test_no_face_names_the_clip_and_the_way_out(tmp_path: Path) -> None:
    row = written_row(tmp_path, [np.zeros_like(PHOTO)] * 4)
    with pytest.raises(MerError, match=r"toy/c: no face.*min_face"):
        process_clip(row, ALIGN)
    record = process_clip(row, Preprocess(face="none", size=32, flow="none"))
    assert (record.face, record.detected_in, record.flow) == (None, None, None)
    assert record.frames.shape == (4, 32, 32, 3)


def test_the_same_clip_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    row = written_row(tmp_path, [PHOTO, PHOTO])
    first, second = process_clip(row, ALIGN), process_clip(row, ALIGN)
    assert first.content_sha256 == second.content_sha256
    np.testing.assert_array_equal(first.transform, second.transform)


def test_one_frame_with_a_face_is_still_no_clip(tmp_path: Path) -> None:
    with pytest.raises(MerError, match="no motion"):
        process_clip(written_row(tmp_path, [PHOTO]), ALIGN)
