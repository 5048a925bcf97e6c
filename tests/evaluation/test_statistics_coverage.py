"""Intervals of simulated data sets hold the true value as often as they say."""

import numpy as np
import pytest

from mer_tf.evaluation import resampling
from mer_tf.evaluation.metrics import scores
from mer_tf.evaluation.resampling import bootstrap_scores, cluster_interval

MISTAKES = np.array([[0, 0.6, 0.4], [0.7, 0, 0.3], [0.7, 0.3, 0]])
CORRELATION = 0.1
UNEQUAL = (1, 1, 2, 2, 3, 3, 3, 4, 4, 5, 5, 6, 7, 7, 8, 9, 9, 10, 11, 12, 13, 14, 16, 17, 19, 30)
DESIGNS = {
    "16 subjects of 8 clips": ((8,) * 16, (0.6,) * 16, (0.43, 0.31, 0.26), None),
    "26 subjects of 1 to 30 clips": (UNEQUAL, (0.6,) * 26, (0.5, 0.25, 0.25), 6.0),
    "68 subjects in three data sets": (
        (6,) * 68,
        (0.52,) * 16 + (0.7,) * 24 + (0.55,) * 28,
        (0.57, 0.25, 0.18),
        None,
    ),
}


def pick(shares, rng):
    """One class index for each row of shares (n, 3)."""
    return (rng.random(len(shares))[:, None] > np.cumsum(shares, axis=1)[:, :-1]).sum(axis=1)


def simulate(design, rng, copies=1):
    """Confusion counts (subjects, 3, 3): each subject has an own skill, and with `spread` an own mix of classes."""
    sizes, skills, prior, spread = (np.tile(part, copies) if k < 2 else part for k, part in enumerate(design))
    people, weight = len(sizes), 1 / CORRELATION - 1
    skill = rng.beta(np.asarray(skills) * weight, (1 - np.asarray(skills)) * weight)
    mix = rng.dirichlet(np.array(prior) * spread, people) if spread else np.broadcast_to(prior, (people, 3))
    who = np.repeat(np.arange(people), sizes)
    true = pick(mix[who], rng)
    predicted = np.where(rng.random(len(who)) < skill[who], true, pick(MISTAKES[true], rng))
    counts = np.zeros((people, 3, 3))
    np.add.at(counts, (who, true, predicted), 1)
    return counts


def drawn_once():
    """bootstrap_scores, which gives what it drew last when it is asked for the same seed again."""
    last = {}

    def remembered(counts, score, *, draws, seed):
        if seed not in last:
            last.clear()
            last[seed] = bootstrap_scores(counts, score, draws=draws, seed=seed)
        return last[seed]

    return remembered


@pytest.mark.slow
@pytest.mark.parametrize("name", DESIGNS)
def test_95_percent_intervals_cover_93_to_97_percent(name, monkeypatch):
    monkeypatch.setattr(resampling, "bootstrap_scores", drawn_once())
    design, rng = DESIGNS[name], np.random.default_rng(1)
    truth = scores(simulate(design, np.random.default_rng(99), 20_000 // len(design[0]) + 1).sum(axis=0))
    inside, plain = np.zeros(3), np.zeros(3)
    for trial in range(1000):
        counts = simulate(design, rng)
        low, high = cluster_interval(counts, scores, draws=1000, seed=trial)
        inside += (low <= truth) & (truth <= high)
        values = resampling.bootstrap_scores(counts, scores, draws=1000, seed=trial)
        low, high = np.quantile(values, [0.025, 0.975], axis=0)
        plain += (low <= truth) & (truth <= high)
    assert (inside >= 930).all(), inside
    assert (inside <= 970).all(), inside
    assert (plain <= inside).all()
    if len(design[0]) < 30:
        assert plain.mean() < 930, "the plain percentiles are too narrow for few subjects"
