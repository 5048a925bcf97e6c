"""What every run proves of itself before anybody reads its numbers; a failed check stops the run.

The checks ask the run's own code: an oracle that knows the truth must score 1, shuffled labels must score chance, and
the order of rows must not matter.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mer_tf.config import MerError
from mer_tf.evaluation.folds import Fold, check_contents, check_folds
from mer_tf.evaluation.metrics import SCORES, class_names, confusion, evaluate, scores

SHUFFLES = 200
TOLERANCE = 5.0
"""Standard errors above chance that stop a run: one false alarm in millions."""


@dataclass(frozen=True)
class Check:
    """One statement about the run and whether it held."""

    check: str
    passed: bool
    detail: str


def require(checks: Sequence[Check]) -> Sequence[Check]:
    """The checks, when all passed; otherwise a `MerError` with the reasons."""
    if failed := [f"{c.check}: {c.detail}" for c in checks if not c.passed]:
        raise MerError("self-test failed, no result is trustworthy: " + "; ".join(failed))
    return checks


def fold_checks(clips: pd.DataFrame, folds: Sequence[Fold], split: str) -> list[Check]:
    """Subjects and contents of `clips` (clip_id, subject, content_sha256) are disjoint in every fold."""
    people = clips["subject"].tolist()
    which = "clips are disjoint (subjects leak: clip folds)" if split == "clip" else "subjects are disjoint"
    return [
        _attempt(f"folds: {which}", lambda: check_folds(folds, people, split)),
        _attempt(
            "folds: contents are disjoint",
            lambda: check_contents(folds, clips["content_sha256"].tolist(), clips["clip_id"].tolist()),
        ),
    ]


def chance_check(name: str, values: Sequence[float], classes: int, error: float) -> Check:
    """The mean of UARs reached with shuffled labels is not above 1 / classes, `error` being its standard error."""
    mean, limit = float(np.mean(values)), 1 / classes + TOLERANCE * error
    return Check(name, mean <= limit, f"UAR {mean:.3f}, chance {1 / classes:.3f}, limit {limit:.3f}")


def prediction_checks(frame: pd.DataFrame, oracle: pd.DataFrame) -> list[Check]:
    """Checks of a pooled predictions table; `oracle` is the table that the true labels give on the same path."""
    classes, options = class_names(frame), {"bootstrap": 200, "permutations": 99}
    perfect = scores(confusion(oracle, classes))
    # Dealt at random, the predictions leave UAR at chance: one hundred per cent above it is a broken metric.
    rng = np.random.default_rng(0)
    mixed = [frame.assign(y_pred=rng.permutation(frame["y_pred"])) for _ in range(SHUFFLES)]
    values = [scores(confusion(table, classes))[1] for table in mixed]
    error = float(np.std(values, ddof=1)) / SHUFFLES**0.5
    same = evaluate(frame, **options) == evaluate(frame.sample(frac=1, random_state=0), **options)
    return [
        Check("an oracle scores 1", bool((perfect == 1).all()), f"{dict(zip(SCORES, perfect.tolist(), strict=True))}"),
        chance_check("shuffled predictions score chance", values, frame["y_true"].nunique(), error),
        Check("the order of the predictions' rows changes nothing", same, "" if same else "the metrics differ"),
    ]


def _attempt(name: str, check: Callable[[], None]) -> Check:
    try:
        check()
    except MerError as error:
        return Check(name, False, str(error))
    return Check(name, True, "")
