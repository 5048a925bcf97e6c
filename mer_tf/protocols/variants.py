"""Variants of an experiment: each is run, unless a finished run of the same settings is there, and becomes one row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

from mer_tf.config import Experiment, MerError
from mer_tf.evaluation.metrics import evaluate, score_columns
from mer_tf.evaluation.variants import metric_variants
from mer_tf.parallel import side_by_side
from mer_tf.progress import Progress
from mer_tf.run_directory import finished_run

Run = Callable[[Experiment], Path]
"""Runs an experiment and returns its run directory, as `mer_tf.runner.run_alone` does."""
Key = TypeVar("Key")
ACCURACIES = ("best-fold accuracy", "pooled accuracy", "mean-of-folds accuracy")


def run_variants(settings: Mapping[Key, Experiment], run: Run, what: str) -> dict[Key, Path]:
    """The run directory of each experiment; finished runs are kept, so equal ones run once. `what` names the bar.

    As many run at once as the cores and the memory bear; `run` is called by threads then. `MerError` of a run names the
    row, and ends the others.
    """
    firsts = {key: next(k for k, other in settings.items() if other == one) for key, one in settings.items()}

    def ran(key: Key) -> Path:
        try:
            return finished_run(settings[key]) or run(settings[key])
        except MerError as error:
            row = ", ".join(map(str, key)) if isinstance(key, tuple) else key
            raise MerError(f"{what}, {row}: {error}") from error

    distinct = list(dict.fromkeys(firsts.values()))
    bar = Progress(side_by_side(ran, distinct), what, total=len(distinct), unit="run")
    found = dict(zip(distinct, bar, strict=True))
    return {key: found[first] for key, first in firsts.items()}


def variant_row(frame: pd.DataFrame, bootstrap: int = 2000) -> dict[str, Any]:
    """`score_columns` of a predictions table, and under the names of `ACCURACIES` those that papers report."""
    variants = metric_variants(frame)
    whole = variants[variants["dataset"] == "all"].set_index("metric")["value"]
    accuracies = {name: float(whole[name]) for name in ACCURACIES}
    return score_columns(evaluate(frame, bootstrap=bootstrap, permutations=1)) | accuracies
