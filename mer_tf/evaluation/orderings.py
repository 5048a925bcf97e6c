"""Is one method better than another: for other people, by other trainings, and among all orders that are claimed?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.special import stdtr, stdtrit

from mer_tf.evaluation.metrics import SCORES, by_name, class_names, scores
from mer_tf.evaluation.outcomes import outcomes
from mer_tf.evaluation.resampling import effective_number
from mer_tf.evaluation.statistics import paired_outcomes, paired_permutation

ALPHA = 0.05
LEAST_SEEDS = 3
"""Trainings of each method below which no order is shown."""


@dataclass(frozen=True)
class Ordering:
    """First method minus second; every dict is keyed by score, values are shares, not points."""

    difference: dict[str, float]
    ci95: dict[str, tuple[float, float]]
    p: dict[str, float]
    n: int
    subjects: int | None
    seeds: int
    """Trainings of the method that has fewer."""


def over_subjects_and_seeds(
    first: pd.DataFrame, second: pd.DataFrame, *, draws: int = 9999, bootstrap: int = 2000, seed: int = 0
) -> Ordering:
    """How far two methods lie apart for other subjects and other trainings, of predictions tables of the same clips.

    Subjects are drawn with replacement, the same for both, and of the k seeds of each method, by itself, k - 1: so few
    would otherwise look less different than they are. The standard deviation of the drawn differences gives the
    interval and a two-sided p by Student's t (Hesterberg, American Statistician 2015, section 5), its degrees of
    freedom by Satterthwaite from what subjects (by their effective number) and the seeds of each method vary. p is
    no smaller than that of `paired_permutation`, which swaps subjects and asks nothing of distributions. Of one seed
    nothing is known of trainings: the interval is over subjects alone.

    On the safe side: the chance of single clips counts for subjects and for seeds. Measured on 150 simulated pairs of
    equally good methods a design (16 subjects of 8 clips, 3 and 5 seeds; 26 of 1 to 30, 3 seeds; trainings alike to
    most unlike), intervals hold 0 in 97 to 100 %, and p < .05 in 0 to 3 %.

    Raises `MerError` as `paired_permutation` does.
    """
    swapped = paired_permutation(first, second, draws=draws, bootstrap=1, seed=seed)
    one, other = paired_outcomes(first, second)
    counts = [one.counts(), replace(other, clusters=one.clusters).counts()]
    apart = np.array([swapped.difference[name] for name in SCORES])
    ci95, p = _tested(apart, *_error([counts], bootstrap, seed))
    floor = {name: max(value, swapped.p[name]) for name, value in p.items()}
    return Ordering(swapped.difference, ci95, floor, swapped.n, swapped.subjects, min(c.shape[1] for c in counts))


def between_data_sets(first: pd.DataFrame, second: pd.DataFrame, *, bootstrap: int = 2000) -> Ordering:
    """How far apart one method's scores on two data sets lie, of predictions tables of other clips and other people.

    Nothing is paired: subjects and seeds of each data set are drawn by themselves, the variances added; interval and p
    else as in `over_subjects_and_seeds`, but that there is nothing to swap. Classes may differ in number, and chance
    with them: what lies apart need not be how hard the clips are. n and subjects count both data sets.

    Measured on 150 simulated pairs of equal accuracy a design (26 and 16 subjects, 5 and 3 classes, 3 seeds; 9 and 10
    clips a subject, and 1 to 19): intervals hold 0 in 95 to 98 %, and p < .05 in 2 to 5 %.
    """
    tables = [outcomes(frame, class_names(frame)) for frame in (first, second)]
    counts = [table.counts() for table in tables]
    values = [scores(c.sum(axis=0)).mean(axis=0) for c in counts]
    ci95, p = _tested(values[0] - values[1], *_error([[c] for c in counts], bootstrap, seed=0))
    people = [table.subjects for table in tables]
    number = None if None in people else sum(filter(None, people))
    difference = by_name(values[0] - values[1])
    return Ordering(difference, ci95, p, sum(len(t.clips) for t in tables), number, min(c.shape[1] for c in counts))


def _tested(
    apart: np.ndarray, error: np.ndarray, freedom: np.ndarray
) -> tuple[dict[str, tuple[float, float]], dict[str, float]]:
    """Interval and two-sided p of each score's difference, by Student's t."""
    reach = stdtrit(freedom, 1 - ALPHA / 2) * error
    with np.errstate(divide="ignore", invalid="ignore"):
        p = 2 * stdtr(freedom, -np.abs(apart) / error)
    p = np.where(error > 0, p, np.where(apart == 0, 1.0, 0.0))
    ends = zip(SCORES, np.maximum(apart - reach, -1), np.minimum(apart + reach, 1), strict=True)
    ci95 = {name: (float(low), float(high)) for name, low, high in ends}
    return ci95, by_name(p)


def _error(groups: Sequence[Sequence[np.ndarray]], draws: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Standard error of a difference and its degrees of freedom, (3,) each.

    groups: counts (clusters, seeds, ...) of methods whose subjects are drawn together: both in one, or each in its own.
    """
    rng, joint, parts, freedom = np.random.default_rng(seed), np.zeros(len(SCORES)), [], []
    for counts in groups:
        clusters = len(counts[0])
        if clusters < 2:
            return np.full(len(SCORES), np.inf), np.ones(len(SCORES))
        people = effective_number(counts[0][:, 0].sum(axis=(-2, -1)))
        enlarged = people / (people - 1)
        drawn = rng.multinomial(clusters, np.full(clusters, 1 / clusters), size=draws).astype(float)
        values = [scores(np.tensordot(drawn, c, axes=1)) for c in counts]
        joint += _apart([_drawn_seeds(v, rng) for v in values]).var(axis=0, ddof=1) * enlarged
        parts.append(_apart([v.mean(axis=1) for v in values]).var(axis=0, ddof=1) * enlarged)
        freedom.append(people - 1)
        for c in counts:
            if (number := c.shape[1]) > 1:
                parts.append(scores(c.sum(axis=0)).var(axis=0, ddof=1) / number)
                freedom.append(number - 1)
    varied = np.sum([part**2 / f for part, f in zip(parts, freedom, strict=True)], axis=0)
    whole = np.sum(parts, axis=0) ** 2
    return np.sqrt(joint), np.divide(whole, varied, out=np.full(len(SCORES), freedom[0]), where=varied > 0)


def _apart(values: Sequence[np.ndarray]) -> np.ndarray:
    """The first minus the second, where there are two."""
    return values[0] - values[1] if len(values) == 2 else values[0]


def _drawn_seeds(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The mean over k - 1 of the k seeds, drawn anew for each draw, of values (draws, seeds, scores)."""
    draws, number = values.shape[:2]
    if number == 1:
        return values[:, 0]
    weights = rng.multinomial(number - 1, np.full(number, 1 / number), size=draws) / (number - 1)
    return np.einsum("dk,dks->ds", weights, values)


def holm(p: Sequence[float]) -> list[float]:
    """p of several tests, each corrected for all of them (Holm, Scandinavian Journal of Statistics 1979)."""
    order = np.argsort(p, kind="stable")
    steps = np.asarray(p, float)[order] * np.arange(len(order), 0, -1)
    corrected = np.empty(len(order))
    corrected[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return [float(value) for value in corrected]


def verdict(difference: float, p: float, seeds: int) -> str:
    """What a corrected p says of a claimed order: holds, the other way round, or not shown, and why."""
    if seeds < LEAST_SEEDS:
        return f"not shown: {seeds} seed{'s' if seeds > 1 else ''}"
    if p >= ALPHA:
        return "not shown"
    return "holds" if difference > 0 else "the other way round"
