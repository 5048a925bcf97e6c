"""Every baseline beside every other: one table of many systems on some data sets, each scored by the same folds."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from mer_tf.changes import read_experiment
from mer_tf.config import Experiment, Tables
from mer_tf.evaluation.predictions import read_predictions
from mer_tf.files import facts, write_csv, write_text
from mer_tf.inputs.after import published_system
from mer_tf.protocols.paper_tables import cell_scores, cell_settings, run_warnings
from mer_tf.protocols.variants import Run, run_variants
from mer_tf.reporting.tables import baseline_text


def baseline_table(experiment: Experiment, tables: Tables, directory: Path, run: Run) -> pd.DataFrame:
    """Run every row of `tables` in every column; finished runs under `directory` are kept.

    Writes baselines.csv and baselines.txt: column, system, n, each score with its 95 % interval over subjects
    (accuracy, accuracy_low, ...), mean-of-folds accuracy, chance, majority rate, the figures that were published under
    the key row/column, what a system that is not the published one is after, and the predictions.csv that all of it is
    derived from.
    """
    runs, rows = run_variants(cell_settings(experiment, tables, directory), run, "tables"), []
    for (row, column), path in runs.items():
        scored = cell_scores(read_predictions(path / "predictions.csv"), experiment.evaluation.bootstrap)
        model = read_experiment(path / "config.json").model.name
        named = {"column": column, "system": row.rpartition("/")[2], "after": published_system(model)} | scored
        rows.append(named | {"published": _published(f"{row}/{column}"), "predictions": str(path / "predictions.csv")})
    table = pd.DataFrame(rows)
    write_csv(table, directory / "baselines.csv")
    folds = f"split: {experiment.evaluation.split}"
    write_text(directory / "baselines.txt", "\n\n".join([*run_warnings(runs), folds, baseline_text(table)]) + "\n")
    return table


def _published(key: str) -> str:
    """Figures printed for a system on a data set, as text with where and how; empty when there is none."""
    table = facts("published_results.csv")
    found = table[table["key"] == key]
    return "; ".join(f"{r['printed']} ({r['protocol']}; {r['where']})" for r in found.to_dict("records"))
