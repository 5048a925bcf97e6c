"""Look-alikes of the data sets' folders and annotation sheets, in their exact names and published numbers of clips.

They are for layouts: every frame is the same tiny noise picture, so nothing can be learned from them. Faces that move
are drawn by `mer_tf.synthetic.trees.smic.write_smic`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np

from mer_tf.config import MerError
from mer_tf.errors import refuse
from mer_tf.files import write_json
from mer_tf.locks import whole_folder
from mer_tf.synthetic.layouts.casme import (
    CASME_TREES,
    SQ_TREES,
    casme3_a_tree,
    casme3_c_tree,
    casme_sq_tree,
    casme_tree,
)
from mer_tf.synthetic.layouts.casme2 import LAYOUTS as CASME2_LAYOUTS
from mer_tf.synthetic.layouts.casme2 import casme2_tree
from mer_tf.synthetic.layouts.files import Tree, beside, finished, write_tree
from mer_tf.synthetic.layouts.others import flow_images_tree, fourdme_tree, mmew_tree, smic_layout_tree
from mer_tf.synthetic.layouts.samm import samm_lv_tree, samm_tree

MARKER = "lookalike.json"
"""Arguments of a finished tree, beside its folders."""
VERSION = 1

Plan = Callable[[str, bool, np.random.Generator], Tree]
"""(layout, small, random numbers) -> tree."""


def _megc2019(layout: str, small: bool, rng: np.random.Generator) -> Tree:
    smic = smic_layout_tree("hs", "s01", small, rng)
    return beside({"SMIC": smic, "CASME2": casme2_tree(layout, small, rng), "SAMM": samm_tree(small, rng)})


PLANS: dict[str, tuple[Plan, tuple[str, ...]]] = {
    "smic-hs": (lambda layout, small, rng: smic_layout_tree("hs", layout, small, rng), ("s01", "s1")),
    "smic-vis": (lambda layout, small, rng: smic_layout_tree("vis", layout, small, rng), ("s01", "s1")),
    "smic-nir": (lambda layout, small, rng: smic_layout_tree("nir", layout, small, rng), ("s01", "s1")),
    "casme2": (casme2_tree, CASME2_LAYOUTS),
    "samm": (lambda _, small, rng: samm_tree(small, rng), ("SAMM",)),
    "samm-lv": (lambda _, small, rng: samm_lv_tree(small, rng), ("SAMM_longvideos",)),
    "casme": (casme_tree, tuple(CASME_TREES)),
    "casme-sq": (casme_sq_tree, SQ_TREES),
    "casme3-a": (lambda _, small, rng: casme3_a_tree(small, rng), ("part_A",)),
    "casme3-c": (lambda _, small, rng: casme3_c_tree(small, rng), ("part_C",)),
    "mmew": (lambda _, small, rng: mmew_tree(small, rng), ("Micro_Expression",)),
    "4dme": (fourdme_tree, ("gray_micro", "gray_micro_crop")),
    "megc2019": (_megc2019, CASME2_LAYOUTS),
    "flow-images": (lambda _, small, rng: flow_images_tree(small, rng), ("folds",)),
}
"""Data set -> its plan and its layouts, the default one first."""


def write_lookalike(
    dataset: str,
    out: Path,
    *,
    counts: Literal["published", "small"] = "small",
    layout: str | None = None,
    seed: int = 0,
    shuffle_rows: bool = False,
) -> Path:
    """Write the folders and the sheet of a data set under `out` and return `out`, the root its adapter takes.

    `published` has as many clips of each class (and, where known, of each subject) as the real data set, `small` two
    of each class over three subjects. `layout` is one of the trees or sheets the data set is found as (see `PLANS`).
    `shuffle_rows` puts the rows of the sheets in another order. Names are made up, save those the literature names.

    Frames are hard links of one picture where the file system has them: replace a file, never write into it. Equal
    arguments give equal files; a finished tree is left alone. `MerError` for an unknown data set or layout, and for an
    `out` that holds anything else.
    """
    arguments = _arguments(dataset, counts, layout, seed, shuffle_rows)
    out = Path(out)
    if finished(out, arguments, MARKER):
        return out
    plan, _ = PLANS[dataset]
    tree = plan(arguments["layout"], counts == "small", np.random.default_rng([seed, 0]))
    with whole_folder(out) as part:
        write_tree(tree, part, seed=seed, shuffle_rows=shuffle_rows)
        write_json(part / MARKER, arguments)
    return out


def _arguments(dataset: str, counts: str, layout: str | None, seed: int, shuffle_rows: bool) -> dict[str, Any]:
    if dataset not in PLANS:
        raise MerError(f"no look-alike of the data set {dataset!r}; there are {', '.join(PLANS)}")
    layouts = PLANS[dataset][1]
    faults = {
        f"layout must be one of {', '.join(layouts)}, not {layout!r}": layout not in (None, *layouts),
        f"counts must be published or small, not {counts!r}": counts not in ("published", "small"),
        f"seed must be 0 or more, not {seed}": seed < 0,
    }
    refuse(f"look-alike of {dataset}: {fault}" for fault, broken in faults.items() if broken)
    known = {"dataset": dataset, "counts": counts, "layout": layout or layouts[0], "seed": seed}
    return known | {"shuffle_rows": shuffle_rows, "version": VERSION}
