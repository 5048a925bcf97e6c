"""What a job will cost: the frames and bytes that it then has, what is there left out, and nothing written."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers.rows import made_row

from mer_tf.config import Preprocess
from mer_tf.datasets.manifest import ClipRow
from mer_tf.errors import MerError
from mer_tf.records.cost import Cost, job_cost
from mer_tf.records.write import records_folder, write_records

CONFIG = Preprocess(face="none", size=32, flow="dis", clips_per_shard=4)


@pytest.fixture
def clips(tmp_path: Path) -> list[ClipRow]:
    """Twelve clips of 4 to 15 noisy frames."""
    rng, rows = np.random.default_rng(0), []
    for number in range(12):
        folder, frames = tmp_path / "data" / f"c{number:02d}", 4 + number
        folder.mkdir(parents=True)
        for frame in range(1, frames + 1):
            cv2.imwrite(str(folder / f"{frame}.png"), rng.integers(0, 256, (48, 48, 3), np.uint8))
        where = {"root": str(tmp_path / "data"), "frames_dir": folder.name}
        rows.append(made_row(clip_id=f"own/c{number:02d}", **where, onset=1, apex=None, offset=frames))
    return rows


def test_the_job_then_has_the_clips_frames_and_bytes_that_were_said(clips: list[ClipRow], tmp_path: Path) -> None:
    directory = records_folder(clips, CONFIG, tmp_path / "out", "records")
    told = job_cost(clips, CONFIG, directory)
    assert not (tmp_path / "out").exists()
    assert (told.clips, told.frames, told.there) == (12, sum(range(4, 16)), 0)
    assert told.measured == (6, 10, 14)
    write_records(clips, CONFIG, tmp_path / "out", progress=False)
    assert told.bytes == pytest.approx(sum(p.stat().st_size for p in directory.glob("*.tfrecord")), rel=0.05)
    assert told.processor > 0

    next(directory.glob("*-00001-*.tfrecord")).unlink()
    rest = job_cost(clips, CONFIG, directory)
    assert (rest.clips, rest.there, rest.frames) == (4, 8, 8 + 9 + 10 + 11)


def test_a_finished_job_costs_nothing(clips: list[ClipRow], tmp_path: Path) -> None:
    directory = write_records(clips, CONFIG, tmp_path / "out", progress=False)
    told = job_cost(clips, CONFIG, directory)
    assert (told.clips, told.there, told.bytes, told.wall(2)) == (0, 12, 0, 0.0)


def test_clips_that_cannot_be_read_are_told_with_the_reason(clips: list[ClipRow], tmp_path: Path) -> None:
    for picture in (tmp_path / "data").rglob("*.png"):
        picture.write_bytes(b"no picture")
    with pytest.raises(MerError, match=r"none of three clips can be processed; the first: .*\.png"):
        job_cost(clips, CONFIG, tmp_path / "out")


def test_more_workers_share_the_time_but_not_the_start() -> None:
    cost = Cost(100, 3000, 50, 5 * 2**20, processor=7200.0, start=10.0, free=2**30, measured=(20, 30, 40))
    assert [cost.wall(n) for n in (1, 8)] == [7210.0, 910.0]
    said = cost.text(2).splitlines()
    assert said[0].split("  ")[-1].strip() == "100, of 3000 frames, 50 are there"
    assert "5.0 MiB; the disk has 1024 MiB left" in said[1]
    assert "2:00:00, reckoned from clips of 20, 30, 40 frames" in said[2]
    assert "--workers 1: 2:00:10, --workers 2: 1:00:10, --workers 8: 15:10, --workers 64: 02:02" in said[3]
