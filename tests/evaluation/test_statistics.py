"""Permutation tests and intervals against scipy, full enumeration and cases with a known answer."""

from itertools import permutations, product

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from mer_tf.config import MerError
from mer_tf.evaluation.metrics import evaluate, scores
from mer_tf.evaluation.resampling import bootstrap_scores, cluster_interval, permutation_p
from mer_tf.evaluation.statistics import paired_permutation


def table(right, subjects, truth=None, **columns):
    """One clip a row: class x or y, predicted right or wrong."""
    truth = truth or ["x", "y"] * (len(right) // 2)
    wrong = {"x": "y", "y": "x"}
    predicted = [t if r else wrong[t] for t, r in zip(truth, right, strict=True)]
    clips = [f"c{k}" for k in range(len(right))]
    return pd.DataFrame({"clip_id": clips, "subject": subjects, "y_true": truth, "y_pred": predicted, **columns})


def test_permutation_p_equals_enumeration():
    true, predicted = np.array([0, 0, 1, 1, 0, 1]), np.array([0, 0, 1, 0, 0, 1])

    def uar(p):
        return np.mean([(p[true == k] == k).mean() for k in (0, 1)])

    both = [np.r_[x, y] for x in permutations(predicted[:3]) for y in permutations(predicted[3:])]
    exact = np.mean([uar(p) >= uar(predicted) - 1e-12 for p in both])
    groups = np.array([0, 0, 0, 1, 1, 1])
    assert permutation_p(true, predicted[:, None], groups, 2, draws=4000, seed=0) == pytest.approx(exact, abs=0.03)


def test_permutation_p_equals_scipy_without_subjects():
    rng = np.random.default_rng(4)
    true = rng.integers(0, 3, 30)
    predicted = np.where(rng.random(30) < 0.2, true, rng.integers(0, 3, 30))

    def uar(p):
        return np.mean([(p[true == k] == k).mean() for k in range(3)])

    reference = stats.permutation_test(
        (predicted,),
        uar,
        permutation_type="pairings",
        alternative="greater",
        n_resamples=4000,
        rng=np.random.default_rng(0),
    )
    ours = permutation_p(true, predicted[:, None], None, 3, draws=4000, seed=0)
    assert ours == pytest.approx(reference.pvalue, abs=0.03)
    assert 0.05 < ours < 0.95


def test_permutation_never_crosses_subjects():
    """A model that knows only whose clip it is has no skill within subjects."""
    true = np.array([0, 0, 1, 1])
    assert permutation_p(true, true[:, None], np.array([0, 0, 1, 1]), 2, draws=99, seed=0) == 1
    assert permutation_p(np.tile(true, 4), np.tile(true, 4)[:, None], None, 2, draws=999, seed=0) < 0.01


def test_seeds_that_repeat_each_other_are_no_further_evidence():
    rng = np.random.default_rng(1)
    true, predicted = rng.integers(0, 2, (2, 40))
    groups = np.repeat(np.arange(8), 5)
    one = permutation_p(true, predicted[:, None], groups, 2, draws=999, seed=0)
    assert permutation_p(true, np.stack([predicted] * 3, axis=1), groups, 2, draws=999, seed=0) == one


def counts_of(true, predicted, clusters, classes):
    counts = np.zeros((max(clusters) + 1, classes, classes))
    np.add.at(counts, (clusters, true, predicted), 1)
    return counts


def test_bootstrap_of_identical_subjects_has_no_width():
    true, predicted = np.tile([0, 1, 1], 5), np.tile([0, 1, 0], 5)
    low, high = cluster_interval(counts_of(true, predicted, np.repeat(range(5), 3), 2), scores, draws=50, seed=0)
    assert low == pytest.approx(high)
    assert low[0] == pytest.approx(2 / 3)


def test_bootstrap_distribution_equals_scipy_where_each_clip_is_a_cluster():
    true = np.zeros(60, int)
    hits = np.random.default_rng(2).random(60) < 0.7
    counts = counts_of(true, np.where(hits, 0, 1), np.arange(60), 2)
    ours = bootstrap_scores(counts, scores, draws=20_000, seed=0)[:, 0]
    reference = stats.bootstrap((hits.astype(float),), np.mean, n_resamples=20_000, rng=np.random.default_rng(0))
    assert ours.std(ddof=1) == pytest.approx(reference.standard_error, rel=0.03)
    kept = np.quantile(reference.bootstrap_distribution, [0.025, 0.5, 0.975])
    assert np.quantile(ours, [0.025, 0.5, 0.975]) == pytest.approx(kept, abs=1 / 60 + 1e-9)


def test_interval_of_many_equal_clusters_is_the_t_interval_of_a_mean():
    """For a mean over clusters of one size the expanded percentiles approach mean +- t s / sqrt(n)."""
    rng = np.random.default_rng(3)
    right = rng.integers(0, 21, 30)
    counts = np.zeros((30, 2, 2))
    counts[:, 0, 0], counts[:, 0, 1] = right, 20 - right
    low, high = cluster_interval(counts, scores, draws=40_000, seed=0)
    expected = stats.t.interval(0.95, 29, loc=right.mean() / 20, scale=stats.sem(right / 20))
    assert (low[0], high[0]) == pytest.approx(expected, abs=0.012)


def test_one_subject_tells_nothing_of_others():
    low, high = cluster_interval(np.array([[[5.0, 1], [2, 3]]]), scores, draws=10, seed=0)
    assert (low == 0).all()
    assert (high == 1).all()


def test_paired_test_counts_every_swap_of_few_subjects():
    rng = np.random.default_rng(0)
    subjects = [f"s{k // 4}" for k in range(24)]
    first, second = (table(rng.random(24) < skill, subjects) for skill in (0.8, 0.4))
    result = paired_permutation(first, second)

    def accuracy_of(swaps):
        return sum(
            (-1 if swap else 1) * ((a.y_true == a.y_pred).sum() - (b.y_true == b.y_pred).sum())
            for swap, (_, a), (_, b) in zip(swaps, first.groupby("subject"), second.groupby("subject"), strict=True)
        )

    observed = abs(accuracy_of([0] * 6))
    every = [abs(accuracy_of(swaps)) >= observed for swaps in product([0, 1], repeat=6)]
    assert result.exact
    assert result.p["accuracy"] == pytest.approx(np.mean(every))
    assert result.difference["accuracy"] == pytest.approx(accuracy_of([0] * 6) / 24)
    assert (result.n, result.subjects) == (24, 6)


def test_paired_test_equals_scipy_where_each_clip_is_a_subject():
    rng = np.random.default_rng(5)
    first, second = (table(rng.random(60) < skill, list(range(60))) for skill in (0.75, 0.6))
    a, b = ((t.y_true == t.y_pred).to_numpy(float) for t in (first, second))
    result = paired_permutation(first, second)
    reference = stats.permutation_test(
        (a, b), lambda x, y: x.mean() - y.mean(), permutation_type="samples", rng=np.random.default_rng(0)
    )
    assert not result.exact
    assert result.p["accuracy"] == pytest.approx(reference.pvalue, abs=0.02)


def test_paired_test_is_antisymmetric_and_equals_the_pooled_difference():
    rng = np.random.default_rng(6)
    subjects = [f"s{k // 4}" for k in range(80)]
    first, second = (table(rng.random(80) < skill, subjects) for skill in (0.8, 0.5))
    ours, back = paired_permutation(first, second), paired_permutation(second, first)
    pooled = [evaluate(t, bootstrap=2, permutations=0) for t in (first, second)]
    for score in ("accuracy", "UAR", "UF1"):
        assert ours.difference[score] == pytest.approx(-back.difference[score])
        assert ours.difference[score] == pytest.approx(
            pooled[0][score]["pooled"] - pooled[1][score]["pooled"], abs=2e-6
        )
        low, high = ours.ci95[score]
        assert low < ours.difference[score] < high
    assert ours.p["UAR"] < 0.05


def test_a_system_against_itself_differs_in_nothing():
    frame = table([True, False] * 20, [f"s{k // 2}" for k in range(40)])
    result = paired_permutation(frame, frame.sample(frac=1, random_state=0))
    assert set(result.difference.values()) == {0.0}
    assert set(result.p.values()) == {1.0}
    assert set(result.ci95.values()) == {(0.0, 0.0)}


def test_seeds_are_averaged_whatever_their_numbers():
    subjects = [f"s{k // 4}" for k in range(24)]
    rng = np.random.default_rng(7)
    seeds = [table(rng.random(24) < 0.7, subjects, seed=str(k)) for k in range(3)]
    other = table(rng.random(24) < 0.4, subjects)
    result = paired_permutation(pd.concat(seeds), other)
    mean = np.mean([evaluate(s, bootstrap=2, permutations=0)["UF1"]["pooled"] for s in seeds])
    assert result.first["UF1"] == pytest.approx(mean, abs=1e-6)
    assert result.second["UF1"] == pytest.approx(
        evaluate(other, bootstrap=2, permutations=0)["UF1"]["pooled"], abs=1e-6
    )


def test_subjects_are_taken_from_whichever_table_has_them():
    frame = table([True, False] * 4, list("aabbccdd"))
    assert paired_permutation(frame.drop(columns="subject"), frame).subjects == 4
    assert paired_permutation(frame.drop(columns="subject"), frame.drop(columns="subject")).subjects is None


def test_tables_that_do_not_match_are_refused_by_clip():
    frame = table([True] * 8, list("aabbccdd"))
    with pytest.raises(MerError, match="only the second has c0"):
        paired_permutation(frame.iloc[1:], frame)
    relabelled = frame.assign(y_true=["y", *frame["y_true"][1:]])
    with pytest.raises(MerError, match=r"true class differs between the two files for c0 \(x and y\)"):
        paired_permutation(frame, relabelled)
