"""The permutation test against a full enumeration; the bootstrap on a case with a known answer."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest

from mer_tf.evaluation.metrics import scores
from mer_tf.evaluation.statistics import cluster_bootstrap, permutation_p


def test_permutation_p_equals_enumeration():
    true, predicted = np.array([0, 0, 1, 1, 0, 1]), np.array([0, 0, 1, 0, 0, 1])
    groups = pd.Series(["a", "a", "a", "b", "b", "b"])

    def uar(p):
        return np.mean([(p[true == k] == k).mean() for k in (0, 1)])

    both = [np.r_[x, y] for x in permutations(predicted[:3]) for y in permutations(predicted[3:])]
    exact = np.mean([uar(p) >= uar(predicted) - 1e-12 for p in both])
    assert permutation_p(true, predicted, groups, 2, draws=4000, seed=0) == pytest.approx(exact, abs=0.03)


def test_permutation_never_crosses_subjects():
    """A model that knows only whose clip it is has no skill within subjects."""
    true = np.array([0, 0, 1, 1])
    assert permutation_p(true, true, pd.Series(["a", "a", "b", "b"]), 2, draws=99, seed=0) == 1
    assert permutation_p(true, true, None, 2, draws=999, seed=0) < 0.3


def test_bootstrap_of_identical_subjects_has_no_width():
    true = np.tile([0, 1, 1], 5)
    predicted = np.tile([0, 1, 0], 5)
    low, high = cluster_bootstrap(true, predicted, pd.Series(np.repeat(list("abcde"), 3)), 2, scores, draws=50, seed=0)
    assert low == pytest.approx(high)
    assert low[0] == pytest.approx(2 / 3)
