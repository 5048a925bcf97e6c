"""A folder of videos as a data set."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from helpers.videos import greys, write_video

from mer_tf.config import MerError
from mer_tf.datasets import dataset_listing, told


def test_each_video_is_a_clip_and_a_subject(tmp_path: Path) -> None:
    write_video(tmp_path / "b.avi", greys(5))
    write_video(tmp_path / "deep" / "a.mkv", greys(3))
    (tmp_path / "notes.txt").write_text("not a video")
    rows = dataset_listing("videos", tmp_path).rows
    assert [(r.clip_id, r.subject, r.video) for r in rows] == [
        ("videos/b", "videos/b", "b.avi"),
        ("videos/deep/a", "videos/deep/a", "deep/a.mkv"),
    ]
    assert [(r.onset, r.offset, r.fps, r.label_raw) for r in rows] == [(0, 4, 25.0, ""), (0, 2, 25.0, "")]
    assert rows[0].source() == (tmp_path / "b.avi").resolve()


def test_a_bad_video_is_left_out_with_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_video(tmp_path / "good.avi", greys(5))
    (tmp_path / "bad.mp4").write_bytes(b"nothing of the kind")
    with caplog.at_level(logging.WARNING):
        assert [r.clip_id for r in told(dataset_listing("videos", tmp_path), "videos")] == ["videos/good"]
    assert "bad.mp4" in caplog.text


def test_a_link_out_of_the_folder_is_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_video(tmp_path / "outside.avi", greys(3))
    write_video(tmp_path / "root" / "good.avi", greys(3))
    (tmp_path / "root" / "link.avi").symlink_to(tmp_path / "outside.avi")
    assert [r.clip_id for r in told(dataset_listing("videos", tmp_path / "root"), "videos")] == ["videos/good"]
    assert "outside its root" in caplog.text


def test_no_readable_video_is_an_error_that_names_one(tmp_path: Path) -> None:
    with pytest.raises(MerError, match="holds no video"):
        dataset_listing("videos", tmp_path)
    (tmp_path / "bad.mp4").write_bytes(b"")
    with pytest.raises(MerError, match=r"none of its 1 videos.*bad\.mp4"):
        dataset_listing("videos", tmp_path)
    with pytest.raises(MerError, match="no such folder"):
        dataset_listing("videos", tmp_path / "absent")


def test_two_videos_of_one_name_are_refused(tmp_path: Path) -> None:
    write_video(tmp_path / "a.avi", greys(3))
    write_video(tmp_path / "a.mkv", greys(3))
    with pytest.raises(MerError, match="videos/a"):
        dataset_listing("videos", tmp_path)
