"""Videos as users have them: cut, and of a frame rate that varies."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
from helpers.faulty_files import retime, write_cornered
from helpers.videos import write_video
from hypothesis import given, settings

from mer_tf.config import MerError, digest
from mer_tf.datasets import dataset_listing
from mer_tf.datasets.adapters.videos import by_time
from mer_tf.datasets.clip_frames import read_clip
from mer_tf.datasets.manifest import manifest_digest, read_manifest, write_manifest
from mer_tf.preprocessing.video import probe_video

Parts = list[tuple[int, int]]


def retimed(path: Path, milliseconds: Parts) -> Path:
    """An MP4 whose frames last as long as (frames, milliseconds) say, one after the other."""
    write_cornered(path, sum(count for count, _ in milliseconds))
    retime(path, lambda _, ticks: [(count, ms * ticks // 40) for count, ms in milliseconds])
    return path


@pytest.mark.parametrize(
    ("parts", "uneven"),
    [
        ([(13, 100), (12, 33)], True),
        ([(12, 33), (13, 100)], True),
        ([(1, 100), (1, 33)] * 8, True),
        ([(20, 40), (5, 10)], True),
        ([(20, 40), (5, 52)], True),
        ([(25, 40)], False),
        ([(1, 33), (1, 34)] * 8, False),
        ([(1, 4), (1, 5), (1, 6)] * 5, False),
    ],
)
def test_an_uneven_frame_rate_is_noticed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, parts: Parts, uneven: bool
) -> None:
    probe_video(retimed(tmp_path / "v.mp4", parts))
    assert ("variable frame rate" in caplog.text) == uneven
    assert ("--by-time" in caplog.text) == uneven


@settings(max_examples=10, deadline=None, derandomize=True)
@given(parts=st.lists(st.tuples(st.integers(1, 6), st.integers(15, 120)), min_size=2, max_size=5))
def test_resampled_frames_are_the_nearest_in_time(tmp_path_factory: pytest.TempPathFactory, parts: Parts) -> None:
    folder = tmp_path_factory.mktemp("videos")
    retimed(folder / "v.mp4", parts)
    times = np.cumsum([0, *(ms for count, ms in parts for _ in range(count))])[:-1] / 1000
    (row,) = by_time(dataset_listing("videos", folder).rows, 50.0)
    assert (row.onset, row.fps, row.sampling) == (0, 50.0, "time")
    assert row.offset == pytest.approx(times[-1] * 50, abs=1)
    pictures, numbers = read_clip(row) if row.offset else ([], [])
    shown = [int(np.round(picture[32:, 32:].mean() / 10)) for picture in pictures]
    assert len(shown) == len(numbers) == row.offset + 1 or not row.offset
    for number, frame in enumerate(shown):
        assert abs(times[frame] - number / 50) <= np.abs(times - number / 50).min() + 2e-3


def test_resampling_is_kept_in_the_manifest_and_changes_no_other(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    retimed(tmp_path / "v.mp4", [(10, 40), (5, 100)])
    listed = dataset_listing("videos", tmp_path).rows
    caplog.clear()
    resampled = by_time(listed, 25.0)
    assert not caplog.text
    assert read_manifest(write_manifest(resampled, tmp_path / "m.csv")) == resampled
    assert manifest_digest(resampled) != manifest_digest(listed)
    plain = [{k: v for k, v in dataclasses.asdict(r).items() if k not in ("sampling", "links")} for r in listed]
    assert manifest_digest(listed) == digest(plain)
    assert "sampling" not in write_manifest(listed, tmp_path / "m.csv").read_text().splitlines()[0]


def test_frames_in_files_have_no_time_stamps(tmp_path: Path) -> None:
    write_cornered(tmp_path / "v.mp4", 5)
    (row,) = dataset_listing("videos", tmp_path).rows
    with pytest.raises(MerError, match=r"videos/v is no video.*no time stamps"):
        by_time([dataclasses.replace(row, video="", frames_dir="x")], 25.0)
    with pytest.raises(MerError, match="frame rate from 1"):
        by_time([row], 0.0)
    bad = dataclasses.replace(row, sampling="often")
    with pytest.raises(MerError, match="line 2.*sampling"):
        read_manifest(write_manifest([bad], tmp_path / "m.csv"))


@pytest.mark.parametrize(("code", "suffix"), [("MJPG", ".avi"), ("mp4v", ".mkv"), ("XVID", ".avi"), ("MJPG", ".mkv")])
def test_a_cut_video_is_listed_with_what_is_missing(tmp_path: Path, code: str, suffix: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (40, 48, 64, 3), np.uint8)
    path = write_video(tmp_path / f"v{suffix}", noise, code)
    assert dataset_listing("videos", tmp_path).problems == []
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    listing = dataset_listing("videos", tmp_path)
    (row,), (problem,) = listing.rows, listing.problems
    assert 2 < row.offset < 25
    assert f"{path}: holds {row.offset + 1} of the 40 frames" in problem
    assert f"{39 - row.offset} are missing at its end" in problem
    assert len(read_clip(row)[0]) == row.offset + 1
