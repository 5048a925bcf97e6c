"""A grid of settings in one table: every combination once, finished runs kept, published figures beside."""

import dataclasses
from pathlib import Path

import pandas as pd
import pytest

from mer_tf.cli.script import main
from mer_tf.code_version import CODE
from mer_tf.files import write_json
from mer_tf.protocols.sweep import sweep, sweep_text
from mer_tf.study import Study

GRID = {"clip.frames": (11, 13), "train.batch_size": (10, 20)}


@pytest.fixture(scope="module")
def swept(frame, experiment, tmp_path_factory):
    """The folder, settings, table and stand-in for a run of a sweep, and what the stand-in was asked."""
    asked, home = [], tmp_path_factory.mktemp("sweep")

    def run(experiment):
        asked.append(experiment)
        folder = Path(experiment.out) / experiment.name / f"run-{len(asked)}"
        folder.mkdir(parents=True)
        frame.to_csv(folder / "predictions.csv", index=False)
        write_json(folder / "config.json", {"experiment": dataclasses.asdict(experiment)})
        write_json(folder / "env.json", {"code": CODE})
        write_json(folder / "metrics.json", {})
        return folder

    settings = dataclasses.replace(experiment, published=("C/T3/LSTM/N13", "C/T4/LSTM"))
    return home, settings, sweep(settings, GRID, home, run), run, asked


def test_every_combination_is_run_once_and_published_figures_stand_beside(swept):
    home, _, table, _, asked = swept
    assert [(e.clip.frames, e.train.batch_size) for e in asked] == [(11, 10), (11, 20), (13, 10), (13, 20)]
    assert table["published"].tolist() == ["", "", "57.58", "57.58"]
    assert table["pooled accuracy"].tolist() == pytest.approx([2 / 3] * 4)
    assert pd.read_csv(home / "sweep.csv")["clip.frames"].tolist() == [11, 11, 13, 13]
    assert "a search, not an estimate" in sweep_text(table)


def test_finished_runs_are_kept(swept):
    home, settings, first, run, asked = swept
    assert sweep(settings, GRID, home, run).equals(first)
    assert len(asked) == 4


def test_a_script_without_a_grid_has_no_sweep(experiment, capsys):
    with pytest.raises(SystemExit):
        main(Study(experiment, experiment), ["--sweep"])
    assert "unknown command 'sweep'; known: 'run'" in capsys.readouterr().err
