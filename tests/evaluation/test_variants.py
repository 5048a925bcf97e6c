"""Every variant against scikit-learn, and what the variants are there to show."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score, matthews_corrcoef

from mer_tf.config import MerError
from mer_tf.evaluation.metrics import evaluate
from mer_tf.evaluation.variants import APART, metric_variants, per_subject, variant_warnings

CLASSES = np.array(["negative", "positive", "surprise"])


def table(n=90, seed=0, name="0"):
    """Uneven folds, three data sets, every class in each."""
    rng = np.random.default_rng(seed)
    true = np.r_[0, 1, 2, rng.choice(3, n - 3, p=[0.6, 0.25, 0.15])]
    predicted = np.where(rng.random(n) < 0.6, true, rng.integers(0, 3, n))
    people = np.sort(rng.integers(0, 9, n))
    return pd.DataFrame(
        {
            "clip_id": [f"c{k:02}" for k in range(n)],
            "dataset": np.array(["casme2", "samm", "smic-hs"])[people // 3],
            "subject": [f"s{p}" for p in people],
            "fold": people,
            "seed": name,
            "y_true": CLASSES[true],
            "y_pred": CLASSES[predicted],
        }
    )


def values(frame, dataset="all"):
    rows = metric_variants(frame)
    return rows[rows["dataset"] == dataset].set_index("metric")["value"]


def test_pooled_variants_equal_scikit_learn():
    frame = table()
    got, pair = values(frame), (frame["y_true"], frame["y_pred"])
    assert got["pooled accuracy"] == pytest.approx(accuracy_score(*pair))
    assert got["micro F1"] == pytest.approx(f1_score(*pair, average="micro"))
    assert got["macro F1 (UF1)"] == pytest.approx(f1_score(*pair, average="macro"))
    assert got["weighted F1"] == pytest.approx(f1_score(*pair, average="weighted"))
    assert got["UAR"] == pytest.approx(balanced_accuracy_score(*pair))
    assert got["MCC"] == pytest.approx(matthews_corrcoef(*pair))


def test_variants_over_folds_equal_scikit_learn_over_the_classes_of_each_fold():
    frame = table()
    got = values(frame)
    folds = [(p["y_true"], p["y_pred"]) for _, p in frame.groupby("fold")]
    accuracies = [accuracy_score(*pair) for pair in folds]
    macro = [f1_score(*pair, labels=pair[0].unique(), average="macro", zero_division=0) for pair in folds]
    assert got["mean-of-folds accuracy"] == pytest.approx(np.mean(accuracies))
    assert got["best-fold accuracy"] == pytest.approx(max(accuracies))
    assert got["mean-of-folds macro F1"] == pytest.approx(np.mean(macro))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn remarks that a fold lacks a class
        assert got["mean-of-folds UAR"] == pytest.approx(np.mean([balanced_accuracy_score(*pair) for pair in folds]))


def test_they_agree_with_evaluate():
    frame = table()
    got, result = values(frame), evaluate(frame, bootstrap=2, permutations=0)
    for metric, score in (("pooled accuracy", "accuracy"), ("UAR", "UAR"), ("macro F1 (UF1)", "UF1")):
        assert got[metric] == pytest.approx(result[score]["pooled"], abs=1e-6)
    assert got["mean-of-folds UAR"] == pytest.approx(result["mean_of_folds"]["UAR"], abs=1e-6)


def test_a_data_set_is_scored_alone_over_its_own_classes():
    frame = table()
    frame = frame[(frame["dataset"] != "samm") | (frame["y_true"] != "surprise")]
    samm = frame[frame["dataset"] == "samm"]
    assert values(frame, "samm")["UAR"] == pytest.approx(
        np.mean([(part["y_pred"] == name).mean() for name, part in samm.groupby("y_true")])
    )
    assert list(metric_variants(frame)["dataset"].unique()) == ["all", "casme2", "samm", "smic-hs"]
    assert list(metric_variants(samm)["dataset"].unique()) == ["all"]


def test_seeds_are_averaged():
    seeds = [table(seed=k, name=str(k)).assign(y_true=table()["y_true"], subject="s", fold=k % 2) for k in range(3)]
    each = pd.concat([values(seed) for seed in seeds], axis=1)
    pd.testing.assert_series_equal(values(pd.concat(seeds)), each.mean(axis=1), check_names=False)


def test_without_folds_the_variants_over_folds_are_left_out():
    assert not [m for m in values(table().drop(columns="fold")).index if "fold" in m]


def test_warnings_name_the_values_that_lie_apart():
    frame = pd.DataFrame(
        {
            "clip_id": list("abcdefghij"),
            "fold": list("0000000011"),
            "y_true": list("xxxxxxxyyx"),
            "y_pred": list("xxxxxxxxyx"),
        }
    )
    said = variant_warnings(metric_variants(frame))
    assert len(said) == 2  # UAR is .75 either way
    assert {(one.level, one.code) for one in said} == {("note", APART)}
    assert "pooled accuracy 90.0%" in said[0].text
    assert "mean-of-folds accuracy 93.8%" in said[0].text
    assert "10.0 points" in said[0].text
    assert variant_warnings(metric_variants(frame), points=30) == []
    assert variant_warnings(metric_variants(frame.assign(y_pred=frame["y_true"]))) == []


def test_per_subject_lists_each_with_its_main_confusion():
    frame = pd.DataFrame(
        {
            "clip_id": list("abcdefg"),
            "dataset": "smic-hs",
            "subject": list("1111122"),
            "y_true": list("xxxyyzz"),
            "y_pred": list("xyyyxzz"),
        }
    )
    first, second = per_subject(frame).to_dict("records")
    assert first == {
        "subject": "1",
        "dataset": "smic-hs",
        "n": 5,
        "accuracy": pytest.approx(2 / 5),
        "UAR": pytest.approx((1 / 3 + 1 / 2) / 2),
        "most_confused": "x as y (2 of 3)",
    }
    assert (second["accuracy"], second["UAR"], second["most_confused"]) == (1, 1, "")


def test_per_subject_counts_clips_not_rows_and_needs_subjects():
    frame = table()
    both = pd.concat([frame, frame.assign(seed="1")])
    assert per_subject(both)["n"].sum() == len(frame)
    pd.testing.assert_series_equal(per_subject(both)["UAR"], per_subject(frame)["UAR"])
    with pytest.raises(MerError, match="no subject column"):
        per_subject(frame.drop(columns="subject"))
