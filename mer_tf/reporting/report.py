"""The HTML report: one self-contained page for one or several runs, derived from their predictions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from mer_tf import __version__
from mer_tf.evaluation.metrics import SCORES
from mer_tf.files import facts, write_text
from mer_tf.reporting import described, svg
from mer_tf.reporting.analysis import BASELINE, Analysis, analyse, run_labels
from mer_tf.reporting.embedded import picture_sections, worst_pictures
from mer_tf.reporting.run_files import Run, flat, read_run

PICTURES = {"gradcam": "Grad-CAM", "attention": "Attention"}
MANY = 20
"""Rows above which a long table is folded."""


def write_report(directories: Sequence[Path], out: Path) -> Path:
    """Write the report of the run directories to `out`; return the path. `MerError` for a directory that is no run."""
    return write_text(out, report_html([read_run(d) for d in directories]))


def report_html(runs: Sequence[Run]) -> str:
    """The page as text. Unfinished runs are named as such and have no numbers."""
    labels = run_labels(runs)
    finished = {a.label: a for a in analyse(runs)}
    parts = [
        {"id": f"run-{k + 1}", "label": label, "run": run, "analysis": finished.get(label)}
        for k, (label, run) in enumerate(zip(labels, runs, strict=True))
    ]
    return (
        _environment()
        .get_template("report.html.j2")
        .render(parts=parts, title=_title(runs), systems=_systems(list(finished.values())), published=_published(runs))
    )


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("mer_tf.reporting"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "percent": _percent, "interval": _interval, "flat": lambda value: flat(value, ""),
        "question": described.question, "contents": _contents,
    }  # fmt: skip
    environment.tests["numeric_text"] = lambda text: text.replace(".", "", 1).isdecimal()
    environment.globals |= {
        "SCORES": SCORES, "BASELINE": BASELINE, "MANY": MANY, "PICTURES": PICTURES, "version": __version__,
        "described": described, "svg": svg, "picture_sections": picture_sections, "worst_pictures": worst_pictures,
        "shares": _shares, "wide_variants": _wide_variants, "top": _top,
    }  # fmt: skip
    return environment


def _contents(run: Run, analysis: Analysis | None) -> list[tuple[str, str]]:
    """Name and heading of each section that the run has something for; its template is section_<name>.html.j2."""
    there = {
        "protocol": ("Protocol", True),
        "data": ("Data", analysis is not None),
        "tests": ("Self-tests", bool(run.self_tests)),
        "variants": ("Metric variants", analysis is not None),
        "confusion": ("Confusion matrices", analysis is not None),
        "curves": ("Learning curves", bool(run.history[["loss", "accuracy"]].notna().to_numpy().any())),
        "subjects": ("Subjects", analysis is not None and not analysis.subjects.empty),
        "pictures": ("Pictures", not run.pictures.empty),
        "worst": ("Worst clips", not run.worst.empty),
        "again": ("Run it again", True),
    }
    return [(name, heading) for name, (heading, held) in there.items() if held]


def _title(runs: Sequence[Run]) -> str:
    names = list(dict.fromkeys(run.name for run in runs))
    return f"{', '.join(names)}: {len(runs)} runs" if len(runs) > 1 else names[0]


def _systems(finished: Sequence[Analysis]) -> list[dict[str, Any]]:
    """Rows of the results table: each run, its baseline, and what always naming the largest class reaches."""
    rows: list[dict[str, Any]] = []
    for one in finished:
        rows.append({"name": one.label, "kind": "run", "metrics": one.metrics})
        if one.baseline:
            rows.append({"name": BASELINE, "kind": "baseline", "metrics": one.baseline})
        rows.append({"name": "always the majority class", "kind": "majority", "metrics": one.metrics})
    return rows


def _published(runs: Sequence[Run]) -> list[dict[str, str]]:
    """Published figures that the experiments name, as printed; a key without a row says so."""
    keys = list(dict.fromkeys(str(key) for run in runs for key in run.settings["published"] or ()))
    table = facts("published_results.csv").drop_duplicates("key").set_index("key")
    missing = pd.Series({"note": "published_results.csv has no such row"}, table.columns).fillna("")
    held = (table.loc[key] if key in table.index else missing for key in keys)
    return [{"key": key} | {str(k): str(v) for k, v in row.items()} for key, row in zip(keys, held, strict=True)]


def _percent(value: float) -> str:
    return "" if pd.isna(value) else f"{value:.1%}"


def _interval(score: dict[str, Any]) -> str:
    low, high = score["ci95"]
    return f"[{100 * low:.1f}, {100 * high:.1f}]"


def _shares(counts: np.ndarray) -> np.ndarray:
    """Each row of confusion counts as shares of its true class; zeros where the class has no clip."""
    support = counts.sum(axis=1, keepdims=True)
    return np.divide(counts, support, out=np.zeros(counts.shape), where=support > 0)


def _wide_variants(table: pd.DataFrame) -> tuple[list[str], list[tuple[str, str, list[float]]]]:
    """Data sets, and metric, definition and the value for each data set."""
    homes = list(table["dataset"].unique())
    values = table.pivot(index="metric", columns="dataset", values="value")
    definitions = table.drop_duplicates("metric")[["metric", "definition"]].itertuples(index=False)
    return homes, [(m, text, values.loc[m, homes].tolist()) for m, text in definitions]


def _top(history: pd.DataFrame, column: str) -> float:
    """Upper end of the axis: 1 for an accuracy, the largest loss rounded up to one significant digit otherwise."""
    largest = history[column].max()
    if column == "accuracy" or not largest > 0:
        return 1.0
    digit = 10.0 ** np.floor(np.log10(largest))
    return float(np.ceil(largest / digit) * digit)
