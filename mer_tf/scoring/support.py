"""Do the true labels have the counts that are published? Logs exist in which truth and prediction are swapped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import pandas as pd

from mer_tf.config import MerError
from mer_tf.datasets.counts import ALL, expected_counts
from mer_tf.datasets.labels import normalise_label
from mer_tf.evaluation.metrics import by_seed
from mer_tf.files import facts
from mer_tf.notices import danger


def parse_support(items: Sequence[str]) -> dict[str, int]:
    """Counts of `negative=70 positive=51`."""
    counts: dict[str, int] = {}
    for item in items:
        name, sign, number = item.partition("=")
        if not (name and sign and number.isdecimal()):
            raise MerError(f"--expect-support: {item!r} is not of the form class=count, as negative=70")
        if normalise_label(name) in map(normalise_label, counts):
            raise MerError(f"--expect-support: the class {name!r} is given twice; leave one out")
        counts[name] = int(number)
    return counts


def published_support(protocol: str, dataset: str) -> dict[str, int]:
    """Published clips of each class of a data set under a label protocol (data_manifests/expected_counts.csv)."""
    counts = {e.class_name: e.clips for e in expected_counts(protocol, dataset) if e.class_name != ALL}
    if not counts:
        table = facts("expected_counts.csv")
        known = sorted(set(table["protocol"] + " " + table["dataset"]))
        raise MerError(f"--expect {protocol} {dataset}: no published class counts; known are {', '.join(known)}")
    return counts


def check_support(frame: pd.DataFrame, expected: Mapping[str, int]) -> tuple[str, bool]:
    """Whether each true class has the `expected` clips, and a text that says so, or what differs and whether the
    predictions have them instead."""
    _, part = by_seed(frame)[0]
    spelled = {normalise_label(name): name for column in ("y_pred", "y_true") for name in part[column]}
    wanted = {spelled.get(normalise_label(name), name): count for name, count in expected.items() if count}
    truth, predicted = (Counter(part[column].tolist()) for column in ("y_true", "y_pred"))
    if truth == wanted:
        return f"support: the true labels have the expected counts ({_listed(wanted)})", True
    if predicted == wanted:
        text = (
            f"the predictions have the expected counts ({_listed(wanted)}) and the true labels do not "
            f"({_listed(truth)}): truth and prediction seem swapped; exchange the two"
        )
        return str(danger("swapped_labels", text)), False
    names = [*wanted, *sorted(set(truth) - set(wanted))]
    differ = [n for n in names if truth[n] != wanted.get(n, 0)]
    lines = [f"  {name}: {truth[name]} clips, expected {wanted.get(name, 0)}" for name in differ]
    return "\n".join(["support: the true labels differ from the expected counts", *lines]), False


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())
