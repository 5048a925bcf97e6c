"""Did training move the heat onto the facial features? Paired by clip, with controls, and said in one sentence.

Bai & Goecke 2020 (section 5, Figure 4) answer yes from one pair of pictures. Here the same method draws the same frame
for the same class by the network before and after training, for every test clip of every fold and seed, and by controls
in which one part of the trained network is drawn anew: what they change as well was not learned there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from mer_tf.evaluation.orderings import ALPHA
from mer_tf.evaluation.resampling import mean_interval, mean_p
from mer_tf.explain.regions import NAMED

BEFORE, AFTER = "before training", "after training"
HEAD, TAIL = "untrained head", "untrained tail"
"""Controls: the trained network under a head drawn anew; the trained head on an encoder's tail drawn anew."""
FILE = "pictures/gradcam/heat_change.csv"
"""Of a run: the lifts of every test clip, seed and side."""
SIDES = (BEFORE, AFTER, HEAD, TAIL)
SEEDS = 5
"""Trainings below which nothing is claimed."""
FEATURES = "eyes, brows, nose wings and mouth corners"
LIFTS = ("lift", *(f"lift_{name}" for name in NAMED))
"""Columns of figures: all features together, then each."""


def change_summary(table: pd.DataFrame, *, draws: int = 2000) -> pd.DataFrame:
    """One row a side: its lifts, and how far its lift lies above that before training on the same clips and seeds.

    table: seed, clip_id, subject, side, and the `LIFTS`, NaN where a map has no heat or a face was not found. Columns:
    side, the lifts, before, difference, low, high (95 % interval over subjects and, where several ran, seeds), p (signs
    of whole subjects turned), pairs (a clip's maps of one seed), left_out (pairs without heat), clips, subjects, seeds.
    """
    wide = table.pivot(index=["seed", "clip_id", "subject"], columns="side", values=list(LIFTS))
    return pd.DataFrame([_row(wide, side, draws) for side in SIDES if side in wide["lift"]])


def _row(wide: pd.DataFrame, side: str, draws: int) -> dict[str, Any]:
    pairs = wide.dropna(subset=[("lift", BEFORE), ("lift", side)])
    found: dict[str, Any] = {"side": side} | {name: pairs[name, side].mean() for name in LIFTS}
    change = (pairs["lift", side] - pairs["lift", BEFORE]).to_numpy(float)
    people, seeds = (pairs.index.get_level_values(name).to_numpy(str) for name in ("subject", "seed"))
    found |= {"before": pairs["lift", BEFORE].mean(), "difference": float("nan"), "p": float("nan")}
    if len(change):
        low, high = mean_interval(change, people, seeds, draws=draws, seed=0)
        p = mean_p(change, people, draws=draws, seed=0)
        found |= {"difference": change.mean(), "low": low, "high": high, "p": p}
    found |= {"pairs": len(pairs), "left_out": len(wide) - len(pairs)}
    found |= {"clips": pairs.index.get_level_values("clip_id").nunique(), "subjects": len(set(people))}
    return found | {"seeds": len(set(seeds))}


def verdict(row: Mapping[Any, Any], p: float = 0.0) -> str:
    """What the row after training says of the claim, in few words.

    p: of a row among several, corrected for all of them.
    """
    if not row["clips"]:
        return "no heat to compare"
    if row["seeds"] < SEEDS:
        return f"not claimed ({row['seeds']:.0f} of {SEEDS} seeds)"
    if row["low"] <= 0 <= row["high"] or p >= ALPHA:
        return "not shown"
    return "holds" if row["low"] > 0 else "the other way round"


def after_row(summary: pd.DataFrame) -> dict[Any, Any]:
    return next(row for row in summary.to_dict("records") if row["side"] == AFTER)


def sentence(summary: pd.DataFrame) -> str:
    """Whether training moved the heat onto the facial features, with the figures; no claim below `SEEDS` seeds."""
    row = after_row(summary)
    if not row["clips"]:
        return "Nothing can be said of a change: no clip has heat both before and after training."
    meant = {
        "holds": f"training moved the heat onto {FEATURES}",
        "not shown": "the interval of the difference holds 0: no change shown",
        "the other way round": f"training moved the heat away from {FEATURES}",
    }
    few = f"a claim needs {SEEDS} seeds (--evaluation.seeds {SEEDS}), so none is made"
    seeds = "1 seed" if row["seeds"] == 1 else f"{row['seeds']} seeds"
    over = "subjects" if row["seeds"] == 1 else "subjects and seeds"
    controls = [r for r in summary.to_dict("records") if r["side"] in (HEAD, TAIL) and r["clips"]]
    beside = "".join(f", {r['side']} {r['lift']:.2f}" for r in controls)
    all_maps = row["pairs"] + row["left_out"]
    out = f"; {row['left_out']} of {all_maps} pairs of maps without heat or face left out" if row["left_out"] else ""
    return (
        f"Lift on {FEATURES}: {row['before']:.2f} before, {row['lift']:.2f} after training{beside}; difference "
        f"{row['difference']:+.2f} [{row['low']:+.2f}, {row['high']:+.2f}] over {over} ({row['clips']} test clips of "
        f"{row['subjects']} subjects, {seeds}{out}): {meant.get(verdict(row), few)}."
    )
