"""The interval of a mean over subjects and seeds together, and its test by turned signs."""

import numpy as np
import pytest

from mer_tf.evaluation.resampling import mean_interval, mean_p


def drawn(rng, subjects=16, seeds=5, clips=4):
    """Values about 0 with a share of each subject and of each seed; their subjects and seeds."""
    shape = (subjects, seeds, clips)
    parts = rng.normal(size=(subjects, 1, 1)), rng.normal(size=(1, seeds, 1)), rng.normal(size=shape)
    people, runs, _ = np.indices(shape)
    return sum(parts).ravel(), people.ravel(), runs.ravel()


def test_it_covers_what_subjects_and_seeds_vary():
    rng, held = np.random.default_rng(0), []
    for _ in range(200):
        low, high = mean_interval(*drawn(rng), draws=300, seed=0)
        held.append(low <= 0 <= high)
    assert np.mean(held) > 0.85


def test_one_seed_leaves_subjects_alone_and_one_subject_nothing():
    values, people = np.repeat([1.0, 2.0, 3.0], 2), np.repeat(["a", "b", "c"], 2)
    low, high = mean_interval(values, people, np.zeros(6), draws=2000, seed=0)
    assert 1 <= low < 2 < high <= 3
    assert mean_interval(values, np.zeros(6), np.zeros(6), draws=10, seed=0) == (-np.inf, np.inf)


@pytest.mark.parametrize(("values", "p"), [([1, 1, 1], 2 / 8), ([0, 0, 0], 1), ([3, -1, 1], 6 / 8)])
def test_p_counts_every_turn_of_a_subjects_signs(values, p):
    assert mean_p(np.array(values, float), np.arange(3), draws=9, seed=0) == p


def test_p_of_many_subjects_is_of_random_turns():
    assert mean_p(np.ones(40), np.arange(40), draws=99, seed=0) == 1 / 100
