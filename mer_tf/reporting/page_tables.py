"""Rows and cells of the report's tables, ready to be shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mer_tf.config import MerError
from mer_tf.evaluation.statistics import Comparison, paired_permutation
from mer_tf.files import facts
from mer_tf.reporting.analysis import BASELINE, Analysis
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


def published(runs: Sequence[Run]) -> list[dict[str, str]]:
    """Published figures that the experiments name, as printed; a key without a row says so."""
    keys = list(dict.fromkeys(str(key) for run in runs for key in run.settings["published"] or ()))
    table = facts("published_results.csv").drop_duplicates("key").set_index("key")
    missing = pd.Series({"note": "published_results.csv has no such row"}, table.columns).fillna("")
    held = (table.loc[key] if key in table.index else missing for key in keys)
    return [{"key": key} | {str(k): str(v) for k, v in row.items()} for key, row in zip(keys, held, strict=True)]


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
