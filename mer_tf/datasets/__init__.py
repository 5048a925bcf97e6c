"""Data sets by name: each adapter turns a folder as it was downloaded into manifest rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from mer_tf.config import MerError
from mer_tf.datasets.manifest import ClipRow
from mer_tf.datasets.smic import smic_rows
from mer_tf.datasets.videos import video_rows

ADAPTERS: dict[str, Callable[[Path], list[ClipRow]]] = {
    "smic-hs": lambda root: smic_rows(root, "hs"),
    "smic-vis": lambda root: smic_rows(root, "vis"),
    "smic-nir": lambda root: smic_rows(root, "nir"),
    "videos": video_rows,
}


def dataset_rows(name: str, root: Path) -> list[ClipRow]:
    """Manifest rows of data set `name` under `root`; an unknown name is a `MerError` that lists the known ones."""
    if name not in ADAPTERS:
        raise MerError(f"unknown data set {name!r}; known: {', '.join(ADAPTERS)}")
    return ADAPTERS[name](Path(root))
