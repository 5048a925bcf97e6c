"""The preprocessing job: same bytes whatever happens to it, and bad input refused by name."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from helpers.tiny_clips import LENGTHS, TINY, make_rows, tree
from PIL import Image

from mer_tf.code_version import FRAMES
from mer_tf.config import MerError, Preprocess, digest
from mer_tf.datasets.manifest import ClipRow, manifest_digest, write_manifest
from mer_tf.locks import held
from mer_tf.records import shards
from mer_tf.records import write as job
from mer_tf.records.index import read_index, require
from mer_tf.records.inspect import check
from mer_tf.records.write import write_records

REPOSITORY = Path(__file__).parents[2]


def write(rows: list[ClipRow], out: Path, config: Preprocess = TINY, **options: Any) -> Path:
    return write_records(rows, config, out, progress=False, **options)


def test_what_is_written_is_indexed_in_the_order_of_the_ids(rows: list[ClipRow], tmp_path: Path) -> None:
    directory = write(rows, tmp_path / "out")
    index = read_index(directory)
    assert [c.clip_id for c in index.clips] == [f"toy/c{i:02d}" for i in range(6)]
    assert [c.n_frames for c in index.clips] == list(LENGTHS)
    assert [c.shard for c in index.clips] == [f"shard-0000{i}-of-00003.tfrecord" for i in (0, 0, 1, 1, 2, 2)]
    assert (index.errors, index.config) == (0, TINY)
    assert (directory / "errors.csv").read_text() == "clip_id,source,reason\n"
    assert not list(directory.glob(".*"))
    assert check(directory, progress=False) == []


def test_bytes_depend_neither_on_order_nor_on_time(rows: list[ClipRow], tmp_path: Path) -> None:
    first, second = write(rows, tmp_path / "a"), write(rows[::-1], tmp_path / "b")
    assert first.name == second.name
    assert tree(first) == tree(second)


def test_a_finished_directory_is_returned_at_once(
    rows: list[ClipRow], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = write(rows, tmp_path / "out")
    monkeypatch.setattr(job, "run_shards", lambda *_, **__: pytest.fail("wrote again"))
    assert write(rows, tmp_path / "out") == directory


def test_another_setting_or_row_is_another_directory(rows: list[ClipRow], tmp_path: Path) -> None:
    names = {
        write(rows, tmp_path / "out").name,
        write(rows, tmp_path / "out", dataclasses.replace(TINY, size=20)).name,
        write(rows[1:], tmp_path / "out").name,
    }
    assert len(names) == 3


def test_a_directory_of_other_settings_is_refused_with_the_differences(rows: list[ClipRow], tmp_path: Path) -> None:
    directory = write(rows, tmp_path / "out")
    wanted = dataclasses.replace(TINY, size=20)
    with pytest.raises(MerError, match=r"size: 16 there, 20 wanted"):
        require(read_index(directory), wanted, manifest_digest(rows))
    with pytest.raises(MerError, match=r"manifest: \w+ there, other wanted"):
        require(read_index(directory), TINY, "other")
    stale = tmp_path / "out" / "stale"
    target = write(rows, tmp_path / "out", wanted)
    shutil.copytree(directory, stale)
    shutil.rmtree(target)
    stale.rename(target)
    with pytest.raises(MerError, match=r"size: 16 there, 20 wanted"):
        write(rows, tmp_path / "out", wanted)


def test_only_what_is_missing_is_written_again(rows: list[ClipRow], tmp_path: Path) -> None:
    directory = write(rows, tmp_path / "out")
    whole = tree(directory)
    kept = directory / "shard-00000-of-00003.tfrecord"
    before = kept.stat().st_mtime_ns
    (directory / "index.json").unlink()
    (directory / "shard-00001-of-00003.json").unlink()
    cut = directory / "shard-00002-of-00003.tfrecord"
    cut.write_bytes(cut.read_bytes()[:-5])
    (directory / ".shard-00001-of-00003.99.part.tfrecord").write_bytes(b"left by a killed run")
    write(rows, tmp_path / "out")
    assert tree(directory) == whole
    assert kept.stat().st_mtime_ns == before


def test_shards_of_other_software_are_written_again(rows: list[ClipRow], tmp_path: Path) -> None:
    directory = write(rows, tmp_path / "out")
    whole = tree(directory)
    (directory / "index.json").unlink()
    sidecar = directory / "shard-00000-of-00003.json"
    value = json.loads(sidecar.read_text())
    sidecar.write_text(json.dumps(value | {"versions": {"opencv": "3.0"}}))
    write(rows, tmp_path / "out")
    assert tree(directory) == whole


def test_records_of_another_pixel_version_lie_apart(
    rows: list[ClipRow], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = write(rows, tmp_path)
    assert first.name == f"records-{digest(TINY, manifest_digest(rows))}"
    monkeypatch.setattr(job, "PIXELS", job.PIXELS + 1)
    assert write(rows, tmp_path) != first


def turn(frame: Path) -> None:
    """As a telephone writes it: the sensor's rows, and a word on how they are to be turned."""
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.open(frame).convert("RGB").save(frame, "JPEG", exif=exif)


def turn_png(frame: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 3
    Image.open(frame).save(frame, exif=exif)


def upright(frame: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 1
    Image.open(frame).convert("RGB").save(frame, "JPEG", exif=exif)


def deep(most: int) -> Callable[[Path], None]:
    """16 bits a pixel, of which the values up to `most` occur."""

    def make(frame: Path) -> None:
        grey = np.asarray(Image.open(frame).convert("L"), np.float64)
        cv2.imwrite(str(frame), (grey / grey.max() * most).astype(np.uint16))

    return make


@pytest.mark.parametrize(
    ("change", "refused"),
    [(turn, True), (turn_png, True), (deep(4095), True), (deep(1023), True), (deep(65535), False), (upright, False)],
    ids=["turned JPEG", "turned PNG", "12 of 16 bits", "10 of 16 bits", "16 bits", "upright by EXIF"],
)
def test_records_from_before_pictures_were_read_as_now_are_refused_where_it_matters(
    rows: list[ClipRow], tmp_path: Path, change: Callable[[Path], None], refused: bool
) -> None:
    folder = Path(rows[0].root) / rows[0].frames_dir
    for frame in folder.iterdir():
        change(frame)
    directory = write(rows, tmp_path / "out")
    index = json.loads((directory / "index.json").read_text())
    assert index["versions"].pop("frames") == str(FRAMES)
    (directory / "index.json").write_text(json.dumps(index))
    if refused:
        with pytest.raises(MerError, match=r"read .*img10\d\.png otherwise .*; delete that directory and run again"):
            write(rows, tmp_path / "out")
    else:
        assert write(rows, tmp_path / "out") == directory


def test_records_whose_pictures_are_gone_are_taken_with_a_word(
    rows: list[ClipRow], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    directory = write(rows, tmp_path / "out")
    index = json.loads((directory / "index.json").read_text())
    index["versions"].pop("frames")
    (directory / "index.json").write_text(json.dumps(index))
    shutil.rmtree(Path(rows[0].root))
    assert write(rows, tmp_path / "out") == directory
    assert "cannot be compared" in caplog.text


def spoil(rows: list[ClipRow], clip_id: str) -> ClipRow:
    """Truncate one frame of a clip."""
    row = next(r for r in rows if r.clip_id == clip_id)
    path = Path(row.root) / row.frames_dir / "img101.png"
    path.write_bytes(path.read_bytes()[:-30])
    return row


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_bad_clips_fail_the_run_at_its_end_and_what_is_done_is_kept(
    rows: list[ClipRow], tmp_path: Path, workers: int
) -> None:
    whole = write(rows, tmp_path / "whole")
    for clip in ("toy/c00", "toy/c03"):
        spoil(rows, clip)
    with pytest.raises(MerError, match=r"2 clip\(s\).*\n.*clip00/img101\.png: trun.*\n.*clip03/img101.*\n4 are kept"):
        write(rows, tmp_path / "out", workers=workers)
    (directory,) = (tmp_path / "out").iterdir()
    assert len(list(directory.glob("*.tfrecord"))) == 3
    assert not (directory / "index.json").exists()
    assert len((directory / "errors.csv").read_text().splitlines()) == 3
    last = next(directory.glob("shard-00002*.tfrecord"))
    before = last.stat().st_mtime_ns
    shutil.rmtree(tmp_path / "source")
    make_rows(tmp_path / "source")
    assert tree(write(rows, tmp_path / "out")) == tree(whole)
    assert last.stat().st_mtime_ns == before


def test_failures_are_accepted_without_doing_anything_again(
    rows: list[ClipRow], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil(rows, "toy/c00")
    with pytest.raises(MerError, match="1 clip"):
        write(rows, tmp_path / "out")
    monkeypatch.setattr(shards, "process_clip", lambda *_: pytest.fail("processed again"))
    assert read_index(write(rows, tmp_path / "out", on_error="skip")).errors == 1


def test_videos_without_a_face_are_skipped_unless_asked_otherwise(rows: list[ClipRow], tmp_path: Path) -> None:
    spoil(rows, "toy/c00")
    videos = [dataclasses.replace(row, dataset="videos") for row in rows]
    assert read_index(write(videos, tmp_path / "out")).errors == 1
    with pytest.raises(MerError, match="could not be preprocessed|left out"):
        write(videos, tmp_path / "other", on_error="fail")


def test_a_bad_clip_can_be_skipped_and_is_recorded(rows: list[ClipRow], tmp_path: Path) -> None:
    bad = spoil(rows, "toy/c03")
    directory = write(rows, tmp_path / "out", on_error="skip")
    index = read_index(directory)
    assert index.errors == 1
    assert [c.clip_id for c in index.clips] == [f"toy/c{i:02d}" for i in (0, 1, 2, 4, 5)]
    lines = (directory / "errors.csv").read_text().splitlines()
    assert len(lines) == 2
    assert lines[1].startswith(f"toy/c03,{bad.frames_dir},")
    assert check(directory, progress=False) == []
    with pytest.raises(MerError, match=r"1 clip\(s\) are left out"):
        write(rows, tmp_path / "out")


def test_nothing_but_bad_clips_is_an_error(rows: list[ClipRow], tmp_path: Path) -> None:
    for row in rows:
        spoil(rows, row.clip_id)
    with pytest.raises(MerError, match=r"none of 6 clips.*clip00/img101\.png"):
        write(rows, tmp_path / "out", on_error="skip")


def test_a_second_writer_is_refused(rows: list[ClipRow], tmp_path: Path) -> None:
    directory = write(rows, tmp_path / "out")
    (directory / "index.json").unlink()
    with held(directory), pytest.raises(MerError, match="another process"):
        write(rows, tmp_path / "out")
    assert write(rows, tmp_path / "out") == directory


def test_repeated_ids_and_no_rows_are_refused(rows: list[ClipRow], tmp_path: Path) -> None:
    with pytest.raises(MerError, match="more than once"):
        write([*rows, rows[0]], tmp_path)
    with pytest.raises(MerError, match="no clips"):
        write([], tmp_path)


def test_index_faults_are_named(rows: list[ClipRow], tmp_path: Path) -> None:
    with pytest.raises(MerError, match=r"index\.json is missing"):
        read_index(tmp_path)
    directory = write(rows, tmp_path / "out")
    (directory / "shard-00001-of-00003.tfrecord").unlink()
    with pytest.raises(MerError, match="lacks shard-00001"):
        read_index(directory)
    (directory / "index.json").write_text("{}")
    with pytest.raises(MerError, match="not an index of this version"):
        read_index(directory)


def test_the_index_is_read_without_tensorflow(rows: list[ClipRow], tmp_path: Path) -> None:
    directory = write(rows, tmp_path / "out")
    code = (
        "import sys; from mer_tf.records.inspect import describe; "
        f"assert 'toy' in describe({str(directory)!r}); "
        "assert not {'tensorflow', 'keras', 'mtcnn'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, check=True, timeout=120)


RUN = """
import signal
import sys
from pathlib import Path
from mer_tf.config import Preprocess
from mer_tf.datasets.manifest import read_manifest
from mer_tf.records.write import write_records
if __name__ == "__main__":
    # A test run that a shell started in the background has SIGINT ignored, and its children inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    config = Preprocess(face="none", size=64, clips_per_shard=2)
    write_records(read_manifest(Path(sys.argv[1])), config, Path(sys.argv[2]), workers=2, on_error="skip")
"""


def run_and_kill(manifest: Path, out: Path, pattern: str, delay: float, how: int) -> subprocess.Popen[bytes]:
    """A job with two workers, signalled `delay` s after `out` first holds a file like `pattern`, and ended by that."""
    script = manifest.with_name("run.py")
    script.write_text(RUN)
    command = [sys.executable, str(script), str(manifest), str(out)]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL, start_new_session=True)
    deadline = time.monotonic() + 300
    while not list(out.glob(pattern)) and time.monotonic() < deadline:
        assert process.poll() is None
        time.sleep(0.001)
    time.sleep(delay)
    process.send_signal(how)
    process.wait(60)
    return process


def wait_until_gone(group: int) -> bool:
    """Whether all processes of a group end within 20 s."""
    for _ in range(200):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    return False


@pytest.mark.slow
def test_ctrl_c_then_a_kill_of_two_workers_and_the_next_run_has_the_bytes_of_one(tmp_path: Path) -> None:
    """With a bad clip that is skipped. A job of one process is killed in test_kill.py."""
    config = Preprocess(face="none", size=64, clips_per_shard=2)
    rows, out = make_rows(tmp_path / "source", 60), tmp_path / "out"
    spoil(rows, "toy/c03")
    manifest = write_manifest(rows, tmp_path / "manifest.csv")

    process = run_and_kill(manifest, out, "*/shard-00001*.json", 0.0, signal.SIGINT)
    assert process.returncode not in (0, None)
    assert list(out.glob("*/*.tfrecord"))
    assert not list(out.glob("*/.*"))
    assert wait_until_gone(process.pid), "workers outlive the run"

    process = run_and_kill(manifest, out, "*/shard-00009*.json", 0.02, signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert wait_until_gone(process.pid), "workers outlive the run"
    assert not list(out.glob("*/index.json"))

    by_two = {path: path.stat().st_mtime_ns for path in out.glob("*/shard-*.json")}
    one = write(rows, tmp_path / "one", config, on_error="skip")
    directory = write(rows, out, config, on_error="skip")
    assert directory.name == one.name
    assert tree(directory) == tree(one)
    assert {path: path.stat().st_mtime_ns for path in by_two} == by_two


@pytest.mark.slow
@pytest.mark.usefixtures("forked_workers")
def test_a_bad_clip_stops_two_workers(rows: list[ClipRow], tmp_path: Path) -> None:
    spoil(rows, "toy/c03")
    with pytest.raises(MerError, match=r"img101\.png"):
        write(rows, tmp_path / "out", workers=2)
