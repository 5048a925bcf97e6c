"""What is said beside a composite's scores: the time in advance, paired differences, and what published figures are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from mer_tf.changes import changed, migrated
from mer_tf.config import Experiment
from mer_tf.descriptors import Classical
from mer_tf.evaluation.statistics import paired_permutation
from mer_tf.files import facts
from mer_tf.models.au_flow import AuFlow
from mer_tf.models.kernel_model import KernelModel

PER_STEP = {"au_flow": 3.8e-3, "ststnet": 2e-4, "off_apexnet": 1.8e-3, "rcn": 2.9e-3}
"""Processor seconds a training image and epoch, measured on two cores of an AMD EPYC at full width; a narrower network
takes less."""
PER_CLIP = {"pixel_kernel": 2e-3, "patch_kernel": 1.2e-2}
"""Seconds a clip, whose kernel is computed once for all folds."""
PER_FIT = 5e-4
"""Seconds a clip and fold of a linear model on pixels."""
SCORES = ("UF1", "UAR")
TUNED = {
    "au-flow-3": "tuned on the 442 real images: the crop of its drawn images; there it is no zero-shot row",
    "au-flow-4": "not tuned on them: its drawn faces lie by published tables; learning rate, epochs and layers are "
    "those of au-flow-3",
    "patch_kernel": "tuned on the 442 real images: the recipe's sizes (a study of about 360 configurations), not its "
    "dictionaries, which are of drawn images",
    "pixel_kernel": "tuned on the 442 real images: blur and penalties, in the same study",
}
"""By shipped network, else by model."""


def said_in_advance(experiment: Experiment, methods: Mapping[str, Any], clips: int, folds: int) -> Iterator[str]:
    """A line a method: about how much processor time it takes, and that it goes on where it was stopped."""
    for name, given in methods.items():
        seconds = _seconds(changed(experiment, migrated(given)), clips, folds)
        if seconds is None:
            yield f"{name}: {folds} trainings; the first says how long one takes; finished ones are kept"
        else:
            shown = f"{seconds / 60:.0f} minutes" if seconds > 90 else f"{max(seconds, 1):.0f} s"
            yield f"{name}: about {shown} of processor time for {folds} folds of {clips} clips"


def _seconds(chosen: Experiment, clips: int, folds: int) -> float | None:
    model = chosen.model
    if isinstance(model, KernelModel):
        return PER_CLIP[model.name] * clips + 1e-9 * folds * clips**3
    if isinstance(model, Classical) and not model.described_by:
        return 1.0
    if isinstance(model, Classical) or (isinstance(model, AuFlow) and model.head != "trained"):
        return PER_FIT * clips * folds
    if (rate := PER_STEP.get(model.name)) is None:
        return None
    return rate * clips * folds * chosen.train.epochs


def differences(tables: Mapping[str, pd.DataFrame], models: Mapping[str, str], bootstrap: int) -> pd.DataFrame:
    """Every method less a reference on the same clips, whole subjects swapped: a row a method, UF1 and UAR.

    The reference is the recommended recogniser, else the linear model on pixels; without either the table is empty.
    """
    names = [n for wanted in ("patch_kernel", "flow_logistic") for n, model in models.items() if model == wanted]
    rows = []
    for name, frame in tables.items():
        if not names or name == names[0]:
            continue
        found = paired_permutation(frame, tables[names[0]], bootstrap=bootstrap, draws=1999)
        row: dict[str, Any] = {"method": name, "less": names[0]}
        for score in SCORES:
            low, high = found.ci95[score]
            row |= {score: found.difference[score], f"{score}_low": low, f"{score}_high": high}
            row[f"{score}_p"] = found.p[score]
        rows.append(row)
    return pd.DataFrame(rows)


def printed(model: str, score: str) -> dict[str, str]:
    """What was published of a model on the composite: the figure as printed, and its marks; empty where nothing was.

    Marks: m quoted from memory, e each subject's epoch chosen on that subject, n with a note (see `notes`).
    """
    rows = facts("published_results.csv").set_index("key")
    if (key := f"E/{model}/MEGC2019-{score}") not in rows.index:
        return {"published": "", "marks": ""}
    row = {name: str(rows.at[key, name]) for name in ("printed", "protocol", "note")}
    told = {"m": "from memory" in row["note"], "e": "best epoch" in row["protocol"], "n": _note(row["note"]) != ""}
    return {"published": row["printed"], "marks": "".join(mark for mark, there in told.items() if there)}


def published_only(models: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Name and model of published systems of the composite that are no row of a table."""
    rows = facts("published_results.csv")
    known = rows[rows["key"].str.fullmatch(r"E/[a-z_0-9]+/MEGC2019-UF1")]
    for row in known.to_dict("records"):
        model = row["key"].split("/")[1]
        if model not in models.values():
            yield row["system"], model


def notes(models: Mapping[str, str]) -> Iterator[str]:
    """The notes of published figures that are shown, a line a system."""
    rows = facts("published_results.csv").set_index("key")
    for model in dict.fromkeys([*models.values(), *(m for _, m in published_only(models))]):
        key = f"E/{model}/MEGC2019-UF1"
        if key in rows.index and (note := _note(str(rows.at[key, "note"]))):
            yield f"n: {rows.at[key, 'system']!s}: {note}"


def tuned(methods: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """What of the methods (name -> dotted settings) was chosen on the 442 real flow images of the composite."""
    there = {str(given.get("model.weights") or given["model.name"]) for given in methods.values()}
    yield from (f"{name}, {line}" for name, line in TUNED.items() if name in there)


def _note(note: str) -> str:
    """A note without where the figure was read."""
    said = ("from memory, not read again", "printed by the authors' code or log", "read in this source")
    return "; ".join(part for part in note.split("; ") if part not in said)
