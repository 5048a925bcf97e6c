"""Data sets by name: each adapter turns a folder as it was downloaded into manifest rows."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from mer_tf.config import Data, MerError
from mer_tf.names import unknown

if TYPE_CHECKING:
    from mer_tf.datasets.adapters.listing import Listing
    from mer_tf.datasets.manifest import ClipRow

log = logging.getLogger(__name__)

ADAPTERS: dict[str, str] = {
    "smic-hs": "mer_tf.datasets.adapters.smic:smic_hs_listing",
    "smic-vis": "mer_tf.datasets.adapters.smic:smic_vis_listing",
    "smic-nir": "mer_tf.datasets.adapters.smic:smic_nir_listing",
    "casme": "mer_tf.datasets.adapters.casme:casme_listing",
    "casme2": "mer_tf.datasets.adapters.casme2:casme2_listing",
    "casme-sq": "mer_tf.datasets.adapters.casme_sq:casme_sq_listing",
    "casme3-a": "mer_tf.datasets.adapters.casme3:casme3_a_listing",
    "casme3-c": "mer_tf.datasets.adapters.casme3:casme3_c_listing",
    "samm": "mer_tf.datasets.adapters.samm:samm_listing",
    "samm-lv": "mer_tf.datasets.adapters.samm:samm_lv_listing",
    "mmew": "mer_tf.datasets.adapters.mmew:mmew_listing",
    "4dme": "mer_tf.datasets.adapters.fourdme:fourdme_listing",
    "megc2019": "mer_tf.datasets.adapters.megc2019:megc2019_listing",
    "flow-images": "mer_tf.datasets.adapters.flow_images:flow_images_listing",
    "videos": "mer_tf.datasets.adapters.videos:videos_listing",
    "folders": "mer_tf.datasets.adapters.own_folders:folders_listing",
}
"""Name -> module and function of its adapter, imported when it is asked for."""
FLOW_IMAGES = "flow-images"
"""The data set of ready-made images, one a clip."""
FOLDERS = "folders"
"""Your own clips, in any tree of folders or by a table."""
WARNINGS = 20


def dataset_listing(name: str, root: Path, sheet: Path | None = None, pattern: str = "") -> Listing:
    """Clips of data set `name` under `root`, and what is wrong with single ones.

    `sheet` names the annotation sheet; None looks for the published one under `root`. `pattern` says how paths of
    `folders` are read. `MerError` for an unknown name, which lists the known ones, for a pattern of another data set,
    and for a tree or sheet that cannot be read as that data set.
    """
    if name not in ADAPTERS:
        raise MerError(unknown("data set", name, ADAPTERS))
    module, function = ADAPTERS[name].split(":")
    adapter: Callable[..., Listing] = getattr(importlib.import_module(module), function)
    if pattern and name != FOLDERS:
        raise MerError(
            f"data.pattern={pattern}: {name} has a layout of its own; leave it out, or use dataset {FOLDERS}"
        )
    return adapter(Path(root), sheet, pattern) if pattern else adapter(Path(root), sheet)


def given_listing(data: Data) -> Listing | None:
    """The clips of `data.manifests`, or of the data set in `data.root`; None where neither is given."""
    if data.manifests:
        from mer_tf.datasets.adapters.listing import Listing  # brings pandas, as do adapters
        from mer_tf.datasets.manifest import joined_manifests

        return Listing(joined_manifests(data.manifests), [])
    if data.root:
        return dataset_listing(data.dataset, Path(data.root), Path(data.sheet) if data.sheet else None, data.pattern)
    return None


def told(listing: Listing, name: str) -> list[ClipRow]:
    """The rows of a listing; its first problems and doubts are logged as warnings, its notes as information."""
    from mer_tf.datasets.doubts import doubts

    for problem in listing.problems[:WARNINGS]:
        log.warning("%s", problem)
    if (more := len(listing.problems) - WARNINGS) > 0:
        log.warning("and %d more problems; `mer-tf manifest --dataset %s` lists them all", more, name)
    for note in listing.notes:
        log.info("%s", note)
    if unsure := doubts(listing.rows):
        first = next(iter(unsure.items()))
        log.warning(
            "%d clip(s) of doubtful annotation, such as %s: %s; --data.doubtful, or --doubtful of `mer-tf manifest`, "
            "decides",
            len(unsure),
            *first,
        )
    return listing.rows
