"""Metrics against scikit-learn, invariants, intervals and p-values."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, f1_score, recall_score

from mer_tf.config import MerError
from mer_tf.evaluation.metrics import class_names, confusion, evaluate, scores

CLASSES = ["negative", "positive", "surprise"]


def table(n=120, skill=0.6, seed=0, subjects=12):
    rng = np.random.default_rng(seed)
    true = rng.integers(0, 3, n)
    predicted = np.where(rng.random(n) < skill, true, rng.integers(0, 3, n))
    columns = {f"p_{c}": 0.0 for c in CLASSES}
    return pd.DataFrame(
        {
            "clip_id": [f"c{k}" for k in range(n)],
            "subject": [f"s{k % subjects}" for k in range(n)],
            "fold": [k % subjects % 4 for k in range(n)],
            "y_true": np.array(CLASSES)[true],
            "y_pred": np.array(CLASSES)[predicted],
            **columns,
        }
    )


def test_scores_equal_scikit_learn():
    frame = table()
    accuracy, uar, uf1 = scores(confusion(frame, CLASSES))
    assert accuracy == pytest.approx(accuracy_score(frame.y_true, frame.y_pred))
    assert uar == pytest.approx(recall_score(frame.y_true, frame.y_pred, average="macro"))
    assert uf1 == pytest.approx(f1_score(frame.y_true, frame.y_pred, average="macro"))


def test_oracle_scores_one_and_rows_may_be_permuted():
    frame = table()
    oracle = evaluate(frame.assign(y_pred=frame.y_true), permutations=99)
    assert [oracle[s]["pooled"] for s in ("accuracy", "UAR", "UF1")] == [1, 1, 1]
    shuffled = frame.sample(frac=1, random_state=3)
    first, second = evaluate(frame, permutations=0), evaluate(shuffled, permutations=0)
    for score in ("accuracy", "UAR", "UF1"):
        assert first[score]["pooled"] == second[score]["pooled"]


def test_majority_vote_scores_the_majority_rate_and_chance_uar():
    frame = table()
    top = frame.y_true.value_counts().idxmax()
    result = evaluate(frame.assign(y_pred=top), permutations=99)
    assert result["accuracy"]["pooled"] == pytest.approx(result["majority_rate"], abs=1e-6)
    assert result["UAR"]["pooled"] == pytest.approx(1 / 3, abs=1e-6)
    assert result["permutation_p_UAR"] == 1


def test_p_is_small_with_skill_and_spread_without():
    assert evaluate(table(skill=0.6), permutations=999)["permutation_p_UAR"] == 0.001
    p = [evaluate(table(skill=0, seed=s), permutations=199, bootstrap=2)["permutation_p_UAR"] for s in range(40)]
    assert 0.3 < np.mean(p) < 0.7


def test_interval_covers_the_value_and_widens_when_subjects_differ():
    frame = table(n=240)
    result = evaluate(frame, permutations=0)
    low, high = result["accuracy"]["ci95"]
    assert low < result["accuracy"]["pooled"] < high
    # The same counts, but each subject all right or all wrong.
    right = frame.subject.isin(["s0", "s1", "s2", "s3", "s4", "s5", "s6"])
    other = frame.y_true.map(dict(zip(CLASSES, CLASSES[1:] + CLASSES[:1], strict=True)))
    clustered = evaluate(frame.assign(y_pred=frame.y_true.where(right, other)), permutations=0)
    wide_low, wide_high = clustered["accuracy"]["ci95"]
    assert wide_high - wide_low > 2 * (high - low)


def test_without_subjects_the_result_says_what_the_interval_is_over():
    result = evaluate(table().drop(columns="subject"), permutations=0)
    assert result["subjects"] is None
    assert "clips" in result["interval_over"]


def test_class_order_follows_the_probability_columns():
    frame = table().rename(columns={"p_negative": "p_zz"})
    assert class_names(table()) == CLASSES
    assert class_names(frame) == sorted(CLASSES)
    assert class_names(table()[["y_true", "y_pred"]]) == CLASSES


def test_mean_of_folds_is_named_and_differs_from_pooled():
    frame = table(n=50)
    result = evaluate(frame, permutations=0)
    expected = np.mean([accuracy_score(p.y_true, p.y_pred) for _, p in frame.groupby("fold")])
    assert result["mean_of_folds"]["accuracy"] == pytest.approx(expected, abs=1e-6)


def seeds(*numbers):
    """Repeated trainings: the same clips, other predictions."""
    tables = [table(seed=k).assign(seed=str(k)) for k in numbers]
    return pd.concat([t.assign(y_true=tables[0]["y_true"]) for t in tables])


def test_seeds_are_averaged_and_clips_counted_once():
    frame = seeds(0, 1, 2)
    result = evaluate(frame, permutations=99)
    each = [accuracy_score(p.y_true, p.y_pred) for _, p in frame.groupby("seed")]
    assert (result["n"], result["seeds"]) == (120, 3)
    assert result["accuracy"]["pooled"] == pytest.approx(np.mean(each), abs=1e-6)
    assert result["sd_over_seeds"]["accuracy"] == pytest.approx(np.std(each, ddof=1), abs=1e-6)
    assert sum(c["support"] for c in result["per_class"].values()) == 120
    folds = [accuracy_score(p.y_true, p.y_pred) for _, p in frame.groupby(["seed", "fold"])]
    assert result["mean_of_folds"]["accuracy"] == pytest.approx(np.mean(folds), abs=1e-6)


def test_the_same_seed_twice_changes_no_number():
    frame = table().assign(seed="0")
    once, twice = (
        evaluate(f, permutations=199) for f in (frame, pd.concat([frame, frame.assign(seed="1")], ignore_index=True))
    )
    assert twice.pop("sd_over_seeds") == dict.fromkeys(("accuracy", "UAR", "UF1"), 0.0)
    assert {k: v for k, v in once.items() if k != "seeds"} == {k: v for k, v in twice.items() if k != "seeds"}


@pytest.mark.parametrize("left_out", [[], ["seed"], ["fold"], ["subject"], ["seed", "fold", "subject"]])
def test_the_order_of_rows_changes_nothing(left_out):
    frame = (table().assign(seed="0") if "seed" in left_out else seeds(0, 1)).drop(columns=left_out)
    mixed = frame.sample(frac=1, random_state=5)
    assert evaluate(frame, bootstrap=100, permutations=99) == evaluate(mixed, bootstrap=100, permutations=99)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.iloc[1:], "c0 has no prediction for seed 0"),
        (lambda f: pd.concat([f, f.iloc[:1]]), "c0 is predicted more than once"),
        (lambda f: f.assign(y_true=["positive", *f["y_true"][1:]]), "c0 has another y_true in another seed"),
        (lambda f: f.assign(subject=["zz", *f["subject"][1:]]), "c0 has another subject in another seed"),
    ],
)
def test_tables_whose_seeds_do_not_match_are_refused(change, message):
    with pytest.raises(MerError, match=message):
        evaluate(change(seeds(0, 1)), permutations=0)
