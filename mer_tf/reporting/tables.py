"""Results as text: a model, its baselines and published figures in one table, never accuracy alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from mer_tf.config import MerError
from mer_tf.evaluation.metrics import SCORES
from mer_tf.files import facts


def results_table(results: Mapping[str, Mapping[str, Any]]) -> str:
    """One line a system: each score with its 95 % interval in per cent, n, and the permutation p of the UAR."""
    rows = {}
    for name, metrics in results.items():
        cells = {score: _interval(metrics[score]) for score in SCORES}
        rows[name] = cells | {"n": str(metrics["n"]), "p (UAR)": f"{metrics['permutation_p_UAR']:.4f}"}
    first = next(iter(results.values()))
    majority = {score: "" for score in SCORES} | {"accuracy": f"{first['majority_rate']:.1%}"}
    chance = {"UAR": f"{first['chance_UAR']:.1%}", "n": str(first["n"]), "p (UAR)": ""}
    rows["always the majority class"] = majority | chance
    over = "subjects" if first["subjects"] else "clips"
    count = f"{first['n']} clips of {first['subjects']} subjects" if first["subjects"] else f"{first['n']} clips"
    note = f"pooled over folds; [95 % interval over {over}]; {count}; p: predictions shuffled within subjects"
    return f"{_aligned(pd.DataFrame(rows).T.fillna(''))}\n{note}"


def class_table(metrics: Mapping[str, Any]) -> str:
    """Precision, recall, F1 and support of each class."""
    frame = pd.DataFrame(metrics["per_class"]).T
    shown = frame.astype(object)
    for name in ("precision", "recall", "F1"):
        shown[name] = [f"{v:.3f}" for v in frame[name]]
    shown["support"] = [f"{v:.0f}" for v in frame["support"]]
    return _aligned(shown)


def published_table(keys: Sequence[str]) -> str:
    """Published figures as they were printed, by key (data_manifests/published_results.csv)."""
    table = facts("published_results.csv").set_index("key")
    if unknown := [k for k in keys if k not in table.index]:
        raise MerError(f"published_results.csv has no row {', '.join(unknown)}; known: {', '.join(table.index)}")
    return _aligned(
        table.loc[list(keys), ["where", "system", "printed", "unit", "protocol", "note"]].set_index("where")
    )


def _interval(score: Mapping[str, Any]) -> str:
    low, high = score["ci95"]
    return f"{score['pooled']:.1%} [{low * 100:.1f}, {high * 100:.1f}]"


def _aligned(frame: pd.DataFrame) -> str:
    """Fixed-width text, first column left-aligned."""
    cells = [["", *map(str, frame.columns)]] + [
        [str(i), *map(str, row)] for i, row in zip(frame.index, frame.to_numpy(), strict=True)
    ]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in cells]
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:]])
