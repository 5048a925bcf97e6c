"""`mer-tf runs` lists runs with their figures and says which ended, in 120 columns, as CSV and as JSON."""

import dataclasses
import io
import json
import shutil
from datetime import datetime

import pandas as pd
import pytest
from helpers.made_up_runs import DRAWS, predictions, write_run

from mer_tf.cli import main
from mer_tf.config import Experiment
from mer_tf.errors import MerError
from mer_tf.evaluation.metrics import evaluate
from mer_tf.locks import held
from mer_tf.reporting.run_list import as_table, list_runs, run_date


def finish(directory, **results):
    (directory / "metrics.json").write_text(json.dumps({"warnings": [], "results": results}))
    return directory


@pytest.fixture(scope="module")
def scores():
    return evaluate(predictions(), bootstrap=50, permutations=50)


@pytest.fixture
def folder(tmp_path, scores):
    """A finished run, one of several methods, and one stopped in its second fold."""
    home = tmp_path / "runs" / "exp_made_up"
    finish(write_run(home / "20260102-030405-000-abcdef0"), exp_made_up=scores, **{"onset frame only": scores})
    finish(write_run(home / "20260103-030405-000-abcdef0"), STSTNet=scores, HTNet=scores)
    stopped = write_run(home / "20260104-030405-000-abcdef0")
    (stopped / "predictions.csv").unlink()
    (stopped / "metrics.json").unlink()
    (stopped / "fold-0" / "predictions.csv").touch()
    return tmp_path / "runs"


def test_a_finished_run_has_its_figures(folder, scores):
    line = list_runs(folder)[0]
    assert (line.experiment, line.date, line.dataset) == ("exp_made_up", "2026-01-02 03:04", "smic-hs, drawn")
    assert (line.n, line.state) == (36, "finished")
    assert [line.UF1, line.UAR, line.accuracy] == [scores[name]["pooled"] for name in ("UF1", "UAR", "accuracy")]
    assert [line.UAR_low, line.UAR_high] == scores["UAR"]["ci95"]
    assert line.majority_rate == scores["majority_rate"]


def test_methods_of_one_run_have_a_line_each(folder):
    assert [one.experiment for one in list_runs(folder)][1:3] == ["exp_made_up: STSTNet", "exp_made_up: HTNet"]


def test_a_stopped_run_names_the_fold(folder):
    last = list_runs(folder)[-1]
    assert (last.state, last.n) == ("stopped at fold 1", None)
    with held(folder / "exp_made_up" / "20260104-030405-000-abcdef0"):
        assert list_runs(folder)[-1].state == "running, fold 1"


@pytest.mark.parametrize(
    ("seeds", "split", "done", "said"),
    [
        (2, "group", ("seed-0/fold-0", "seed-0/fold-1", "seed-0/fold-2"), "stopped at fold 0, seed 1"),
        (1, "loso", ("fold-0", "fold-1"), "stopped at fold 2"),
        (1, "group", ("fold-0", "fold-1", "fold-2"), "stopped at results"),
        (1, "group", (), "stopped at fold 0"),
    ],
)
def test_what_is_left_of_a_run_is_said(tmp_path, seeds, split, done, said):
    evaluation = dataclasses.replace(DRAWS, seeds=seeds, split=split)
    run = write_run(tmp_path / "run", Experiment("e", evaluation=evaluation))
    (run / "predictions.csv").unlink()
    (run / "metrics.json").unlink()
    for fold in run.glob("**/fold-*"):
        shutil.rmtree(fold)
    for name in done:
        (run / name).mkdir(parents=True)
        (run / name / "predictions.csv").touch()
    assert [one.state for one in list_runs(tmp_path)] == [said]


def test_the_table_fits_and_names_the_folder(folder):
    deep = folder.parent / ("deep" * 30)
    shutil.copytree(folder, deep)
    text = as_table(list_runs(folder.parent))
    assert max(map(len, text.splitlines())) <= 120
    assert f"exp_made_up in {folder.as_posix()}/exp_made_up" in as_table(list_runs(folder))
    assert "stopped at fold 1" in text
    assert as_table([]) == "no runs"


@pytest.mark.parametrize("form", ["csv", "json"])
def test_programs_read_the_same(folder, form, capsys):
    main(["runs", str(folder), "--form", form])
    text = capsys.readouterr().out
    rows = pd.read_csv(io.StringIO(text)).to_dict("records") if form == "csv" else json.loads(text)
    assert [row["state"] for row in rows] == ["finished", "finished", "finished", "stopped at fold 1"]
    assert rows[0]["UAR"] == list_runs(folder)[0].UAR


def test_what_is_no_run_is_left_out_and_no_folder_is_said(tmp_path):
    (tmp_path / "config.json").write_text("[]")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "config.json").write_text('{"experiment": 3}')
    assert list_runs(tmp_path) == []
    with pytest.raises(MerError, match="is no folder; give the one that runs were written into"):
        list_runs(tmp_path / "nowhere")


def test_the_date_is_what_the_run_says_else_its_name(tmp_path):
    (tmp_path / "config.json").touch()
    assert run_date(tmp_path, {"started": "2026-05-06T07:08:09"}) == datetime(2026, 5, 6, 7, 8, 9)
    assert run_date(tmp_path / "20260102-030405-000-abcdef0", {}) == datetime(2026, 1, 2, 3, 4, 5)
    assert run_date(tmp_path, {}).year >= 2026
    assert run_date(tmp_path, {"started": "soon"}).year >= 2026


def test_other_figures_are_none(folder):
    run = folder / "exp_made_up" / "20260102-030405-000-abcdef0"
    finish(run, exp_made_up={"UAR": 0.5})
    line = list_runs(folder)[0]
    assert (line.state, line.UAR) == ("finished", None)
