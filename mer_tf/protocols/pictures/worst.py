"""The clips a run gets most wrong, as filmstrips in worst/: the first thing to look at."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from mer_tf.evaluation.predictions import read_predictions
from mer_tf.files import write_csv
from mer_tf.protocols.workbench import Workbench
from mer_tf.reporting.filmstrip import filmstrip

CLIPS = 6


def write_worst(bench: Workbench, directory: Path) -> pd.DataFrame:
    """worst/worst.csv (clip_id, subject, y_true, y_pred, p_true, file) and a filmstrip of each.

    Of the misclassified clips, those whose true class got the least probability, mean over seeds.
    """
    table = worst_clips(read_predictions(directory / "predictions.csv"))
    table["file"] = [f"{k + 1:02d}.jpg" for k in range(len(table))]
    files = dict(zip(table["clip_id"], table["file"], strict=True))
    for clip_id, frames in bench.frames(files).items():
        filmstrip(frames, directory / "worst" / files[clip_id])
    write_csv(table, directory / "worst" / "worst.csv")
    return table


def worst_clips(frame: pd.DataFrame, number: int = CLIPS) -> pd.DataFrame:
    """The misclassified clips of the least probability of the true class: clip_id, subject, y_true, y_pred, p_true."""
    shares = [float(row[f"p_{row['y_true']}"]) for _, row in frame.iterrows()]
    wrong = frame.assign(p_true=shares)[frame["y_true"] != frame["y_pred"]]
    columns = {"subject": "first", "y_true": "first", "y_pred": "first", "p_true": "mean"}
    return wrong.groupby("clip_id", as_index=False).agg(columns).nsmallest(number, "p_true").reset_index(drop=True)
