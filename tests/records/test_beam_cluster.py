"""The Beam engine on a cluster that talks over TCP: workers and the scheduler die, and the bytes are the local ones."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from helpers.dask_cluster import Cluster, through_deaths
from helpers.tiny_clips import TINY, make_rows, tree

from mer_tf.records.write import write_records

INSTALLED = all(importlib.util.find_spec(name) for name in ("apache_beam", "distributed"))
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not INSTALLED, reason='Beam on Dask is not installed (pip install "apache-beam[dask]")'),
]


def test_scheduler_and_workers_die_and_the_same_command_goes_on(tmp_path: Path) -> None:
    """With the first workers everything ends; then one dies while another one works on."""
    clips = make_rows(tmp_path / "source", 12)
    spoiled = next(row for row in clips if row.clip_id == "toy/c03")
    (Path(spoiled.root) / spoiled.frames_dir / "img101.png").write_bytes(b"")

    def write(cluster: Cluster) -> Path:
        """The job on the cluster, a clip a task."""
        assert not list((tmp_path / "beam").rglob("index.json"))
        beam = [*cluster.options, "dask_partition_size=1"]
        return write_records(clips, TINY, tmp_path / "beam", progress=False, engine="beam", beam=beam, on_error="skip")

    written = through_deaths(tmp_path, write, kept="finished shards are kept")
    assert tree(written) == tree(write_records(clips, TINY, tmp_path / "local", progress=False, on_error="skip"))
    assert "toy/c03" in (written / "errors.csv").read_text()
