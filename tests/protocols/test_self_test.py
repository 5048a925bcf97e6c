"""Each self-test fails when what it guards is broken, and its failure stops the run with the reason."""

import dataclasses
import json

import numpy as np
import pytest

from mer_tf.config import MerError
from mer_tf.evaluation import self_test as checks
from mer_tf.evaluation.folds import Fold
from mer_tf.evaluation.self_test import Check, fold_checks, prediction_checks, require
from mer_tf.inputs.batches import FeatureStore
from mer_tf.protocols.self_test import FILE, after_training, before_training


def test_a_sound_run_passes_and_is_recorded(make_bench, experiment, frame, tmp_path):
    bench, clips = make_bench()
    before_training(experiment, clips, bench, tmp_path)
    after_training(frame, list(bench.classes), tmp_path)
    after_training(frame, list(bench.classes), tmp_path)
    kept = json.loads((tmp_path / FILE).read_text())
    assert len(kept) == len({c["check"] for c in kept}) == 7
    assert all(c["passed"] for c in kept)


def test_a_leaked_subject_and_a_twin_clip_are_found(make_bench):
    _, clips = make_bench()
    rows = list(range(len(clips.table)))
    leaky = [Fold(0, tuple(rows[1:]), (0,)), Fold(1, (0,), tuple(rows[1:]))]
    assert [c.passed for c in fold_checks(clips.table, leaky, "group")] == [False, True]
    twins = clips.table.assign(content_sha256="same")
    assert [c.passed for c in fold_checks(twins, leaky, "clip")] == [True, False]


def test_labels_that_reach_the_features_stop_the_run(make_bench, experiment, tmp_path, monkeypatch):
    """A feature that carries whatever label is dealt: the probe then beats chance on shuffled labels."""
    bench, clips = make_bench()
    monkeypatch.setattr("mer_tf.protocols.self_test.motion_probe_uars", lambda *_, **__: [0.9] * 10)
    with pytest.raises(MerError, match="a probe trained on shuffled labels scores chance: UAR 0.900"):
        before_training(experiment, clips, bench, tmp_path)
    assert not all(c["passed"] for c in json.loads((tmp_path / FILE).read_text()))


def test_a_probe_that_sees_the_labels_is_above_chance(make_bench):
    """The probe itself can fail: with the training clips tested again it remembers shuffled labels."""
    from mer_tf.training.baselines import motion_probe_uars

    bench, clips = make_bench()
    rows, labels = tuple(range(36)), clips.table["label"].to_numpy()
    rng = np.random.default_rng(0)
    noisy = FeatureStore({k: rng.normal(size=(8, 40)).astype("float32") for k in bench.store.plain}, {})
    seen = motion_probe_uars(noisy, bench.ids(rows), [Fold(0, rows, rows)], labels, 5, seed=0)
    unseen = motion_probe_uars(noisy, bench.ids(rows), bench.folds(), labels, 5, seed=0)
    assert np.mean(seen) > 0.9
    assert np.mean(unseen) < 0.5


def test_a_split_that_follows_the_row_order_stops_the_run(make_bench, experiment, tmp_path, monkeypatch):
    bench, clips = make_bench()

    def unsorted(*_):
        return clips.labelled[::-1]

    monkeypatch.setattr("mer_tf.protocols.self_test.label_clips", unsorted)
    with pytest.raises(MerError, match="order of the manifest's rows"):
        before_training(experiment, clips, bench, tmp_path)


def test_an_oracle_that_does_not_score_one_stops_the_run(frame, tmp_path, monkeypatch):
    """As when class names and probability columns are not in one order."""
    real = checks.confusion
    monkeypatch.setattr(checks, "confusion", lambda table, classes: np.roll(real(table, classes), 1, axis=1))
    with pytest.raises(MerError, match="an oracle scores 1"):
        after_training(frame, ["negative", "positive", "surprise"], tmp_path)


def test_metrics_that_depend_on_row_order_stop_the_run(frame, monkeypatch):
    monkeypatch.setattr(checks, "evaluate", lambda table, **_: table["clip_id"].iloc[0])
    failed = [c.check for c in prediction_checks(frame, frame.assign(y_pred=frame["y_true"])) if not c.passed]
    assert failed == ["the order of the predictions' rows changes nothing"]


def test_require_names_every_failure():
    with pytest.raises(MerError, match="a: x; b: y"):
        require([Check("a", False, "x"), Check("fine", True, ""), Check("b", False, "y")])


def test_shuffled_labels_are_a_negative_control(make_bench, experiment):
    shuffled = dataclasses.replace(experiment, data=dataclasses.replace(experiment.data, shuffle_labels=True))
    (_, true), (_, dealt) = make_bench(), make_bench(shuffled)
    assert sorted(true.table["label"]) == sorted(dealt.table["label"])
    assert true.table["label"].tolist() != dealt.table["label"].tolist()
