"""The sample size behind printed values, found from the values alone and weighed against chance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import poisson_binom

from mer_tf.config import MerError
from mer_tf.scoring.grim import Printed, parse_printed, printable

COLUMNS = ("n", "explained", "of", "expected", "p", "p_best", "values")


def infer_n(values: Sequence[str], n_max: int = 400, unit: str = "accuracy %", *, draws: int = 4000) -> pd.DataFrame:
    """Sample sizes 1..n_max ranked by how surprisingly many of the distinct printed values are k/n.

    The null hypothesis draws each value evenly from all that can be printed with its decimals; the share of those that
    are k/n (by any rounding) is the chance that n explains it. Columns: n; explained, of (values); expected by chance;
    p, the chance that this n explains at least as many; p_best, the chance that any n up to n_max reaches such a p,
    from `draws` random sets; values, the explained ones. Sorted by p: an n comes before its multiples, which explain
    the same and more by chance.
    """
    texts = list(dict.fromkeys(values))
    if not texts:
        raise MerError("there is no value to infer n from; give at least one")
    printed = [parse_printed(text, unit) for text in texts]
    rng = np.random.default_rng(0)
    random = np.stack([rng.integers(0, v.whole + 1, draws) for v in printed])
    best = np.ones(draws)
    rows = []
    for n in range(1, n_max + 1):
        shares, hits, random_hits = _explained(printed, random, n)
        tail = _tail(shares)
        best = np.minimum(best, tail[random_hits.sum(axis=0)])
        explained = [t for t, hit in zip(texts, hits, strict=True) if hit]
        rows.append((n, len(explained), len(texts), sum(shares), tail[len(explained)], 0.0, " ".join(explained)))
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    # one more than the draws that are as good: never 0 (Phipson & Smyth 2010)
    table["p_best"] = [(1 + np.sum(best <= p * (1 + 1e-9))) / (1 + draws) for p in table["p"]]
    return table.sort_values(["p", "n"], ignore_index=True)


def _explained(printed: Sequence[Printed], random: np.ndarray, n: int) -> tuple[list[float], list[bool], np.ndarray]:
    """For each value: the share of printable values that are k/n, whether it is one, and whether random ones are."""
    shares, hits, random_hits = [], [], []
    for value, drawn in zip(printed, random, strict=True):
        possible = np.zeros(value.whole + 1, dtype=bool)
        possible[printable((n,), value.whole)] = True
        shares.append(float(possible.mean()))
        hits.append(bool(possible[value.digits if value.bounded else value.digits % value.whole]))
        random_hits.append(possible[drawn])
    return shares, hits, np.stack(random_hits)


def _tail(shares: Sequence[float]) -> np.ndarray:
    """P(at least 0, 1, ..., len hits) of independent hits with these chances."""
    exactly = poisson_binom.pmf(np.arange(len(shares) + 1), shares)
    return np.minimum(exactly[::-1].cumsum()[::-1], 1)  # summed from the rare end: 1 - cdf would lose small ones
