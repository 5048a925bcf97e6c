"""What forbids trusting a run's numbers, and what a reader must know beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd

from mer_tf.evaluation.variants import ALL, APART, metric_variants, variant_warnings
from mer_tf.notices import LEAKY, SYNTHETIC, UNREADABLE, UNTRAINED, Notice, danger, note
from mer_tf.reporting.run_files import Run, as_mapping

FAILED = "self-test_failed"
SENTENCES = {SYNTHETIC: "The clips are a {}", "encoder": "The {}"}
"""How a text becomes a whole sentence, by its code."""
MENDS = {
    SYNTHETIC: "For a result about people, give the licensed data with --data.root.",
    UNREADABLE: "Mend or remove these files and run again; the section Data lists what is missing.",
    LEAKY: "Split by people, with --evaluation.split group or loso.",
    UNTRAINED: "Put trained weights where config.json says, or name an encoder that has some with --model.encoder.",
    FAILED: "Quote no number of this run; run it again, and tell the authors of mer_tf if the test fails once more.",
    APART: "Where nothing else is asked for, quote the pooled value.",
    "encoder": "Put these weights there, or name an encoder that is here with --model.encoder.",
    "unknown_subjects": "Name them: by {subject} in --data.pattern, or a subject column in a table.",
    "negative_control": "It is meant to fail: for a result, leave out --data.shuffle_labels.",
    "peeking": "Quote the row whose epochs were fixed in advance.",
    "untaught_class": "Take fewer folds, or a label protocol without this class.",
    "few_clips": "Take fewer folds, or a label protocol that joins this class with another.",
    "left_out": "Mend these pictures and run again, or say beside the result that they are missing.",
    "few_steps": "Train longer, with --train.epochs, or set a lower --model.bn_momentum.",
    "after": "Cite it as built after that publication, not as its result.",
}
"""What a reader can do about a notice, by its code."""


@dataclass(frozen=True)
class Told:
    """A notice as the page shows it."""

    sentence: str
    mend: str
    labels: tuple[str, ...]
    """Runs that have it; none where all have."""


def dangers(run: Run) -> list[Notice]:
    """Stated by the run, or visible in its files."""
    return [w for w in run.warnings if w.level == "danger"] + _unstated(run)


def notes(run: Run) -> list[Notice]:
    """The other warnings, metric variants that lie apart (over all data sets), and files that cannot be read."""
    stated = [w for w in run.warnings if w.level == "note"]
    return stated + _variants_apart(run.predictions) + [note("", text) for text in run.problems]


def told(labels: Sequence[str], notices: Sequence[Sequence[Notice]]) -> list[Told]:
    """Each notice once, with what to do about it and the labels of the runs that have it."""
    owners: dict[tuple[str, str], list[str]] = {}
    for label, held in zip(labels, notices, strict=True):
        for one in dict.fromkeys(held):
            owners.setdefault((_sentence(one), MENDS.get(one.code, "")), []).append(label)
    return [Told(*said, () if len(found) == len(labels) else tuple(found)) for said, found in owners.items()]


def _sentence(notice: Notice) -> str:
    """It begins with a capital letter; its stop is set behind the names of its runs."""
    text = SENTENCES.get(notice.code, "{}").format(str(notice)).rstrip(".")
    return text[:1].upper() + text[1:]


def _variants_apart(frame: pd.DataFrame | None) -> list[Notice]:
    if frame is None:
        return []
    table = metric_variants(frame)
    apart = variant_warnings(table[table["dataset"] == ALL])
    return [replace(one, text=one.text.removeprefix(f"{ALL}: ")) for one in apart]


def _unstated(run: Run) -> list[Notice]:
    """Dangers that follow from the files although the run's warnings do not name them."""
    stated, said = {w.code for w in run.warnings}, []
    if as_mapping(run.resolved.get("weights")).get("source") == "random" and UNTRAINED not in stated:
        said.append(danger(UNTRAINED, f"{run.resolved.get('encoder')} was never trained"))
    if LEAKY not in stated and (spread := _in_several_folds(run.predictions)):
        said.append(danger(LEAKY, f"{spread} subjects are tested in more than one fold, so they train others"))
    failed = [test for test in run.self_tests if test.get("passed") is not True]
    return said + [danger(FAILED, f"{test.get('check')}: {test.get('detail')}") for test in failed]


def _in_several_folds(frame: pd.DataFrame | None) -> int:
    """Number of subjects whose clips are tested in more than one fold of one seed."""
    if frame is None or not {"subject", "fold"} <= set(frame.columns):
        return 0
    seeds = frame.get("seed", pd.Series("", index=frame.index))
    folds = frame.groupby([seeds, frame["subject"]])["fold"].nunique()
    return int((folds.groupby(level=1).max() > 1).sum())
