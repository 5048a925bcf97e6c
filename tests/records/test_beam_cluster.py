"""The Beam engine on a cluster that talks over TCP: workers and the scheduler die, and the bytes are the local ones."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from helpers.dask_cluster import Cluster, beside, running, until_busy
from helpers.tiny_clips import TINY, make_rows, tree

from mer_tf.config import MerError
from mer_tf.datasets.manifest import ClipRow
from mer_tf.records.write import write_records

INSTALLED = all(importlib.util.find_spec(name) for name in ("apache_beam", "distributed"))
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not INSTALLED, reason='Beam on Dask is not installed (pip install "apache-beam[dask]")'),
]


@pytest.fixture
def clips(tmp_path: Path) -> list[ClipRow]:
    return make_rows(tmp_path / "source", 12)


def write(rows: list[ClipRow], out: Path, cluster: Cluster) -> Path:
    """The job on the cluster, a clip a task."""
    beam = [*cluster.options, "dask_partition_size=1"]
    return write_records(rows, TINY, out, progress=False, engine="beam", beam=beam, on_error="skip")


def test_a_worker_dies_and_another_one_comes(clips: list[ClipRow], tmp_path: Path) -> None:
    spoiled = next(row for row in clips if row.clip_id == "toy/c03")
    (Path(spoiled.root) / spoiled.frames_dir / "img101.png").write_bytes(b"")
    local = write_records(clips, TINY, tmp_path / "local", progress=False, on_error="skip")
    with running(tmp_path, "first", "second") as cluster:
        thread, ended = beside(lambda: write(clips, tmp_path / "beam", cluster))
        until_busy(cluster, "first", ended)
        cluster.kill("first")
        cluster.work("third")
        thread.join(240)
        assert tree(ended[0]) == tree(local)
    assert "toy/c03" in (ended[0] / "errors.csv").read_text()


def test_the_scheduler_dies_and_the_same_command_goes_on(clips: list[ClipRow], tmp_path: Path) -> None:
    local = write_records(clips, TINY, tmp_path / "local", progress=False)
    with running(tmp_path, "first", "second") as cluster:
        thread, ended = beside(lambda: write(clips, tmp_path / "beam", cluster))
        until_busy(cluster, "first", ended)
        for name in ("scheduler", "first", "second"):
            cluster.kill(name)
        thread.join(240)
        assert isinstance(ended[0], MerError), ended
        assert "finished shards are kept" in str(ended[0])
        assert not list((tmp_path / "beam").rglob("index.json"))
        cluster.schedule()
        cluster.work("third")
        assert tree(write(clips, tmp_path / "beam", cluster)) == tree(local)
