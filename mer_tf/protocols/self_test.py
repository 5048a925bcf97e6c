"""The run's self-test, before training and after it; written to self_test.json and shown by the report."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from mer_tf.config import Experiment
from mer_tf.evaluation.predictions import predictions_frame
from mer_tf.evaluation.self_test import Check, chance_check, fold_checks, prediction_checks, require
from mer_tf.files import read_json, write_json
from mer_tf.inputs.clips import Clips, label_clips
from mer_tf.protocols.workbench import Workbench
from mer_tf.training.baselines import motion_probe_uars

SHUFFLES = 10
FILE = "self_test.json"


def before_training(experiment: Experiment, clips: Clips, bench: Workbench, directory: Path) -> None:
    """Folds are disjoint, do not depend on row order, and teach nothing about shuffled labels; else `MerError`."""
    folds, labels = bench.folds(), clips.table["label"].to_numpy()
    order = np.random.default_rng(0).permutation(len(clips.rows))
    rows, stored = [clips.rows[k] for k in order], [clip.stored for clip in clips.labelled[::-1]]
    again = dataclasses.replace(clips, labelled=label_clips(rows, stored, clips.protocol, experiment.data))
    same = again.labelled == clips.labelled and Workbench(experiment, again, bench.encoded).folds() == folds
    values = motion_probe_uars(bench.store, bench.ids(range(len(labels))), folds, labels, SHUFFLES, seed=0)
    support = np.unique(labels, return_counts=True)[1]
    # Standard error of a mean of recalls at chance; clips with shuffled labels are independent of each other.
    chance = 1 / len(support)
    error = float(np.sqrt((chance * (1 - chance) / support).sum()) / len(support) / SHUFFLES**0.5)
    checks = [
        *fold_checks(clips.table, folds, experiment.evaluation.split),
        Check("the order of the manifest's rows changes nothing", same, "" if same else "clips or folds differ"),
        chance_check("a probe trained on shuffled labels scores chance", values, len(support), error),
    ]
    _keep(checks, directory)


def after_training(frame: pd.DataFrame, classes: Sequence[str], directory: Path) -> None:
    """An oracle scores 1 on the run's own path, shuffled predictions chance, and row order is nothing."""
    index = {name: k for k, name in enumerate(classes)}
    certain = np.eye(len(classes))[frame["y_true"].map(index)]
    keys = ["clip_id", "dataset", "subject", "fold", "seed", "y_true"]
    oracle = predictions_frame(frame[keys].reset_index(drop=True), certain, classes, "oracle")
    _keep(prediction_checks(frame, oracle), directory)


def _keep(checks: Sequence[Check], directory: Path) -> None:
    """Add the checks to self_test.json, those of the same name replaced; stop the run if one failed."""
    path, names = directory / FILE, {c.check for c in checks}
    stored = read_json(path) if path.exists() else []
    before = [c for c in stored if isinstance(c, dict) and c.get("check") not in names]
    write_json(path, before + [dataclasses.asdict(c) for c in checks])
    require(checks)
