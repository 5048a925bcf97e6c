"""The tables of a paper made anew: what was printed beside what this code scores, and a test of each claimed order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mer_tf.changes import changed
from mer_tf.config import Experiment, MerError, Tables
from mer_tf.descriptors import TRIVIAL, FlowLogistic
from mer_tf.evaluation.metrics import SCORES
from mer_tf.evaluation.orderings import Ordering, between_data_sets, holm, over_subjects_and_seeds, verdict
from mer_tf.evaluation.predictions import read_predictions
from mer_tf.explain.heat_change import FILE, after_row, change_summary
from mer_tf.explain.heat_change import verdict as heat_verdict
from mer_tf.files import facts, read_mapping, write_csv, write_text
from mer_tf.notices import read_notices
from mer_tf.protocols.variants import Run, run_variants, variant_row
from mer_tf.reporting.tables import heat_table, ordering_table, side_by_side

CELL = (
    "n",
    "mean_of_folds_accuracy",
    *(f"{name}{end}" for name in SCORES for end in ("", "_low", "_high")),
    "chance",
    "majority_rate",
)
"""Columns of scores."""
CLAIMED = ("accuracy", "UAR")
"""Scores by which orders are judged: papers claim the first, unequal classes ask for the second."""


def paper_tables(
    experiment: Experiment, tables: Tables, directory: Path, run: Run
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Run every row of `tables` in every column; finished runs under `directory` are kept, equal ones run once.

    Writes tables.csv, orderings.csv and tables.txt. First: table, row, column, key, printed, n, mean-of-folds accuracy
    and each score with its 95 % interval over subjects (accuracy, accuracy_low, ...); printed rows that no system here
    stands for have no score, and the trivial methods that follow them nothing printed. Where heat is claimed to move,
    heat.csv has each run's test of it (`explain.heat_change`), with p corrected for all of the claim's rows (Holm).
    Second: better, worse, column,
    the printed difference, and of accuracy and UAR ours with its interval over subjects and seeds, p, p corrected for
    all orders of the same printed table (Holm), and what follows (`verdict`); n, subjects and seeds. An order of two
    columns has one row as better and as worse, and both columns as "first > second".
    """
    printed = [*printed_rows(tables), *_trivial(tables)]
    beside = {row["prefix"]: _yardstick(row["row"], experiment) for row in _trivial(tables)}
    settings = cell_settings(experiment, replace(tables, rows={**tables.rows, **beside}), directory)
    runs = run_variants(settings, run, "tables")
    frames = {cell: read_predictions(path / "predictions.csv") for cell, path in runs.items()}
    draws = experiment.evaluation.bootstrap
    scored = {path: cell_scores(frames[cell], draws) for cell, path in runs.items()}
    rows = [p | (scored[runs[c]] if (c := (p["prefix"], p["column"])) in runs else {}) for p in printed]
    first = pd.DataFrame(rows).drop(columns="prefix")
    figures = {(p["prefix"], p["column"]): p["printed"] for p in printed}
    second = _judged(pd.DataFrame(_orders(experiment, tables, frames, figures)))
    for name, table in (("tables.csv", first), ("orderings.csv", second)):
        write_csv(table, directory / name)
    said = [f"printed figures: {tables.unprinted}"] if tables.unprinted else []
    parts = [*run_warnings(runs), *said, side_by_side(first), ordering_table(second)]
    if tables.heat:
        heat = _corrected(pd.DataFrame(list(_heat(tables, runs, draws))))
        write_csv(heat, directory / "heat.csv")
        parts.append(heat_table(heat))
    write_text(directory / "tables.txt", "\n\n".join(parts) + "\n")
    return first, second


def cell_settings(experiment: Experiment, tables: Tables, directory: Path) -> dict[tuple[str, str], Experiment]:
    """(row, column) -> the experiment of this cell, its runs kept under `directory`."""
    return {
        (row, column): changed(
            experiment, {**of_column, **of_row, **tables.cells.get(f"{row}/{column}", {}), "out": str(directory)}
        )
        for column, of_column in tables.columns.items()
        for row, of_row in tables.rows.items()
    }


def run_warnings(runs: dict[tuple[str, str], Path]) -> list[str]:
    """What a reader must know of each column before any number, as its runs say."""
    found: dict[str, list[str]] = {}
    for (_, column), path in runs.items():
        for warning in read_notices(read_mapping(path / "metrics.json").get("warnings", [])):
            found.setdefault(f"warning: {warning}", []).append(column)
    return [f"{text} ({', '.join(dict.fromkeys(columns))})" for text, columns in found.items()]


def printed_rows(tables: Tables) -> list[dict[str, Any]]:
    """Every printed figure of the tables that the rows belong to, in these columns, in the order of the facts.

    Other readings of a printed row follow it.
    """
    if tables.unprinted:
        return [_unprinted(prefix, column) for prefix in tables.rows for column in tables.columns]
    known = facts("published_results.csv")
    of_table = {key.rsplit("/", 1)[0] for key in tables.rows}
    rows = []
    for fact in known.to_dict("records"):
        prefix, column = _cell(fact["key"], tables)
        if prefix.rpartition("/")[0] in of_table and column in tables.columns:
            texts = {"table": fact["table"], "row": fact["system"], "column": column, "key": fact["key"]}
            rows.append({"prefix": prefix} | texts | {"printed": fact["printed"]})
            rows += [_read(rows[-1], other) for other, row in tables.readings.items() if row == prefix]
    if lost := set(tables.rows) - {row["prefix"] for row in rows}:
        raise MerError(f"published_results.csv has no row {', '.join(sorted(lost))} in {', '.join(tables.columns)}")
    return rows


def _read(row: dict[str, Any], reading: str) -> dict[str, Any]:
    """A printed row as it is read otherwise."""
    named = f"{row['row']}: {reading.rpartition('/')[2]}"
    return row | {"prefix": reading, "row": named, "key": f"{reading}/{row['column']}"}


def _unprinted(prefix: str, column: str) -> dict[str, Any]:
    table, _, row = prefix.rpartition("/")
    key = f"{prefix}/{column}"
    return {"prefix": prefix, "table": table, "row": row, "column": column, "key": key, "printed": "unknown"}


def _trivial(tables: Tables) -> list[dict[str, Any]]:
    """The trivial methods in every column, as rows in which nothing is printed."""
    return [
        {"prefix": f"trivial/{name}", "table": "", "row": name, "column": column, "key": "", "printed": ""}
        for column in tables.columns
        for name in TRIVIAL
    ]


def _yardstick(name: str, experiment: Experiment) -> dict[str, Any]:
    """Settings of a trivial method; one that sees a flow image has flow where the paper's system sees frames alone."""
    settings = {"model.name": name, "clip.test": "whole"}
    bare = name == FlowLogistic.name and experiment.preprocess.flow == "none"
    return settings | ({"preprocess.flow": "dis"} if bare else {})


def _cell(key: str, tables: Tables) -> tuple[str, str]:
    """Row and column of a key; one of a paper with one data set, the only column, names no column."""
    prefix, _, last = key.rpartition("/")
    return (prefix, last) if last in tables.columns or len(tables.columns) > 1 else (key, next(iter(tables.columns)))


def cell_scores(frame: pd.DataFrame, bootstrap: int) -> dict[str, Any]:
    """n, mean-of-folds accuracy, each score with its interval, chance and majority rate of a predictions table."""
    row = variant_row(frame, bootstrap)
    row["mean_of_folds_accuracy"] = row["mean-of-folds accuracy"]
    return {name: row[name] for name in CELL}


def _orders(
    experiment: Experiment,
    tables: Tables,
    frames: dict[tuple[str, str], pd.DataFrame],
    printed: dict[tuple[str, str], str],
) -> Iterator[dict[str, Any]]:
    """Orders of two rows in each column, then of two columns, where both are run."""
    draws = experiment.evaluation.bootstrap

    def points(better: tuple[str, str], worse: tuple[str, str]) -> float:
        return np.nan if tables.unprinted else round(float(printed[better]) - float(printed[worse]), 2)

    for better, worse in tables.orderings:
        for column in tables.columns:
            one, other = (better, column), (worse, column)
            options = {"draws": experiment.evaluation.permutations, "bootstrap": draws}
            found = over_subjects_and_seeds(frames[one], frames[other], **options)
            yield _order(better, worse, column, points(one, other), found)
    for row, first, second in tables.across:
        if {first, second} <= set(tables.columns):
            one, other = (row, first), (row, second)
            found = between_data_sets(frames[one], frames[other], bootstrap=draws)
            yield _order(row, row, f"{first} > {second}", points(one, other), found)


def _order(better: str, worse: str, column: str, printed: float, found: Ordering) -> dict[str, Any]:
    row: dict[str, Any] = {"better": better, "worse": worse, "column": column, "printed_points": printed}
    for name in CLAIMED:
        low, high = found.ci95[name]
        row |= {f"{name}_difference": found.difference[name], f"{name}_low": low, f"{name}_high": high}
        row |= {f"{name}_p": found.p[name]}
    return row | {"n": found.n, "subjects": found.subjects, "seeds": found.seeds}


def _judged(orders: pd.DataFrame) -> pd.DataFrame:
    """With the p of each score corrected for all orders of the same printed table, and what follows."""
    judged = orders.copy()
    for name in CLAIMED if len(orders) else ():
        for _, table in orders.groupby(orders["better"].str.rpartition("/")[0]):
            judged.loc[table.index, f"{name}_p_holm"] = holm(table[f"{name}_p"].tolist())
        each = zip(orders[f"{name}_difference"], judged[f"{name}_p_holm"], orders["seeds"], strict=True)
        judged[f"{name}_so"] = [verdict(*one) for one in each]
    return judged


def _corrected(heat: pd.DataFrame) -> pd.DataFrame:
    """With p corrected for all rows of the same claim, and what follows."""
    judged = heat.assign(p_holm=np.nan)
    for _, claim in heat[heat["p"].notna()].groupby("claim"):
        judged.loc[claim.index, "p_holm"] = holm(claim["p"].tolist())
    said = [
        heat_verdict(row, row["p_holm"]) if pd.notna(row["clips"]) else "not measured"
        for row in judged.to_dict("records")
    ]
    return judged.assign(so=said)


def _heat(tables: Tables, runs: dict[tuple[str, str], Path], draws: int) -> Iterator[dict[str, Any]]:
    """Of each claim, row and column: lift before and after training, and their difference."""
    wanted = ("before", "lift", "difference", "low", "high", "p", "pairs", "clips", "subjects", "seeds")
    for claim, rows in tables.heat.items():
        for row, column in ((row, column) for row in rows for column in tables.columns):
            found, path = {"claim": claim, "row": row, "column": column}, runs[row, column] / FILE
            if not path.is_file():
                yield found | dict.fromkeys(wanted, np.nan)
                continue
            after = after_row(change_summary(pd.read_csv(path), draws=draws))
            yield found | {name: after.get(name, np.nan) for name in wanted}
