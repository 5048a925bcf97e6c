"""Label protocols: from a data set's raw label to a class index.

Facts live in data_manifests: label_protocols.csv (one row a raw label) and protocol_exclusions.csv (one row a clip
that a protocol leaves out although its label has a class).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from mer_tf.config import MerError
from mer_tf.files import fact_names, facts
from mer_tf.names import unknown

if TYPE_CHECKING:
    from mer_tf.datasets.manifest import ClipRow

FAMILIES = frozenset({"smic", "casme3"})
"""Families whose variants (smic-hs, smic-vis ...) share their labels, so that a protocol names the family."""
SPELLINGS = {"other": "others"}


@dataclass(frozen=True)
class LabelProtocol:
    """Class order comes from here, never from a directory listing."""

    name: str
    classes: tuple[str, ...]
    mapping: Mapping[tuple[str, str, str], int]
    """(data set or family, field of the row, its value as `normalise_label` gives it) -> class index."""
    exclusions: Mapping[str, str] = field(default_factory=dict)
    """clip_id -> why the protocol leaves the clip out."""

    def class_index(self, row: ClipRow) -> int | None:
        """Class of a clip; None when the protocol leaves its label, or the clip, out."""
        return None if row.clip_id in self.exclusions else self.label_index(row)

    def label_index(self, row: ClipRow) -> int | None:
        """Class of the clip's label, exclusions aside."""
        home = home_of(row.dataset)
        return self.mapping.get((home, self._field(home), normalise_label(self.label(row))))

    def label(self, row: ClipRow) -> str:
        """What the protocol classifies the clip by, as the data set wrote it: its emotion or its objective class."""
        return str(getattr(row, self._field(home_of(row.dataset))))

    def class_name(self, row: ClipRow) -> str | None:
        """Name of `class_index`."""
        index = self.class_index(row)
        return None if index is None else self.classes[index]

    @property
    def homes(self) -> frozenset[str]:
        """Data sets and families that have labels here."""
        return frozenset(dataset for dataset, _, _ in self.mapping)

    def _field(self, home: str) -> str:
        return next((name for dataset, name, _ in self.mapping if dataset == home), "label_raw")


def home_of(dataset: str) -> str:
    """What a protocol calls the data set: its family where variants share their labels."""
    family = dataset.split("-")[0]
    return family if family in FAMILIES else dataset


def normalise_label(raw: str) -> str:
    """One spelling for a raw label: lower case, single blanks, `others` for `Other`."""
    plain = " ".join(raw.split()).casefold()
    return SPELLINGS.get(plain, plain)


def protocol_names() -> list[str]:
    """Names of all label protocols."""
    return sorted(fact_names("label_protocols.csv", "protocol"))


@cache
def load_protocol(name: str) -> LabelProtocol:
    """Protocol by name; an unknown one is a `MerError` that lists the names."""
    table = facts("label_protocols.csv")
    rows = table[table["protocol"] == name]
    if rows.empty:
        raise MerError(unknown("label protocol", name, protocol_names()))
    order = rows.assign(class_index=rows["class_index"].astype(int)).drop_duplicates("class_index")
    classes = tuple(order.sort_values("class_index")["class_name"])
    mapping = {
        (dataset, source, normalise_label(label)): int(index)
        for dataset, source, label, index in rows[["dataset", "field", "label_raw", "class_index"]].to_numpy()
    }
    excluded = facts("protocol_exclusions.csv")
    excluded = excluded[excluded["protocol"] == name]
    return LabelProtocol(name, classes, mapping, dict(zip(excluded["clip_id"], excluded["reason"], strict=True)))


FROM_DATA = "data"
"""Name of the protocol in which each label, as it is written, is a class."""


def is_file(name: str) -> bool:
    """Whether a protocol is named by the path of a table."""
    return name.lower().endswith((".csv", ".tsv", ".xlsx"))


def protocol_of(name: str, rows: Sequence[ClipRow]) -> LabelProtocol:
    """The protocol `name` for these clips: a named one, `FROM_DATA`, or a user's table with the columns raw and class.

    `MerError` for an unknown name, a table without these columns, and a raw label that stands in it twice.
    """
    if name == FROM_DATA:
        return _own(name, rows, {label: label for label in sorted({row.label_raw for row in rows if row.label_raw})})
    return _own(name, rows, _users_table(Path(name))) if is_file(name) else load_protocol(name)


def _own(name: str, rows: Sequence[ClipRow], named: Mapping[str, str]) -> LabelProtocol:
    """Classes in the order in which `named` (raw label -> class) has them, for all data sets of the rows."""
    classes = tuple(dict.fromkeys(named.values()))
    index = {normalise_label(raw): classes.index(kind) for raw, kind in named.items()}
    homes = sorted({home_of(row.dataset) for row in rows})
    mapping = {(home, "label_raw", raw): number for home in homes for raw, number in index.items()}
    return LabelProtocol(name, classes, mapping)


def _users_table(path: Path) -> dict[str, str]:
    """Raw label -> class; a line without class leaves its label out."""
    from mer_tf.table_files import read_table

    table = read_table(path, ["raw", "class"], "give a table with the columns raw (label) and class")
    found: dict[str, str] = {}
    for line, raw, kind in zip(table.lines, table.frame["raw"], table.frame["class"], strict=True):
        if normalise_label(raw) in map(normalise_label, found):
            raise MerError(f"{path}, line {line}: the label {raw!r} stands there twice; remove one")
        if kind.strip():
            found[raw] = kind.strip()
    if not found:
        raise MerError(f"{path}: gives no label a class; fill the columns raw and class")
    return found


def protocol_for(rows: Sequence[ClipRow]) -> LabelProtocol | None:
    """The protocol that gives a class to the labels of most `rows`, the first of the table among equals; None for none.

    Exclusions do not count, so that a data set's own protocol is found whatever clips are there.
    """

    def covered(protocol: LabelProtocol) -> int:
        return sum(protocol.label_index(row) is not None for row in rows)

    best = max(map(load_protocol, fact_names("label_protocols.csv", "protocol")), key=covered)
    return best if covered(best) else None
