"""Predictions by Apache Beam: the bytes of one process, on a cluster whose parts die."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pandas as pd
import pytest
from helpers.dask_cluster import Cluster, through_deaths
from helpers.own_folders import write_clip
from helpers.running import mer_tf

from mer_tf.serving import answers
from mer_tf.serving.answers import predict_paths
from mer_tf.serving.by_beam import ByBeam
from mer_tf.serving.trained import load_run

INSTALLED = all(importlib.util.find_spec(name) for name in ("apache_beam", "distributed"))
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not INSTALLED, reason='Beam on Dask is not installed (pip install "apache-beam[dask]")'),
]


@pytest.fixture
def clips(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Five clips, a picture of one of which is none, predicted two at a time."""
    for n in range(5):
        write_clip(tmp_path / "clips" / f"clip{n}", seed=90 + n)
    (tmp_path / "clips" / "clip1" / "img002.png").write_bytes(b"")
    monkeypatch.setattr(answers, "GROUP", 2)
    return tmp_path / "clips"


def results(out: Path) -> dict[str, bytes]:
    """All files but those that the pipeline keeps for itself."""
    paths = (p for p in out.rglob("*") if p.is_file() and p.relative_to(out).parts[0] not in ("work", ".work.lock"))
    return {p.relative_to(out).as_posix(): p.read_bytes() for p in paths}


def test_parts_of_a_cluster_die_and_the_same_command_goes_on_to_the_bytes_of_one_process(
    clips: Path, own_run: Path, tmp_path: Path
) -> None:
    beam, local = tmp_path / "beam", tmp_path / "local"

    def predict(cluster: Cluster) -> None:
        engine = ByBeam(own_run, True, beam / "work", cluster.options)
        predict_paths(load_run(own_run), [clips], beam, pictures=False, engine=engine)

    assert through_deaths(tmp_path, predict) is None
    line = ("predict", clips, "--run", own_run, "--final", "True", "--no-pictures", "--out")
    mer_tf(*line, local)
    assert results(beam) == results(local)
    (error,) = pd.read_csv(beam / "errors.csv").to_dict("records")
    assert error["clip_id"] == "new/clips/clip1"
    assert "img002.png" in error["reason"]

    notes = sorted((beam / "work").glob("answers-*.json"))
    times = [note.stat().st_mtime_ns for note in notes]
    write_clip(clips / "clip9", seed=99)
    mer_tf(*line, beam, "--engine", "beam")
    changed = [note.stat().st_mtime_ns != time for note, time in zip(notes, times, strict=True)]
    assert changed == [True, False, True], "the group with the spoiled clip, and that of the new one"
    assert len(pd.read_csv(beam / "predictions.csv")) == 5
