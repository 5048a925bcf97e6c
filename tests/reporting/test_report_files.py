"""Run directories of every kind are read: finished, unfinished, with several seeds, broken in part, and none at all."""

import json

import pytest
from helpers.made_up_runs import predictions, write_run

from mer_tf.config import MerError
from mer_tf.reporting.run_files import in_number_order, read_run


def test_a_directory_that_is_no_run_is_named_with_what_it_lacks(tmp_path):
    with pytest.raises(MerError, match=r"no run directory, config.json is missing; name the folder a run printed"):
        read_run(tmp_path)
    (tmp_path / "config.json").write_text('{"experiment": []}')
    with pytest.raises(MerError, match="has no experiment with a name"):
        read_run(tmp_path)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(MerError, match="not valid JSON"):
        read_run(tmp_path)


def test_a_finished_run_has_everything(whole_run):
    run = read_run(whole_run)
    assert (run.name, run.resolved["encoder"], run.problems) == ("exp_made_up", "mtcnn-onet", ())
    assert run.settings["evaluation.folds"] == 3
    assert (len(run.predictions), len(run.baseline), len(run.manifest)) == (36, 36, 37)
    assert run.history.groupby("fold")["epoch"].max().to_dict() == {"0": 4, "1": 4, "2": 4}
    assert list(run.worst["p_true"]) == ["0.02"]
    assert list(run.pictures["section"]) == ["gradcam", "gradcam"]


def test_settings_the_run_did_not_know_have_their_default(run_directory):
    config = json.loads((run_directory / "config.json").read_text())
    del config["experiment"]["evaluation"]["seeds"], config["experiment"]["search"]
    (run_directory / "config.json").write_text(json.dumps(config))
    settings = read_run(run_directory).settings
    assert (settings["evaluation.seeds"], settings["search.epochs"]) == (1, ())


def test_an_unfinished_run_has_no_predictions(run_directory):
    (run_directory / "predictions.csv").unlink()
    assert read_run(run_directory).predictions is None


def test_histories_of_several_seeds_are_told_apart(tmp_path):
    run = read_run(write_run(tmp_path / "run", frame=predictions(seeds=(0, 11))))
    assert sorted(set(zip(run.history["seed"], run.history["fold"], strict=True))) == [
        (seed, fold) for seed in ("0", "11") for fold in ("0", "1", "2")
    ]


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("metrics.json", "{", "metrics.json: not valid JSON"),
        ("env.json", "[]", "env.json: is not the dict it should be"),
        ("self_test.json", "{}", "self_test.json: is not the list it should be"),
        ("manifest.csv", "a,b\n1,2\n", "manifest.csv: lacks the columns clip_id"),
        ("fold-1/history.csv", "loss\n1\n", "history.csv: lacks the columns epoch"),
        ("baseline_onset.csv", "clip_id,y_true,y_pred\na,,x\n", "baseline_onset.csv, line 2: y_true is empty"),
        ("worst/worst.csv", "", "worst.csv: not a CSV file"),
    ],
)
def test_a_broken_optional_file_is_a_problem_and_loses_nothing_else(run_directory, name, text, problem):
    (run_directory / name).write_text(text)
    run = read_run(run_directory)
    assert len(run.problems) == 1
    assert problem in run.problems[0]
    assert len(run.predictions) == 36


def test_broken_predictions_are_an_error_with_their_line(run_directory):
    (run_directory / "predictions.csv").write_text("clip_id,y_true,y_pred\na,x,x\na,x,x\n")
    with pytest.raises(MerError, match=r"predictions.csv, line 3: a is predicted more than once"):
        read_run(run_directory)


def test_folds_are_ordered_as_numbers():
    assert in_number_order(["10", "2", "2", "x", "1"]) == ["1", "2", "10", "x"]
