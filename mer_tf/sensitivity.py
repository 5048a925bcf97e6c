"""The sensitivity curve: how large a motion must be, and how many frames must show it, before a system sees it.

Drawn data alone have a known amplitude; the curve compares systems with each other and says nothing about people.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.isotonic import IsotonicRegression
from tqdm import tqdm

from mer_tf.changes import changed
from mer_tf.config import Experiment, MerError, preset_of
from mer_tf.evaluation.metrics import evaluate
from mer_tf.evaluation.predictions import read_predictions
from mer_tf.files import write_csv
from mer_tf.reporting.plots import sensitivity_png
from mer_tf.run_directory import finished_run
from mer_tf.runner import run

FRAME_RATE = 100.0
"""Of the look-alike, as of SMIC-HS, frames a second."""


def sensitivity(
    experiments: Sequence[Experiment], amplitudes: Sequence[float], steps: Sequence[int], out: Path
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Run each experiment at each amplitude (pixels) and with every step-th frame; runs finished under `out` are kept.

    Writes curve.csv, halfway.csv and curve.png. Returns the curve (experiment, amplitude, fps, n, UAR with its 95 %
    interval, accuracy, UF1, chance) and, for each experiment and frame rate, the amplitude halfway up.
    """
    if real := [e.name for e in experiments if preset_of(e.data) == "paper"]:
        raise MerError(f"{', '.join(real)}: the amplitude of real data is unknown; leave out data.root and manifests")
    points = [(e, float(a), int(s)) for a in amplitudes for e in experiments for s in steps]
    rows = [_point(*point, out) for point in tqdm(points, "sensitivity", unit="run")]
    curve = pd.DataFrame(rows).sort_values(["experiment", "fps", "amplitude"], ascending=[True, False, True])
    half = halfways(curve)
    for table, name in ((curve, "curve.csv"), (half, "halfway.csv")):
        write_csv(table, out / name)
    sensitivity_png(curve, half, out / "curve.png")
    return curve, half


def halfways(curve: pd.DataFrame) -> pd.DataFrame:
    """`halfway` of each experiment and frame rate."""
    groups = curve.groupby(["experiment", "fps"], sort=False)
    return pd.DataFrame([{"experiment": e, "fps": f} | halfway(g) for (e, f), g in groups])


def halfway(curve: pd.DataFrame) -> dict[str, float]:
    """Amplitude (pixels) at which UAR passes halfway between chance and its ceiling, NaN when it never does.

    UAR is made non-decreasing in the amplitude first (isotonic regression, weighted equally), so that noise cannot
    cross twice; the ceiling is its value at the greatest amplitude. Columns amplitude, UAR, chance, at least two rows.
    """
    x, chance = curve["amplitude"].to_numpy(), float(curve["chance"].iloc[0])
    rising = IsotonicRegression().fit_transform(x, curve["UAR"])
    goal = (chance + rising[-1]) / 2
    above = np.flatnonzero(rising >= goal)
    if rising[-1] <= chance or above[0] == 0:
        return {"amplitude": float("nan"), "ceiling": float(rising[-1])}
    k = int(above[0])
    share = (goal - rising[k - 1]) / (rising[k] - rising[k - 1])
    return {"amplitude": float(x[k - 1] + share * (x[k] - x[k - 1])), "ceiling": float(rising[-1])}


def window_frames(frames: int, step: int) -> int:
    """Frames of a window of the same duration when every `step`-th is used; at least 3 where there were as many."""
    return max(min(frames, 3), round(frames / step))


def _point(experiment: Experiment, amplitude: float, step: int, out: Path) -> dict[str, float | str]:
    """One run, or the finished one of the same settings, as a row of the curve."""
    folder = out / "runs" / f"amplitude-{amplitude:g}-step-{step}"
    frames = window_frames(experiment.clip.frames, step)
    changes = {"data.amplitude": amplitude, "clip.step": step, "clip.frames": frames, "out": str(folder)}
    settings = changed(experiment, changes)
    directory = finished_run(settings) or run(settings)
    metrics = evaluate(read_predictions(directory / "predictions.csv"), permutations=1)
    low, high = metrics["UAR"]["ci95"]
    scores = {name: metrics[name]["pooled"] for name in ("UAR", "accuracy", "UF1")}
    row = {"experiment": experiment.name, "amplitude": amplitude, "fps": FRAME_RATE / step, "n": metrics["n"]}
    return row | scores | {"UAR_low": low, "UAR_high": high, "chance": metrics["chance_UAR"]}
