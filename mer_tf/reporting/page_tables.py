"""Rows and cells of the report's tables, ready to be shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mer_tf.config import MerError
from mer_tf.datasets import ADAPTERS
from mer_tf.evaluation.statistics import Comparison, paired_permutation
from mer_tf.files import facts
from mer_tf.reporting.analysis import BASELINE, Analysis
from mer_tf.reporting.privacy import of_people
from mer_tf.reporting.run_files import Run


@dataclass(frozen=True)
class Difference:
    """First system minus second on the same clips; `result` is None where they cannot be paired, `problem` says why."""

    first: str
    second: str
    result: Comparison | None
    problem: str = ""


def systems(finished: Sequence[Analysis]) -> list[dict[str, Any]]:
    """Rows of the results table: each run, its baseline, and what always naming the largest class reaches."""
    rows: list[dict[str, Any]] = []
    for one in finished:
        rows.append({"name": one.label, "kind": "run", "metrics": one.metrics})
        if one.baseline:
            rows.append({"name": BASELINE, "kind": "baseline", "metrics": one.baseline})
        rows.append({"name": "always the majority class", "kind": "majority", "metrics": one.metrics})
    return rows


def paired_differences(finished: Sequence[Analysis]) -> list[Difference]:
    """Each run against its baseline, and each further run against the first."""
    found = [
        _difference(one.label, one.frame, f"its {BASELINE}", one.run.baseline)
        for one in finished
        if one.run.baseline is not None
    ]
    first = finished[0] if finished else None
    return found + [_difference(one.label, one.frame, first.label, first.frame) for one in finished[1:] if first]


def _difference(name: str, frame: pd.DataFrame, other: str, other_frame: pd.DataFrame) -> Difference:
    try:
        return Difference(name, other, paired_permutation(frame, other_frame))
    except MerError as error:
        return Difference(name, other, None, str(error))


@dataclass(frozen=True)
class Published:
    """Published figures of one data set, and the runs that saw it, or a look-alike of it."""

    dataset: str
    rows: list[dict[str, str]]
    ours: list[dict[str, Any]]
    drawn: bool
    """Whether all of these runs saw drawn data alone."""


def published(runs: Sequence[Run], finished: Sequence[Analysis]) -> tuple[list[Published], list[str]]:
    """Figures that the experiments name, as printed, by data set; and the data sets of the others, which no run saw.

    A key without a row says so.
    """
    keys = list(dict.fromkeys(str(key) for run in runs for key in run.settings["published"] or ()))
    table = facts("published_results.csv").drop_duplicates("key").set_index("key")
    missing = pd.Series({"note": "published_results.csv has no such row"}, table.columns).fillna("")
    facts_of = (table.loc[key] if key in table.index else missing for key in keys)
    rows = [{"key": key} | {str(k): str(v) for k, v in row.items()} for key, row in zip(keys, facts_of, strict=True)]
    by_home: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        by_home.setdefault(row["dataset"], []).append(row)
    seen = {home: [run for run in runs if not home or _saw(run, home)] for home in by_home}
    shown = []
    for home, held in by_home.items():
        if there := seen[home]:
            ours = [one for one in finished if any(one.run is run for run in there)]  # tables in runs do not compare
            shown.append(Published(home, held, side_by_side(ours), not any(map(of_people, there))))
    return shown, [home for home, there in seen.items() if not there]


def _saw(run: Run, home: str) -> bool:
    """Whether a run saw one of the data sets that a published figure names, as "smic-hs" or "smic, casme2"."""
    there = set() if run.settings["data.manifests"] else {str(run.settings["data.dataset"])}
    if run.predictions is not None and "dataset" in run.predictions.columns:
        there |= set(run.predictions["dataset"])
    named = [name.strip() for name in home.split(",")]
    return any(n in there or (n not in ADAPTERS and any(t.startswith(f"{n}-") for t in there)) for n in named)


def clip_rows(one: Analysis | None, part_id: str) -> list[dict[str, Any]]:
    """A row a clip: clip_id, dataset, subject, truth, answer, how often right, and the mean probability of the truth.

    With several trainings the answer is the most frequent one, the first in class order among equals. `anchor` is the
    row's own, `shown` has word and anchor of each picture of the clip.
    """
    if one is None:
        return []
    rows, pictures, classes = [], _pictures(one.run, part_id), one.classes
    columns = {name: one.frame[name].tolist() for name in one.frame.columns}
    shares = {k: pd.to_numeric(one.frame[f"p_{k}"]).tolist() for k in {*columns["y_true"]} if f"p_{k}" in columns}
    places: dict[Any, list[int]] = {}
    for place, clip in enumerate(columns["clip_id"]):
        places.setdefault(clip, []).append(place)
    for number, (clip, mine) in enumerate(places.items()):
        first, truth = mine[0], str(columns["y_true"][mine[0]])
        said = [columns["y_pred"][k] for k in mine]
        share = np.mean([shares[truth][k] for k in mine]) if truth in shares else float("nan")
        rows.append(
            {"clip_id": str(clip), "truth": truth, "answer": max(classes, key=said.count)}
            | {name: str(columns[name][first]) if name in columns else "" for name in ("dataset", "subject", "fold")}
            | {"anchor": f"{part_id}-clip-{number}", "shown": pictures.get(str(clip), [])}
            | {"right": said.count(truth), "trainings": len(mine), "share": float(share)}
        )
    return rows


def anchors(rows: Sequence[dict[str, Any]]) -> dict[str, str]:
    """Clip -> the anchor of its row."""
    return {row["clip_id"]: row["anchor"] for row in rows}


def _pictures(run: Run, part_id: str) -> dict[str, list[tuple[str, str]]]:
    """Clip -> word and anchor of each picture of it that the page has."""
    found: dict[str, list[tuple[str, str]]] = {}
    for number, row in enumerate(run.pictures.to_dict("records")):
        word = {"gradcam": "heat map"}.get(row["section"], str(row["section"]))
        found.setdefault(str(row["title"]), []).append((word, f"{part_id}-picture-{number}"))
    for number, row in enumerate(run.worst.to_dict("records")):
        found.setdefault(str(row["clip_id"]), []).append(("frames", f"{part_id}-worst-{number}"))
    return found


PRINTED = ("best-fold accuracy", "pooled accuracy", "mean-of-folds accuracy", "UAR", "macro F1 (UF1)")


def side_by_side(finished: Sequence[Analysis]) -> list[dict[str, Any]]:
    """Each run's scores under the definitions that papers print, with the rate of its largest class."""
    rows = []
    for one in finished:
        whole = one.variants[one.variants["dataset"] == "all"].set_index("metric")["value"]
        values = [float(whole.get(name, np.nan)) for name in PRINTED]
        rows.append({"name": one.label, "values": [*values[:3], one.metrics["majority_rate"], *values[3:]]})
    return rows


def percent(value: float) -> str:
    """0.5 as 50.0%; nothing for a value that does not exist."""
    return "" if pd.isna(value) else f"{value:.1%}"


def interval(score: dict[str, Any]) -> str:
    """The 95 % interval of a score of `evaluate`, in per cent."""
    low, high = score["ci95"]
    return f"[{100 * low:.1f}, {100 * high:.1f}]"


def wide_variants(table: pd.DataFrame) -> tuple[list[str], list[tuple[str, str, list[float]]]]:
    """Data sets, and metric, definition and the value for each data set."""
    homes = list(table["dataset"].unique())
    values = table.pivot(index="metric", columns="dataset", values="value")
    definitions = table.drop_duplicates("metric")[["metric", "definition"]].itertuples(index=False)
    return homes, [(m, text, values.loc[m, homes].tolist()) for m, text in definitions]


def top(history: pd.DataFrame, column: str) -> float:
    """Upper end of the axis: 1 for an accuracy, the largest loss rounded up to half a leading digit otherwise."""
    largest = history[column].max()
    if column == "accuracy" or not largest > 0:
        return 1.0
    step = 10.0 ** np.floor(np.log10(largest)) / 2
    return float(np.ceil(largest / step) * step)


def text_columns(table: pd.DataFrame) -> list[str]:
    """Columns that hold anything but numbers; they are aligned to the left."""
    return [str(c) for c in table.columns if pd.to_numeric(table[c], errors="coerce").isna().any()]
