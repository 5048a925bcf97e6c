"""Class labels of other people's results: one spelling for each class, and the same classes on both sides."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from mer_tf.config import MerError
from mer_tf.datasets.labels import normalise_label
from mer_tf.names import few

LABELS = ("y_true", "y_pred")


def one_spelling(
    frames: Sequence[pd.DataFrame], columns: Sequence[str] = LABELS, first: Iterable[str] = ()
) -> tuple[list[pd.DataFrame], list[str]]:
    """The tables with names that differ in case, blanks or `other` for `others` written as one, and notes that say so.

    The spelling is the first that occurs: in `first`, then in `columns` of the tables in their order. `columns` share
    their names: a name in one of them means the same in the others.
    """
    spelled: dict[str, dict[str, None]] = {}
    held = [name for frame in frames for column in columns if column in frame for name in frame[column].unique()]
    for name in (*first, *held):
        spelled.setdefault(normalise_label(name), {})[name] = None
    chosen = {name: next(iter(same)) for same in spelled.values() for name in same}
    mended = [frame.assign(**{c: frame[c].map(chosen) for c in columns if c in frame}) for frame in frames]
    notes = [
        f"{', '.join(map(repr, same))} are read as one name of {columns[0]}, {next(iter(same))!r}"
        for same in spelled.values()
        if len(same) > 1
    ]
    return mended, notes


def named_classes(frame: pd.DataFrame) -> list[str]:
    """Classes that the table itself names, by columns p_<class>."""
    return [str(c)[2:] for c in frame.columns if str(c).startswith("p_")]


def class_warnings(frame: pd.DataFrame, path: Path, classes: Sequence[str]) -> list[str]:
    """A sentence for the classes that occur as truth alone, and for those that occur as prediction alone.

    `MerError` when the two sides share no class, unless `classes` names the classes of both.
    """
    truth, predicted = ({str(v) for v in frame[column]} for column in LABELS)
    if not truth & predicted and not {*truth, *predicted} <= set(classes):
        raise MerError(
            f"{path}: no true label occurs as a prediction; true are {_some(truth)}, predicted {_some(predicted)}; "
            "write both sides the same way, or name the classes by --classes in the order of their indices"
        )
    said = []
    if never := truth - predicted:
        said.append(f"WARNING: {path.name}: never predicted: {_some(never)}; are they spelled as in the truth?")
    if untrue := predicted - truth:
        said.append(
            f"WARNING: {path.name}: predicted and never true: {_some(untrue)}; it has no recall and is in "
            "no mean over classes"
        )
    return said


def _some(names: set[str]) -> str:
    return few([repr(name) for name in sorted(names)])
