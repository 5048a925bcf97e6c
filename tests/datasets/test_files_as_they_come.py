"""Folders as users have them: copies, files of the system, gaps. The manifest, its reader and flow images agree."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from helpers.trees import write_frames

from mer_tf.datasets import dataset_listing
from mer_tf.datasets.clip_frames import read_clip


@pytest.fixture
def smic(tmp_path: Path) -> Path:
    """Two clips of frames 125 to 130."""
    for clip in ("s01_ne_01", "s01_ne_02"):
        write_frames(tmp_path / "HS/s01/micro/negative" / clip, range(125, 131), "reg_image{:06d}.bmp")
    return tmp_path


def first(root: Path) -> Path:
    return root / "HS/s01/micro/negative/s01_ne_01"


def test_a_copy_of_a_frame_is_named_and_changes_nothing(smic: Path) -> None:
    frame = first(smic) / "reg_image000125.bmp"
    shutil.copy(frame, frame.with_name("reg_image000125 (2).bmp"))
    listing = dataset_listing("smic-hs", smic)
    assert [(r.onset, r.offset) for r in listing.rows] == [(125, 130)] * 2
    (problem,) = listing.problems
    assert "s01_ne_01" in problem
    assert "reg_image000125 (2).bmp" in problem
    assert read_clip(listing.rows[0])[1].tolist() == list(range(125, 131))


def test_files_of_the_system_are_no_frames(smic: Path) -> None:
    before = dataset_listing("smic-hs", smic)
    for name in ("._reg_image000125.bmp", ".DS_Store", "Thumbs.db", "desktop.ini"):
        (first(smic) / name).write_bytes(b"\0")
    (first(smic).parent / "__MACOSX").mkdir()
    after = dataset_listing("smic-hs", smic)
    assert (after.rows, after.problems) == (before.rows, [])
    assert len(read_clip(after.rows[0])[0]) == 6


def test_a_gap_is_named(smic: Path) -> None:
    for number in (127, 129):
        (first(smic) / f"reg_image{number:06d}.bmp").unlink()
    listing = dataset_listing("smic-hs", smic)
    assert len(listing.rows) == 2
    (problem,) = listing.problems
    assert "s01_ne_01" in problem
    assert "2 frame(s) are missing between its first and last: 127, 129" in problem
    assert np.array_equal(read_clip(listing.rows[0])[1], [125, 126, 128, 130])


def test_hidden_images_are_no_flow_images(tmp_path: Path) -> None:
    home = tmp_path / "s01/u_test/0"
    write_frames(home, [1, 2], "s01_ne_0{}.png")
    for name in ("._s01_ne_01.png", ".s01_ne_03.png"):
        shutil.copy(home / "s01_ne_01.png", home / name)
    listing = dataset_listing("flow-images", tmp_path)
    assert [r.clip_id for r in listing.rows] == ["flow-images/s01/s01_ne_01", "flow-images/s01/s01_ne_02"]
    assert listing.problems == []
