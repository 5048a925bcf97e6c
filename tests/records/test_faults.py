"""Every fault the job was tried with: how it is made, what is said of it, and what is kept.

A fault of a source costs its clip and no other. A fault of the store costs its shard and no other: after the index is
deleted, the same command writes that shard again, and the directory has the bytes it had. A fault of the job keeps the
shards finished before it, and the same command goes on to the same bytes.
"""

from __future__ import annotations

import dataclasses
import logging
import os
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
import pytest
from helpers.faulty_files import bomb, converted, make_uneven, sixteen_bits, turn_video, write_cornered
from helpers.faulty_jobs import dead_worker, full_disk, not_a_folder, two_jobs, write
from helpers.tiny_clips import make_rows, tree

from mer_tf.config import MerError
from mer_tf.datasets.manifest import ClipRow
from mer_tf.preprocessing.frames import read_frame
from mer_tf.preprocessing.video import iter_video, probe_video
from mer_tf.records.index import NAME, read_index
from mer_tf.records.inspect import check

BAD = "toy/c03"
SHARD = "shard-00001-of-00003.tfrecord"
"""Of 3 shards with 2 clips each, the one that holds BAD."""


@dataclass(frozen=True)
class Fault:
    """One row of the table."""

    name: str
    make: Callable[..., Any]
    """source: row of BAD -> its faulty row; store: changes a finished directory; job: a context that runs the job."""
    said: str
    """Pattern of the message; "" when nothing is amiss."""
    kept: int
    """source: clips stored of 6; store: shards of 3 not written again; job: shards of 3 finished by then, at least."""
    of: Literal["source", "store", "job"] = "source"
    slow: bool = False


def frame(make: Callable[[Path], Any]) -> Callable[[ClipRow], ClipRow]:
    """A fault of the second frame of three."""

    def spoil(row: ClipRow) -> ClipRow:
        make(Path(row.root) / row.frames_dir / "img101.png")
        return row

    return spoil


def video(make: Callable[[Path], Any], frames: int = 4, name: str = "v.mp4") -> Callable[[ClipRow], ClipRow]:
    """The clip as a video, of as many frames as the manifest says or not; then the fault."""

    def spoil(row: ClipRow) -> ClipRow:
        path = write_cornered(Path(row.root) / name, frames, "MJPG" if name.endswith("avi") else "mp4v")
        make(path)
        return dataclasses.replace(row, frames_dir="", video=name, onset=0, offset=3, apex=None)

    return spoil


def shard(change: Callable[[bytes], bytes], name: str = SHARD) -> Callable[[Path], None]:
    """A fault of the bytes of one stored file."""
    return lambda directory: (directory / name).write_bytes(change((directory / name).read_bytes())) and None


def flipped(data: bytes, place: float = 0.5) -> bytes:
    """One bit changed."""
    at = int(len(data) * place)
    return data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :]


def first_record(data: bytes) -> bytes:
    """A TFRecord file up to the end of its first record: length, its checksum, the bytes, their checksum."""
    return data[: 8 + 4 + int.from_bytes(data[:8], "little") + 4]


def linked(row: ClipRow) -> ClipRow:
    """The folder is a link to one outside of the root."""
    folder = Path(row.root) / row.frames_dir
    folder.rename(Path(row.root).parent / "elsewhere")
    folder.symlink_to(Path(row.root).parent / "elsewhere")
    return row


def linked_frame(path: Path) -> None:
    path.rename(path.parents[3] / "elsewhere.png")
    path.symlink_to(path.parents[3] / "elsewhere.png")


def climbing(row: ClipRow) -> ClipRow:
    return dataclasses.replace(row, frames_dir=f"../{Path(row.root).name}/../{Path(row.root).name}/../source2")


def other_size(path: Path) -> None:
    cv2.imwrite(str(path), read_frame(path)[:-1])


CUT, EMPTY = r"img101\.png: truncated PNG", r"img101\.png: the file is empty"
FAULTS = [
    Fault("frame cut short", frame(lambda p: p.write_bytes(p.read_bytes()[:-30])), CUT, 5),
    Fault("frame of zero bytes", frame(lambda p: p.write_bytes(b"")), EMPTY, 5),
    Fault("frame with a flipped bit", frame(lambda p: p.write_bytes(flipped(p.read_bytes()))), "damaged PNG", 5),
    Fault("frame of 16 bits", frame(sixteen_bits), "", 6),
    Fault("CMYK frame", frame(converted("CMYK", ".jpg")), "", 6),
    Fault("grey frame", frame(converted("L", ".png")), "", 6),
    Fault("JPEG named .png", frame(converted("RGB", ".jpg")), "", 6),
    Fault("WebP named .png", frame(converted("RGB", ".webp")), r"img101\.png: not a BMP, JPEG or PNG", 5),
    Fault("text named .png", frame(lambda p: p.write_text("hello")), r"img101\.png: not a BMP, JPEG or PNG", 5),
    Fault("decompression bomb", frame(bomb), r"img101\.png: states 30000x30000 pixels", 5),
    Fault("frame of another size", frame(other_size), r"img100\.png is 40x40 but .*img101\.png is 40x39", 5),
    Fault("frame is a folder", frame(lambda p: (p.unlink(), p.mkdir())), r"img101\.png: cannot be read", 5),
    Fault("frame missing", frame(Path.unlink), "2 of 3 frames are there", 6),
    Fault("macOS leftover", frame(lambda p: (p.parent / "._img101.png").write_bytes(b"\0\5")), "", 6),
    Fault(
        "frame number twice", frame(lambda p: p.with_name("img0101.png").write_bytes(b"")), "101 occurs more than", 5
    ),
    Fault("name of another kind", frame(lambda p: p.with_name("b101.png").write_bytes(b"")), r"left out: b101\.png", 6),
    Fault("frame is a pipe", frame(lambda p: (p.unlink(), os.mkfifo(p))), r"img101\.png: cannot be read", 5),
    Fault("frame is a link out of the root", frame(linked_frame), f"clip {BAD}: .*outside its root", 5),
    Fault("folder is a link out of the root", linked, f"clip {BAD}: .*outside its root", 5),
    Fault("path climbs out of the root", climbing, rf"clip {BAD}: '\.\./.*outside its root", 5),
    Fault("folder is a file", lambda r: dataclasses.replace(r, frames_dir="s0/clip00/img100.png"), "cannot be read", 5),
    Fault("folder is not there", lambda r: dataclasses.replace(r, frames_dir="gone"), "does not exist", 5),
    Fault("video with no frames", video(lambda p: None, frames=0, name="v.avi"), r"v\.avi: ends after 0 frames", 5),
    Fault("video of zero bytes", video(lambda p: p.write_bytes(b"")), r"v\.mp4: OpenCV cannot open", 5),
    Fault("video cut short", video(lambda p: p.write_bytes(p.read_bytes()[:600])), r"v\.mp4: OpenCV cannot open", 5),
    Fault("video ends early", video(lambda p: None, frames=3), r"v\.mp4: ends after 3 frames", 5),
    Fault("rotated video", video(turn_video), "", 6),
    Fault("video of variable frame rate", video(lambda p: (make_uneven(p), probe_video(p))), "40 to 200 ms apart", 6),
    Fault("shard cut short", shard(lambda b: b[:-100]), f"{SHARD}: .*after 1 of 2 clips", 2, "store"),
    Fault(
        "shard cut between clips", shard(lambda b: b[: 16 + int.from_bytes(b[:8], "little")]), "holds 1 cl", 2, "store"
    ),
    Fault("bit flipped in a shard", shard(flipped), f"{SHARD}: SHA-256 is", 2, "store"),
    Fault("zeros of a power cut", shard(lambda b: bytes(len(b))), f"{SHARD}: SHA-256 is", 2, "store"),
    Fault("shard deleted", lambda d: (d / SHARD).unlink(), f"lacks {SHARD}", 2, "store"),
    Fault("index cut short", shard(lambda b: b[:-100], NAME), "index.json: not valid JSON", 3, "store"),
    Fault("full disk", full_disk, r"\.tfrecord: cannot be written .*[Nn]o space", 1, "job"),
    Fault("output is a file", not_a_folder, "cannot be written", 0, "job"),
    Fault("two jobs at once", two_jobs, "written by another process", 1, "job"),
    Fault("worker killed", dead_worker, "a worker process died.* with these clips in hand: toy/c", 0, "job", slow=True),
]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Clip id -> hash of its pixels, of the six tiny clips without a fault."""
    root = tmp_path_factory.mktemp("whole")
    return {c.clip_id: c.content_sha256 for c in read_index(write(make_rows(root / "source"), root / "out")).clips}


@pytest.mark.parametrize(
    "fault", [pytest.param(f, id=f.name, marks=[pytest.mark.slow] if f.slow else []) for f in FAULTS]
)
@pytest.mark.usefixtures("forked_workers")
def test_a_fault_is_said_and_costs_nothing_else(
    fault: Fault, whole: dict[str, str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rows = make_rows(tmp_path / "source")
    if fault.of == "source":
        source_trial(fault, rows, whole, tmp_path, caplog)
    else:
        {"store": store_trial, "job": job_trial}[fault.of](fault, rows, tmp_path)


def source_trial(
    fault: Fault, rows: list[ClipRow], whole: dict[str, str], tmp_path: Path, log: pytest.LogCaptureFixture
) -> None:
    """Said with the clip; the other clips are stored, with the pixels they have without it."""
    with log.at_level(logging.WARNING):
        rows = [fault.make(row) if row.clip_id == BAD else row for row in rows]
        directory = write(rows, tmp_path / "out", on_error="skip")
    index = read_index(directory)
    errors = (directory / "errors.csv").read_text().splitlines()[1:]
    stored = {c.clip_id: c.content_sha256 for c in index.clips}
    assert (len(stored), len(errors), index.errors) == (fault.kept, 6 - fault.kept, 6 - fault.kept)
    assert {k: v for k, v in stored.items() if k != BAD} == {k: v for k, v in whole.items() if k != BAD}
    assert_said(fault, "\n".join([*errors, *(r.getMessage() for r in log.records)]))
    if fault.kept == 5:
        with pytest.raises(MerError, match=fault.said):
            write(rows, tmp_path / "stopped")
    assert check(directory, progress=False) == []


def store_trial(fault: Fault, rows: list[ClipRow], tmp_path: Path) -> None:
    """Found by the check; the same command writes that shard alone."""
    directory = write(rows, tmp_path)
    whole = tree(directory)
    fault.make(directory)
    times = {p.name: p.stat().st_mtime_ns for p in directory.glob("*.tfrecord")}
    assert_said(fault, look(directory))
    (directory / NAME).unlink(missing_ok=True)
    write(rows, tmp_path)
    assert tree(directory) == whole
    assert sum(times.get(p.name) == p.stat().st_mtime_ns for p in directory.glob("*.tfrecord")) == fault.kept


def look(directory: Path) -> str:
    """What `mer-tf inspect --check` says."""
    try:
        return "\n".join(check(directory, progress=False))
    except MerError as error:
        return str(error)


def job_trial(fault: Fault, rows: list[ClipRow], tmp_path: Path) -> None:
    """Said by the job, which leaves no index; the same command goes on to the bytes of an undisturbed job."""
    whole = write(rows, tmp_path / "whole")
    out = tmp_path / "out"
    try:
        with pytest.raises(MerError) as error, fault.make(rows, out):
            pass
        assert_said(fault, str(error.value))
        assert not list(out.glob(f"*/{NAME}"))
        assert len(list(out.glob("*/shard-*.json"))) >= fault.kept
        assert tree(write(rows, out)) == tree(whole)
    finally:
        if out.is_mount():
            subprocess.run(["umount", str(out)], check=True)


def assert_said(fault: Fault, text: str) -> None:
    assert re.search(fault.said, text) if fault.said else not text, text


def test_a_cmyk_frame_has_its_colours(tmp_path: Path) -> None:
    """Adobe's inverted CMYK, as Pillow writes it."""
    (row, *_) = make_rows(tmp_path, 1)
    path = tmp_path / row.frames_dir / "img101.png"
    before = read_frame(path).astype(int)
    converted("CMYK", ".jpg")(path)
    assert np.abs(read_frame(path) - before).mean() < 8


def test_a_rotated_video_is_shown_upright(tmp_path: Path) -> None:
    path = write_cornered(tmp_path / "v.mp4", 3)
    turn_video(path)
    (_, first), *_ = iter_video(path, 0, 2)
    assert first.shape == (64, 48, 3)
    assert first[:10, -10:].min() > 200
    assert first[:10, :10].max() < 60
