"""Folds, seeds and nested choice on drawn features, through the real train loop."""

import shutil
from dataclasses import replace
from functools import cache

import keras
import pandas as pd
import pytest

from mer_tf.changes import changed
from mer_tf.config import Evaluation, MerError, Search
from mer_tf.protocols.cross_validation import cross_validate, untrained
from mer_tf.protocols.self_test import before_training
from mer_tf.protocols.summary import summarise

pytestmark = pytest.mark.usefixtures("quick")


def ran(make_bench, experiment, folder):
    bench, clips = make_bench(experiment)
    before_training(experiment, clips, bench, folder)
    cross_validate(bench, folder)
    summarise(bench, clips, folder)
    return pd.read_csv(folder / "predictions.csv")


@pytest.fixture(scope="module")
def finished(make_bench, experiment, tmp_path_factory, quick):
    """finished(split) -> the folder of a run, the same for all tests."""

    @cache
    def run(split):
        folder = tmp_path_factory.mktemp(split)
        ran(make_bench, replace(experiment, evaluation=replace(experiment.evaluation, split=split)), folder)
        return folder

    return run


@pytest.mark.parametrize(
    ("split", "folds"),
    [
        ("group", 3),
        *(pytest.param(split, 3, marks=pytest.mark.slow) for split in ("group-plain", "clip")),
        pytest.param("loso", 6, marks=pytest.mark.slow),
    ],
)
def test_each_protocol_predicts_every_clip_once(finished, split, folds):
    frame = pd.read_csv(finished(split) / "predictions.csv")
    assert frame["clip_id"].is_unique
    assert (len(frame), frame["fold"].nunique()) == (36, folds)
    assert len(list(finished(split).glob("fold-*/history.csv"))) == folds
    assert (frame["y_true"] == frame["y_pred"]).mean() > 0.6


@pytest.mark.slow
def test_nested_choice_sees_no_test_subject_and_is_written(make_bench, experiment, tmp_path):
    search, evaluation = (
        Search(epochs=(1, 4), learning_rate=(1e-9, 2e-2), folds=2),
        replace(experiment.evaluation, folds=2),
    )
    frame = ran(make_bench, replace(experiment, search=search, evaluation=evaluation), tmp_path)
    choice = pd.read_csv(tmp_path / "fold-0" / "choice.csv")
    assert len(choice) == 4
    best = choice.loc[choice["UAR"].idxmax()]
    assert best["learning_rate"] == pytest.approx(2e-2)
    assert len(pd.read_csv(tmp_path / "fold-0" / "history.csv")) == best["epochs"]
    assert (frame["y_true"] == frame["y_pred"]).mean() > 0.6


@pytest.mark.slow
def test_early_stopping_chooses_the_epochs_on_inner_subjects(make_bench, experiment, tmp_path):
    search, evaluation = Search(patience=2, folds=2), replace(experiment.evaluation, folds=2)
    train = replace(experiment.train, epochs=200)
    frame = ran(make_bench, replace(experiment, search=search, evaluation=evaluation, train=train), tmp_path)
    (choice,) = pd.read_csv(tmp_path / "fold-0" / "choice.csv").to_dict("records")
    assert choice["epochs"] < 200
    assert len(pd.read_csv(tmp_path / "fold-0" / "history.csv")) == choice["epochs"]
    assert (frame["y_true"] == frame["y_pred"]).mean() > 0.6


@pytest.mark.slow
def test_several_seeds_train_each_fold_anew(make_bench, experiment, tmp_path):
    twice = replace(experiment.evaluation, folds=2, seeds=2)
    frame = ran(make_bench, replace(experiment, evaluation=twice), tmp_path)
    assert sorted(frame["seed"].unique()) == [0, 1]
    assert frame.groupby("clip_id").size().eq(2).all()
    one, two = (frame[frame["seed"] == s].sort_values("clip_id")["p_negative"].to_numpy() for s in (0, 1))
    assert (one != two).any()


def test_a_finished_fold_is_not_trained_again(make_bench, experiment, finished, tmp_path):
    run = shutil.copytree(finished("group"), tmp_path / "run")
    before = (run / "fold-1" / "model.keras").stat().st_mtime_ns
    (run / "fold-0" / "predictions.csv").unlink()
    again = ran(make_bench, experiment, run)
    assert len(again) == 36
    assert (run / "fold-1" / "model.keras").stat().st_mtime_ns == before


def test_across_data_sets_only_the_asked_ones_are_tested(make_bench, experiment, tmp_path):
    bench, _ = make_bench(experiment)
    bench.clips["dataset"] = ["smic-hs" if s < "smic/s3" else "samm" for s in bench.clips["subject"]]
    bench.experiment = replace(experiment, evaluation=Evaluation(split="cross-dataset", test_on=("samm",)))
    cross_validate(bench, tmp_path)
    frame = pd.read_csv(tmp_path / "fold-0" / "predictions.csv")
    assert set(frame["dataset"]) == {"samm"}
    assert len(frame) == 18


def test_too_many_folds_say_how_many_there_may_be(make_bench, experiment, tmp_path):
    wanted = replace(experiment, evaluation=replace(experiment.evaluation, folds=7))
    with pytest.raises(MerError, match="choose 2 to 6 folds"):
        ran(make_bench, wanted, tmp_path)


def test_folds_are_separate_units(make_bench, experiment, finished, tmp_path):
    bench, _ = make_bench(experiment)
    cross_validate(bench, tmp_path, only=[])
    assert len(untrained(bench, tmp_path)) == 3
    cross_validate(bench, tmp_path, only=[2])
    assert [fold.number for _, fold, _ in untrained(bench, tmp_path)] == [0, 1]
    alone = (tmp_path / "fold-2" / "predictions.csv").read_bytes()
    assert (finished("group") / "fold-2" / "predictions.csv").read_bytes() == alone
    with pytest.raises(MerError, match="there are folds 0 to 2"):
        cross_validate(bench, tmp_path, only=[3])


def test_auto_goes_by_what_was_measured_of_the_model(make_bench, experiment, monkeypatch):
    """On a CPU XLA makes the LSTM on features faster; another network's step stays as it is traced."""
    monkeypatch.setattr(keras.distribution, "list_devices", lambda: ["cpu:0"])
    bench, _ = make_bench(changed(experiment, {"train.jit_compile": "auto"}))
    assert bench.recipe.jit_compile is True
    monkeypatch.setattr(type(bench.network), "xla_on_cpu", False)
    assert bench.recipe.jit_compile is False
