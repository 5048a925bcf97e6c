"""What forbids trusting a run's numbers, and what a reader must know beside them."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pandas as pd

from mer_tf.evaluation.variants import ALL, metric_variants, variant_warnings
from mer_tf.reporting.run_files import Run, as_mapping

DANGER = re.compile(r"[A-Z][A-Z -]+:")


def dangers(run: Run) -> list[str]:
    """Stated by the run (a warning that starts with a word in capitals), or visible in its files."""
    return [w for w in run.warnings if DANGER.match(w)] + _unstated(run)


def notes(run: Run) -> list[str]:
    """The other warnings, metric variants that lie apart (over all data sets), and files that cannot be read."""
    stated = [w for w in run.warnings if not DANGER.match(w)]
    return stated + _variants_apart(run.predictions) + list(run.problems)


def by_text(labels: Sequence[str], texts: Sequence[Sequence[str]]) -> list[tuple[str, list[str]]]:
    """Each text once, with the labels of the runs that have it; without labels where all have it."""
    owners: dict[str, list[str]] = {}
    for label, held in zip(labels, texts, strict=True):
        for text in dict.fromkeys(held):
            owners.setdefault(text, []).append(label)
    return [(text, [] if len(found) == len(labels) else found) for text, found in owners.items()]


def _variants_apart(frame: pd.DataFrame | None) -> list[str]:
    if frame is None:
        return []
    table = metric_variants(frame)
    return variant_warnings(table[table["dataset"] == ALL])


def _unstated(run: Run) -> list[str]:
    """Dangers that follow from the files although the run's warnings do not name them."""
    stated = " ".join(run.warnings)
    said = []
    if as_mapping(run.resolved.get("weights")).get("source") == "random" and "RANDOM WEIGHTS" not in stated:
        said.append(f"RANDOM WEIGHTS: {run.resolved.get('encoder')} was never trained")
    if "LEAKY SPLIT" not in stated and (spread := _in_several_folds(run.predictions)):
        said.append(f"LEAKY SPLIT: {spread} subjects are tested in more than one fold, so they train others")
    for test in run.self_tests:
        if test.get("passed") is not True:
            said.append(f"SELF-TEST FAILED: {test.get('check')}: {test.get('detail')}")
    return said


def _in_several_folds(frame: pd.DataFrame | None) -> int:
    """Number of subjects whose clips are tested in more than one fold of one seed."""
    if frame is None or not {"subject", "fold"} <= set(frame.columns):
        return 0
    seeds = frame.get("seed", pd.Series("", index=frame.index))
    folds = frame.groupby([seeds, frame["subject"]])["fold"].nunique()
    return int((folds.groupby(level=1).max() > 1).sum())
