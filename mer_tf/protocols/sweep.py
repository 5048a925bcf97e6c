"""A grid of settings, each a full run, in one table with the published figures beside (Bai & Goecke 2020: Table 3)."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from mer_tf.changes import changed
from mer_tf.config import Experiment
from mer_tf.evaluation.predictions import read_predictions
from mer_tf.files import facts, write_csv
from mer_tf.protocols.variants import ACCURACIES, Run, run_variants, variant_row
from mer_tf.reporting.plots import sweep_png

COLUMNS = ("n", *ACCURACIES, "majority", "UAR", "UAR_low", "UAR_high", "UF1", "chance")


def sweep(experiment: Experiment, grid: Mapping[str, Sequence[Any]], directory: Path, run: Run) -> pd.DataFrame:
    """`run` every combination of `grid` (dotted field -> values); finished runs under `directory` are kept.

    Writes sweep.csv and, when one number is swept, sweep.png. Columns: the swept fields, n, best-fold, pooled and
    mean-of-folds accuracy, majority rate, UAR with its 95 % interval, UF1, chance, and what was published for that
    setting. The best row is the best of many tries on the test folds: a search, not an estimate.
    """
    settings = dict(enumerate(combinations(experiment, grid, directory)))
    runs = run_variants({k: one for k, (_, one) in settings.items()}, run, "sweep")
    rows = []
    for k, (chosen, one) in settings.items():
        scored = variant_row(read_predictions(runs[k] / "predictions.csv"))
        scored["majority"] = scored["majority_rate"]
        rows.append(chosen | {name: scored[name] for name in COLUMNS} | {"published": _published(one)})
    table = pd.DataFrame(rows)
    write_csv(table, directory / "sweep.csv")
    field, *more = grid
    if not more and all(isinstance(value, int | float) for value in grid[field]):
        sweep_png(table, field, float(table["chance"].iloc[0]), directory / "sweep.png")
    return table


def combinations(
    experiment: Experiment, grid: Mapping[str, Sequence[Any]], directory: Path
) -> list[tuple[dict[str, Any], Experiment]]:
    """Every combination of `grid`, with the experiment of it, its runs kept under `directory`."""
    chosen = [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]
    return [(one, changed(experiment, {**one, "out": str(directory)})) for one in chosen]


def sweep_text(table: pd.DataFrame) -> str:
    """The table as text, scores in per cent."""
    scores = [c for c in table.columns if table[c].dtype == float]
    shown = table.assign(**{c: [f"{v:.1%}" for v in table[c]] for c in scores})
    note = f"the best of {len(table)} settings was picked on the test folds: a search, not an estimate"
    return f"{shown.to_string(index=False)}\n{note}"


def _published(experiment: Experiment) -> str:
    """Figures printed for this system and window length, as they were printed."""
    table = facts("published_results.csv")
    systems = table[table["key"].isin(experiment.published)]["key"].str.rsplit("/", n=1).str[0]
    keys = [f"{system}/N{experiment.clip.frames}" for system in systems]
    return ", ".join(table[table["key"].isin(keys)]["printed"])
