"""Label protocols: from a data set's raw label to a class index. Facts live in data_manifests/label_protocols.csv."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import pandas as pd

from mer_tf.config import MerError
from mer_tf.datasets.manifest import ClipRow


@dataclass(frozen=True)
class LabelProtocol:
    """Class order comes from here, never from a directory listing."""

    name: str
    classes: tuple[str, ...]
    mapping: dict[tuple[str, str], int]
    """(family of the data set, raw label) -> class index."""

    def class_index(self, row: ClipRow) -> int | None:
        """Class of a clip; None when the protocol leaves its label out."""
        return self.mapping.get((row.family, row.label_raw))


@cache
def _table() -> pd.DataFrame:
    with files("data_manifests").joinpath("label_protocols.csv").open(encoding="utf-8") as stream:
        return pd.read_csv(stream)


def protocol_names() -> list[str]:
    """Names of all label protocols."""
    return sorted(_table()["protocol"].unique())


def load_protocol(name: str) -> LabelProtocol:
    """Protocol by name; an unknown one is a `MerError` that lists the names."""
    rows = _table().query("protocol == @name")
    if rows.empty:
        raise MerError(f"unknown label protocol {name!r}; known: {', '.join(protocol_names())}")
    classes = rows.drop_duplicates("class_index").sort_values("class_index")["class_name"]
    mapping = {(str(r.dataset), str(r.label_raw)): int(r.class_index) for r in rows.itertuples()}  # type: ignore[arg-type]
    return LabelProtocol(name, tuple(classes), mapping)
