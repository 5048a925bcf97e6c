"""Other people's predictions as a predictions table: CSV, TSV and Excel with any column names, training logs, runs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from mer_tf.config import MerError
from mer_tf.datasets.labels import normalise_label
from mer_tf.evaluation.predictions import checked
from mer_tf.scoring.class_labels import LABELS, class_warnings, named_classes, one_spelling
from mer_tf.scoring.logs import MEND, is_log, read_log
from mer_tf.table_files import Table, cell_text, read_cells

ALIASES: dict[str, tuple[str, ...]] = {
    "y_true": ("true", "truth", "label", "labels", "truelabel", "gt", "target", "targets", "groundtruth", "actual"),
    "y_pred": ("pred", "preds", "prediction", "predictions", "predicted", "predictedlabel", "predlabel", "output"),
    "clip_id": ("clip", "clipname", "filename", "file", "video", "videoname", "sample", "sampleid", "id"),
    "subject": ("sub", "subj", "subjectid", "subjectname", "participant", "person"),
    "fold": ("foldid", "foldnumber"),
    "dataset": ("db", "database", "corpus"),
    "seed": (),
}
"""Column of a predictions table -> other names for it, compared without case, blanks and signs."""
TABLES = (".csv", ".tsv", ".xlsx", ".xls")


@dataclass(frozen=True)
class Foreign:
    """A predictions table (clip_id, y_true, y_pred, subject, fold ... where known) and what a reader should know."""

    frame: pd.DataFrame
    notes: tuple[str, ...] = ()


def read_foreign(path: Path, columns: Mapping[str, str | None] | None = None, classes: Sequence[str] = ()) -> Foreign:
    """Predictions of a table file, of a training log (`training_logs.read_log`), or of a run directory.

    `columns` names the file's column for y_true, y_pred, clip_id, subject, fold, dataset where the names are unusual;
    `classes` names class indices in their order. Rows are numbered where no column names the clip.

    Raises `MerError` naming the file and the line of what cannot be read.
    """
    if path.is_dir():
        path = path / "predictions.csv"
    wanted = {role: name for role, name in (columns or {}).items() if name is not None}
    frame, notes = _read(path, wanted)
    for column in ("y_true", "y_pred"):
        frame[column] = _labels(frame, column, classes, path)
    for names, first in ((LABELS, named_classes(frame)), (("subject",), ()), (("dataset",), ())):
        (frame,), said = one_spelling([frame], names, first)
        notes = [*notes, *said]
    return Foreign(frame, (*notes, *class_warnings(frame, path, classes or named_classes(frame))))


def read_pair(first: Path, second: Path, classes: Sequence[str] = ()) -> tuple[Foreign, Foreign]:
    """Predictions of two systems (`read_foreign`), their classes in one spelling: that of the first file."""
    one, other = (read_foreign(path, classes=classes) for path in (first, second))
    frames, notes = one_spelling([one.frame, other.frame], LABELS, named_classes(one.frame))
    return Foreign(frames[0], one.notes), Foreign(frames[1], (*other.notes, *notes))


def _read(path: Path, wanted: Mapping[str, str]) -> tuple[pd.DataFrame, list[str]]:
    """A table or a log: the content tells, and the name only where the content tells neither."""
    if not is_log(path):
        table = read_cells(path, MEND) if wanted or path.suffix.lower() in TABLES else _table(path)
        if table is not None:
            return _renamed(table, wanted)
    if wanted:
        raise MerError(f"{path}: column names are for tables, and this is read as a log; leave them out")
    return read_log(path)


def _table(path: Path) -> Table | None:
    """The table of a file whose name does not promise one, when it is one of predictions."""
    try:
        table = read_cells(path, MEND)
        return table if all(_find(table.frame, role, path, {}) for role in LABELS) else None
    except MerError:
        return None


def _renamed(read: Table, wanted: Mapping[str, str]) -> tuple[pd.DataFrame, list[str]]:
    """Columns under their own names, checked; notes say what was taken for what."""
    table, path = read.frame, read.path
    found = {
        role: name for role in ALIASES if (name := wanted.get(role) or _find(table, role, path, wanted)) is not None
    }
    for role, name in found.items():
        if name not in table.columns:
            raise MerError(f"{path}: has no column {name!r} for {role}; it has {', '.join(map(str, table.columns))}")
    for role, option in (("y_true", "--true"), ("y_pred", "--pred")):
        if role not in found:
            raise MerError(
                f"{path}: lacks the columns {role}: name one by {option}; it has {', '.join(map(str, table.columns))}"
            )
    frame = table[[c for c in table.columns if str(c).startswith("p_")]].copy()
    for role, name in found.items():
        frame[role] = table[name].map(cell_text)
    notes = [f"{role} is read from the column {name!r}" for role, name in found.items() if name != role]
    notes += read.notes
    if "clip_id" not in found:
        frame["clip_id"] = [f"row {line}" for line in read.lines]
        notes.append("no column names the clips; rows are numbered")
    elif _repeat(frame, "clip_id") and "subject" in found and not _repeat(frame, "dataset", "subject", "clip_id"):
        homes = [frame[c] for c in ("dataset", "subject") if c in found]
        frame["clip_id"] = ["/".join(names) for names in zip(*homes, frame["clip_id"], strict=True)]
        notes.append("clips of several subjects have one name; they are told apart by their subject")
    return checked(frame, path, read.lines), notes


def _repeat(frame: pd.DataFrame, *keys: str) -> bool:
    """Whether these columns (and the seed) name a row twice."""
    return bool(frame.duplicated([c for c in (*keys, "seed") if c in frame.columns]).any())


def _find(table: pd.DataFrame, role: str, path: Path, wanted: Mapping[str, str]) -> str | None:
    """The column for a role: its own name first, then the only one of its other names."""
    if role in table.columns:
        return role
    free = [c for c in table.columns if c not in wanted.values()]
    known = (_plain(role), *ALIASES[role])
    hits = [str(c) for c in free if _plain(str(c)) in known]
    if len(hits) > 1:
        raise MerError(f"{path}: {' and '.join(hits)} may each be {role}; name the one that is meant")
    return hits[0] if hits else None


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).lower()


def _labels(frame: pd.DataFrame, column: str, classes: Sequence[str], path: Path) -> pd.Series:
    """Labels as text; with `classes`, indices become names."""
    text = frame[column].map(cell_text)
    if not classes:
        return text
    names = {normalise_label(name): name for name in classes}
    if len(names) < len(classes) or any(names.get(str(k), name) != name for k, name in enumerate(classes)):
        raise MerError(f"--classes {' '.join(classes)}: two names are the same, or one is another's index; rename it")
    names |= {str(k): name for k, name in enumerate(classes)}
    named = text.map(normalise_label).map(names)
    if (unknown := named.isna()).any():
        raise MerError(
            f"{path}, {frame.loc[unknown, 'clip_id'].iloc[0]}: {column} {text[unknown].iloc[0]!r} is neither an index "
            f"below {len(classes)} nor one of {', '.join(classes)}; mend it or --classes"
        )
    return named
