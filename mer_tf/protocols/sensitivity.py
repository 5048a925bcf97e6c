"""The sensitivity curve: how large a motion must be, and how many frames must show it, before a system sees it.

Drawn data alone have a known amplitude; the curve compares systems with each other and says nothing about people.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from mer_tf.changes import changed
from mer_tf.config import Experiment, MerError, preset_of
from mer_tf.evaluation.curve import halfways
from mer_tf.evaluation.predictions import read_predictions
from mer_tf.files import write_csv
from mer_tf.protocols.variants import Run, run_variants, variant_row
from mer_tf.reporting.plots import sensitivity_png

FRAME_RATE = 100.0
"""Of the look-alike, as of SMIC-HS, frames a second."""
SCORED = ("n", "UAR", "accuracy", "UF1", "UAR_low", "UAR_high", "chance")


def sensitivity(
    experiments: Sequence[Experiment], amplitudes: Sequence[float], steps: Sequence[int], out: Path, run: Run
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """`run` each experiment at each amplitude (pixels) and with every step-th frame; finished runs are kept.

    Writes curve.csv, halfway.csv and curve.png. Returns the curve (experiment, amplitude, fps, n, UAR with its 95 %
    interval, accuracy, UF1, chance) and, for each experiment and frame rate, the amplitude halfway up.
    """
    if real := [e.name for e in experiments if preset_of(e.data) == "paper"]:
        raise MerError(f"{', '.join(real)}: the amplitude of real data is unknown; leave out data.root and manifests")
    points = [(e, float(a), int(s)) for a in amplitudes for e in experiments for s in steps]
    runs = run_variants({k: _variant(*point, out) for k, point in enumerate(points)}, run, "sensitivity")
    rows = []
    for k, (e, amplitude, step) in enumerate(points):
        scored = variant_row(read_predictions(runs[k] / "predictions.csv"))
        named = {"experiment": e.name, "amplitude": amplitude, "fps": FRAME_RATE / step}
        rows.append(named | {name: scored[name] for name in SCORED})
    curve = pd.DataFrame(rows).sort_values(["experiment", "fps", "amplitude"], ascending=[True, False, True])
    half = halfways(curve)
    for table, name in ((curve, "curve.csv"), (half, "halfway.csv")):
        write_csv(table, out / name)
    sensitivity_png(curve, half, out / "curve.png")
    return curve, half


def window_frames(frames: int, step: int) -> int:
    """Frames of a window of the same duration when every `step`-th is used; at least 3 where there were as many."""
    return max(min(frames, 3), round(frames / step))


def _variant(experiment: Experiment, amplitude: float, step: int, out: Path) -> Experiment:
    folder = out / "runs" / f"amplitude-{amplitude:g}-step-{step}"
    frames = window_frames(experiment.clip.frames, step)
    changes = {"data.amplitude": amplitude, "clip.step": step, "clip.frames": frames, "out": str(folder)}
    return changed(experiment, changes)
