"""The Apache Beam engine: shards, names and bytes of the local one, on the DirectRunner with several workers."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest
from helpers.tiny_clips import TINY, tree

from mer_tf.config import MerError
from mer_tf.datasets.manifest import ClipRow
from mer_tf.records.inspect import check
from mer_tf.records.write import write_records

INSTALLED = importlib.util.find_spec("apache_beam") is not None
needs_beam = pytest.mark.skipif(not INSTALLED, reason='Apache Beam is not installed (pip install "mer_tf[beam]")')


def write(rows: list[ClipRow], out: Path, **options: Any) -> Path:
    return write_records(rows, TINY, out, progress=False, **options)


def spoil(rows: list[ClipRow], clip_id: str) -> bytes:
    """Empty one frame of a clip; returns what it held."""
    row = next(r for r in rows if r.clip_id == clip_id)
    path = Path(row.root) / row.frames_dir / "img101.png"
    whole = path.read_bytes()
    path.write_bytes(b"")
    return whole


@needs_beam
@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_beam_writes_the_bytes_of_the_local_engine(rows: list[ClipRow], tmp_path: Path, workers: int) -> None:
    spoil(rows, "toy/c03")
    local = write(rows, tmp_path / "local", on_error="skip")
    beam = write(rows, tmp_path / "beam", on_error="skip", engine="beam", workers=workers)
    assert beam.name == local.name
    assert tree(beam) == tree(local)
    assert check(beam, progress=False) == []


@needs_beam
@pytest.mark.slow
def test_beam_goes_on_where_the_local_engine_stopped(
    rows: list[ClipRow], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Paths relative to the working directory reach workers that start elsewhere."""
    monkeypatch.chdir(tmp_path)
    whole = write(rows, Path("whole"))
    broken = write(rows, Path("broken"))
    for name in ("index.json", "shard-00001-of-00003.json"):
        (broken / name).unlink()
    kept = (broken / "shard-00000-of-00003.tfrecord").stat().st_mtime_ns
    write(rows, Path("broken"), engine="beam", workers=2)
    assert tree(broken) == tree(whole)
    assert (broken / "shard-00000-of-00003.tfrecord").stat().st_mtime_ns == kept


@needs_beam
def test_a_bad_clip_stops_beam_at_the_end_and_is_mended_by_the_next_run(rows: list[ClipRow], tmp_path: Path) -> None:
    local = write(rows, tmp_path / "local")
    whole = spoil(rows, "toy/c03")
    with pytest.raises(MerError, match=r"clip03/img101\.png: the file is empty"):
        write(rows, tmp_path / "beam", engine="beam")
    (directory,) = (tmp_path / "beam").iterdir()
    assert not (directory / "index.json").exists()
    (tmp_path / "source" / "s0" / "clip03" / "img101.png").write_bytes(whole)
    assert tree(write(rows, tmp_path / "beam", engine="beam")) == tree(local)


@needs_beam
def test_a_pipeline_that_cannot_run_is_said(rows: list[ClipRow], tmp_path: Path) -> None:
    with pytest.raises(MerError, match="NoSuchRunner"):
        write(rows, tmp_path / "out", engine="beam", beam=["runner=NoSuchRunner"])


@pytest.mark.skipif(INSTALLED, reason="Apache Beam is installed")
def test_without_beam_the_engine_says_what_to_install(rows: list[ClipRow], tmp_path: Path) -> None:
    with pytest.raises(MerError, match=r"pip install \"mer_tf\[beam\]\""):
        write(rows, tmp_path / "out", engine="beam")


def test_beam_options_without_beam_are_refused(rows: list[ClipRow], tmp_path: Path) -> None:
    with pytest.raises(MerError, match="add --engine beam"):
        write(rows, tmp_path / "out", beam=["runner=FlinkRunner"])
