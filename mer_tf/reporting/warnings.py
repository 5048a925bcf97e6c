"""What forbids trusting a run's numbers, and what a reader must know beside them."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from mer_tf.evaluation.variants import ALL, metric_variants, variant_warnings
from mer_tf.notices import LEAKY, UNTRAINED, Notice, danger
from mer_tf.reporting.run_files import Run, as_mapping


def dangers(run: Run) -> list[Notice]:
    """Stated by the run, or visible in its files."""
    return [w for w in run.warnings if w.level == "danger"] + _unstated(run)


def notes(run: Run) -> list[str]:
    """The other warnings, metric variants that lie apart (over all data sets), and files that cannot be read."""
    stated = [w.text for w in run.warnings if w.level == "note"]
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


def _unstated(run: Run) -> list[Notice]:
    """Dangers that follow from the files although the run's warnings do not name them."""
    stated, said = {w.code for w in run.warnings}, []
    if as_mapping(run.resolved.get("weights")).get("source") == "random" and UNTRAINED not in stated:
        said.append(danger(UNTRAINED, f"{run.resolved.get('encoder')} was never trained"))
    if LEAKY not in stated and (spread := _in_several_folds(run.predictions)):
        said.append(danger(LEAKY, f"{spread} subjects are tested in more than one fold, so they train others"))
    failed = [test for test in run.self_tests if test.get("passed") is not True]
    return said + [danger("self-test_failed", f"{test.get('check')}: {test.get('detail')}") for test in failed]


def _in_several_folds(frame: pd.DataFrame | None) -> int:
    """Number of subjects whose clips are tested in more than one fold of one seed."""
    if frame is None or not {"subject", "fold"} <= set(frame.columns):
        return 0
    seeds = frame.get("seed", pd.Series("", index=frame.index))
    folds = frame.groupby([seeds, frame["subject"]])["fold"].nunique()
    return int((folds.groupby(level=1).max() > 1).sum())
