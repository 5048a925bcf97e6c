"""The composite of MEGC 2019 (See et al., FG 2019): SMIC-HS, CASME II and SAMM in three common classes.

`root` holds one folder for each, named after it in any spelling (SMIC_all_cropped, CASME II, samm ...). Rows keep the
data set they are from; those without a class in the protocol megc2019-3 are not part of the composite.
"""

from __future__ import annotations

import re
from pathlib import Path

from mer_tf.config import MerError
from mer_tf.datasets.adapters.casme2 import casme2_listing
from mer_tf.datasets.adapters.listing import Listing, listing_of, subfolders
from mer_tf.datasets.adapters.samm import samm_listing
from mer_tf.datasets.adapters.smic import smic_hs_listing
from mer_tf.datasets.labels import load_protocol

PROTOCOL = "megc2019-3"
PARTS = (
    ("SMIC", re.compile(r"smic(?!e)"), smic_hs_listing),
    ("CASME II", re.compile(r"casme(2|ii)"), casme2_listing),
    ("SAMM", re.compile(r"samm(?!l)"), samm_listing),
)
"""Name, how its folder's name begins without case, blanks and punctuation, adapter. SMIC-E and SAMM-LV are others."""


def megc2019_listing(root: Path, sheet: Path | None) -> Listing:
    """The clips of the three data sets that have a class in the composite.

    `MerError` for a sheet (each data set has its own), and for a data set that is not there or cannot be read.
    """
    if sheet is not None:
        raise MerError(f"{sheet}: three data sets have no common sheet; put each sheet into its data set's folder")
    protocol = load_protocol(PROTOCOL)
    parts = [adapter(_folder(root, name, pattern), None) for name, pattern, adapter in PARTS]
    rows = [r for part in parts for r in part.rows if protocol.class_index(r) is not None]
    left_out = [r for part in parts for r in part.left_out if protocol.class_index(r) is not None]
    problems, notes = ([text for part in parts for text in getattr(part, kind)] for kind in ("problems", "notes"))
    return listing_of(rows, problems, str(root), left_out, notes)


def _folder(root: Path, name: str, pattern: re.Pattern[str]) -> Path:
    """The one folder in `root` whose name begins like the data set's."""
    if not root.is_dir():
        raise MerError(f"{root}: no such folder; the root must hold the folders of SMIC, CASME II and SAMM")
    found = [p for p in subfolders(root) if pattern.match(re.sub(r"[\W_]", "", p.name).casefold())]
    if len(found) != 1:
        there = ", ".join(p.name for p in found) or "none"
        raise MerError(f"{root}: must hold one folder of {name}, e.g. {name.replace(' ', '_')}/; found: {there}")
    return found[0]
