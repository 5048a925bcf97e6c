"""Videos are known by their content; what is passed over is counted and named."""

import logging

import cv2
import numpy as np
import pytest
from helpers.videos import greys, write_video
from hypothesis import given, settings
from hypothesis import strategies as st

from mer_tf.datasets import dataset_listing
from mer_tf.preprocessing.containers import is_video


def video(path, kind, frames=4):
    """A video in a container that OpenCV writes here, renamed."""
    code = {"mp4": "mp4v", "mkv": "MJPG", "avi": "MJPG", "wmv": "WMV2", "mpg": "MPEG"}[kind]
    write_video(path.with_suffix(f".{kind}"), greys(frames, 30), code).rename(path)


@pytest.mark.parametrize("kind", ["mp4", "mkv", "avi", "wmv", "mpg"])
@pytest.mark.parametrize("name", ["clip.wmv", "clip.MTS", "clip", "clip.dat"])
def test_a_video_of_any_name_is_listed(kind, name, tmp_path):
    video(tmp_path / name, kind)
    assert is_video(tmp_path / name)
    listing = dataset_listing("videos", tmp_path)
    assert [r.video for r in listing.rows] == [name]


def test_what_is_passed_over_is_counted_and_named(tmp_path, caplog):
    video(tmp_path / "a.avi", "avi")
    for k in range(11):
        (tmp_path / f"note{k:02d}.txt").write_text("not a video")
    (tmp_path / "picture.png").write_bytes(cv2.imencode(".png", np.zeros((4, 4, 3), np.uint8))[1].tobytes())
    (tmp_path / ".DS_Store").write_bytes(b"\x00")
    with caplog.at_level(logging.WARNING):
        listing = dataset_listing("videos", tmp_path)
    assert len(listing.rows) == 1
    (said,) = (r.getMessage() for r in caplog.records if "passed over" in r.getMessage())
    assert "12 file(s) are no video" in said
    assert "note00.txt" in said
    assert "note10.txt" not in said
    assert "and 2 more" in said
    assert "DS_Store" not in said


@pytest.mark.parametrize(
    ("data", "there"),
    [
        (b"\x00\x00\x00\x18ftypmp42", True),
        (b"\x00\x00\x00\x18ftypheic", False),
        (b"\x00\x00\x00\x08wide", True),
        (b"RIFF\x00\x00\x00\x00AVI LIST", True),
        (b"RIFF\x00\x00\x00\x00WEBP", False),
        (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6", True),
        ((b"\x47" + bytes(187)) * 3, True),
        ((bytes(4) + b"\x47" + bytes(187)) * 3, True),
        (b"\x47" + bytes(600), False),
        (b"\x89PNG\r\n\x1a\n", False),
        (b"Group of words", False),
        (b"", False),
    ],
)
def test_beginnings(data, there, tmp_path):
    (tmp_path / "x").write_bytes(data)
    assert is_video(tmp_path / "x") is there


def test_what_cannot_be_read_is_no_video(tmp_path):
    assert not is_video(tmp_path)
    assert not is_video(tmp_path / "none")


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(st.text("abc ,;\n0123", max_size=800))
def test_text_is_no_video(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "text"
    path.write_text(text)
    assert not is_video(path)
