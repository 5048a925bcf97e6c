"""Plots as inline SVG that fills the width it is given: positions in per cent, text and marks never stretched."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from markupsafe import Markup

from mer_tf.reporting.run_files import in_number_order

HEIGHT = 22
"""Pixels of a row."""
LINES = 6
"""Distinguishable colours of the style sheet (series-0 ..); more lines than that are drawn alike, with their mean."""
TICKS = (0, 25, 50, 75, 100)


def interval_row(value: float, low: float, high: float, chance: float | None, label: str) -> Markup:
    """A score (0..1) with its interval as a dot on a whisker, and chance as a dashed line."""
    middle = HEIGHT / 2
    marks = [_line(low, high, middle, middle, "whisker"), _line(low, low, middle - 4, middle + 4, "whisker")]
    marks += [_line(high, high, middle - 4, middle + 4, "whisker"), _dot(value, "point")]
    reference = [] if chance is None else [_line(chance, chance, 0, HEIGHT, "chance")]
    return _row([*reference, *marks], label)


def dots_row(filled: float, hollow: float, reference: float, label: str) -> Markup:
    """Two scores (0..1) as a filled and a hollow dot, beside a reference line."""
    return _row(
        [_line(reference, reference, 0, HEIGHT, "chance"), _dot(hollow, "hollow"), _dot(filled, "point")], label
    )


def axis() -> Markup:
    """Tick labels of the rows, in per cent."""
    anchors = {0: "start", 100: "end"}
    marks = [
        Markup('<text x="{}%" y="12" text-anchor="{}">{}</text>').format(
            t, anchors.get(t, "middle"), f"{t}%" if t == 100 else t
        )
        for t in TICKS
    ]
    return Markup('<svg class="axis" width="100%" height="16" aria-hidden="true">{}</svg>').format(
        Markup("").join(marks)
    )


def curves(history: pd.DataFrame, column: str, top: float) -> Markup:
    """Lines of `column` (0..top) over epochs, one a fold and seed; stretched to its box, strokes keep their width.

    With more lines than colours all are drawn alike and faint, with their mean.
    """
    held = history.dropna(subset=column)
    last = max(float(held["epoch"].max()), 2.0)
    groups = fold_names(held)
    lines = []
    for k, rows in enumerate(groups.values()):
        style = "series-many" if len(groups) > LINES else f"series-{k}"
        lines.append(_polyline(held[held.index.isin(rows)], column, last, top, style))
    if len(groups) > LINES:
        mean = held[["epoch", column]].groupby("epoch", as_index=False).mean()
        lines.append(_polyline(mean, column, last, top, "series-mean"))
    grid = [Markup('<line class="grid" x1="0" x2="100" y1="{0}" y2="{0}"/>').format(y) for y in TICKS]
    return Markup(
        '<svg class="curves" viewBox="0 0 100 100" preserveAspectRatio="none" role="img" aria-label="{}">{}</svg>'
    ).format(f"Training {column} over epochs, {len(groups)} lines", Markup("").join([*grid, *lines]))


def fold_names(history: pd.DataFrame) -> dict[str, list[int]]:
    """Name and rows of each fold of each seed, in the order of their numbers."""
    several = history["seed"].nunique() > 1
    names = {}
    for seed in in_number_order(history["seed"]):
        of_seed = history[history["seed"] == seed]
        for fold in in_number_order(of_seed["fold"]):
            name = f"fold {fold}, seed {seed}" if several else f"fold {fold}"
            names[name] = of_seed.index[of_seed["fold"] == fold].tolist()
    return names


def _polyline(rows: pd.DataFrame, column: str, last: float, top: float, style: str) -> Markup:
    x, y = (rows["epoch"] - 1) / (last - 1) * 100, 100 - rows[column].clip(0, top) / top * 100
    points = " ".join(f"{a:.2f},{b:.2f}" for a, b in zip(x, y, strict=True))
    return Markup('<polyline class="{}" points="{}" vector-effect="non-scaling-stroke"/>').format(style, points)


def _row(marks: Sequence[Markup], label: str) -> Markup:
    grid = [_line(t / 100, t / 100, 0, HEIGHT, "grid") for t in TICKS]
    return Markup('<svg class="row" width="100%" height="{}" role="img" aria-label="{}">{}</svg>').format(
        HEIGHT, label, Markup("").join([*grid, *marks])
    )


def _line(left: float, right: float, top: float, bottom: float, style: str) -> Markup:
    return Markup('<line class="{}" x1="{:.2f}%" x2="{:.2f}%" y1="{}" y2="{}"/>').format(
        style, 100 * left, 100 * right, top, bottom
    )


def _dot(value: float, style: str) -> Markup:
    return Markup('<circle class="{}" cx="{:.2f}%" cy="{}" r="4.5"/>').format(style, 100 * value, HEIGHT / 2)
