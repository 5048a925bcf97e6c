"""Frames and windows that are trained on, by class and by fold, beside what a paper prints of them; trains nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from mer_tf.changes import changed
from mer_tf.config import Clip, Experiment, MerError
from mer_tf.datasets.labels import protocol_of
from mer_tf.datasets.manifest import ClipRow
from mer_tf.datasets.windows import plan_windows
from mer_tf.evaluation.folds import make_folds
from mer_tf.files import facts
from mer_tf.reporting.tables import counts_text

CLASS = "*"
"""Stands in a key of counts for the class."""
Counted = Mapping[str, Mapping[str, Any]]
"""Key of published_results.csv -> settings, changed, under which is counted: C/T1/*/Aug.-I, C/T3/LSTM/N13/data."""


def training_counts(experiment: Experiment, counted: Counted, rows: Sequence[ClipRow]) -> str:
    """What is printed under the keys of `counted`, beside the same of `rows`: all their clips where a key has CLASS,
    each class by itself; else the training clips of each fold. No frame is read: lengths are those of the manifest."""
    protocol = protocol_of(experiment.data.label_protocol, rows)
    labels = {row.clip_id: protocol.class_index(row) for row in rows}
    kept = sorted((row for row in rows if labels[row.clip_id] is not None), key=lambda row: row.clip_id)
    numbers = [int(labels[row.clip_id] or 0) for row in kept]
    table = pd.DataFrame({"clips": np.bincount(numbers, minlength=len(protocol.classes))})
    told = []
    for key, changes in counted.items():
        one, printed = changed(experiment, changes), _printed(key)
        if CLASS not in key:
            trained = _of_folds(one, kept, numbers, protocol.classes)
            told.append(
                f"{printed[0]['system']}: printed {printed[0]['printed']}, here {min(trained)} to {max(trained)}"
            )
            continue
        name = key.rpartition("/")[2]
        if len(printed) != len(table):
            raise MerError(f"{name} is printed for {len(printed)} classes; use a label protocol of so many")
        table[f"{name} printed"] = [int(fact["printed"]) for fact in printed]
        table[f"{name} here"] = _by_class(kept, numbers, one.clip, protocol.classes)
    return counts_text(table.set_axis(list(protocol.classes)), told)


def _printed(key: str) -> list[dict[str, Any]]:
    """The facts of a key, one a class in the order of the paper's table where the key has CLASS."""
    start, _, end = key.partition(CLASS)
    known = facts("published_results.csv")
    found = known[
        (known["key"] == key) if not end else known["key"].str.startswith(start) & known["key"].str.endswith(end)
    ]
    if found.empty:
        raise MerError(f"published_results.csv has no row {key}")
    return found.to_dict("records")  # type: ignore[return-value]


def _by_class(rows: Sequence[ClipRow], numbers: Sequence[int], config: Clip, classes: Sequence[str]) -> np.ndarray:
    labels = {row.clip_id: number for row, number in zip(rows, numbers, strict=True)}
    lengths = {row.clip_id: row.offset - row.onset + 1 for row in rows}
    planned = [labels[window.clip_id] for window in plan_windows(labels, lengths.__getitem__, config, classes, seed=0)]
    return np.bincount(planned, minlength=len(classes))


def _of_folds(
    experiment: Experiment, rows: Sequence[ClipRow], numbers: Sequence[int], classes: Sequence[str]
) -> list[int]:
    subjects, homes = [r.subject for r in rows], [r.dataset for r in rows]
    found = []
    for fold in make_folds(subjects, list(numbers), experiment.evaluation, homes):
        trained = [rows[k] for k in fold.train], [numbers[k] for k in fold.train]
        found.append(int(_by_class(*trained, experiment.clip, classes).sum()))
    return found
