"""From the folds' predictions to everything a run shows; derived from the pooled predictions.csv alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from math import ceil
from pathlib import Path
from typing import Any

import pandas as pd

from mer_tf.datasets.windows import plan_windows
from mer_tf.evaluation.metrics import class_names, evaluate
from mer_tf.evaluation.predictions import read_predictions, write_predictions
from mer_tf.files import write_csv, write_json, write_text
from mer_tf.inputs.clips import Clips
from mer_tf.notices import Notice, note
from mer_tf.protocols.cross_validation import title
from mer_tf.protocols.self_test import after_training
from mer_tf.protocols.tuning import tuned_text
from mer_tf.protocols.workbench import Bench, Workbench
from mer_tf.reporting.analysis import BASELINE
from mer_tf.reporting.card import CONTENT
from mer_tf.reporting.plots import confusion_pair
from mer_tf.reporting.tables import class_table, published_table, results_table

UNSETTLED = 0.01
"""Share of the first moving statistics that may be left: the variance of frozen features is a few hundredths."""


def summarise(bench: Workbench, clips: Clips, directory: Path) -> str:
    """Pool the folds' predictions, test them, and write content.csv, metrics.json, results.txt, the confusion."""
    encoded, evaluation, name = bench.encoded, bench.experiment.evaluation, bench.experiment.name
    tables = {name: pool(directory, "predictions"), BASELINE: pool(directory, "baseline_onset")}
    if bench.experiment.clip.test == "windows":
        tables["each frame" if bench.experiment.clip.frames == 1 else "each window"] = pool(directory, "windows")
    frame = tables[name]
    write_csv(clips.table[["clip_id", "subject", "content_sha256"]], directory / CONTENT)
    after_training(frame, bench.classes, directory)
    options = {"bootstrap": evaluation.bootstrap, "permutations": evaluation.permutations}
    results = {label: evaluate(table, **options) for label, table in tables.items()}
    confusion_pair(frame, class_names(frame), f"{title(bench)}, {len(bench.folds())} folds pooled", directory)
    warnings = [*clips.warnings, *bench.fold_warnings(), *encoded.warnings, *unsettled(bench)]
    described = encoded.resolved | {"split": evaluation.split, "warnings": [asdict(w) for w in warnings]}
    write_json(directory / "metrics.json", described | {"results": results})
    text = "\n\n".join(filter(None, [_text(bench, warnings, results), tuned_text(bench, directory)]))
    write_text(directory / "results.txt", text + "\n")
    return text


def unsettled(bench: Workbench) -> list[Notice]:
    """Batch normalisation whose moving statistics, by which it predicts, had too few steps to leave their beginning."""
    if not isinstance(bench, Bench) or not (momentum := getattr(bench.network, "bn_momentum", 0.0)):
        return []
    experiment, fold = bench.experiment, bench.folds()[0]
    known = bench.labels_by_id(fold.train, bench.seal().training(fold))
    windows = len(plan_windows(known, bench.store.length, experiment.clip, bench.classes, 0))
    first = experiment.train.stream_epochs if bench.network.first_stages else 0
    steps = ceil(windows / experiment.train.batch_size) * max(experiment.train.epochs, first)
    if (left := momentum**steps) < UNSETTLED:
        return []
    text = f"after {steps} steps {left:.0%} of batch normalisation's first statistics are left in those it predicts by"
    return [note("few_steps", f"{text} (model.bn_momentum {momentum:g}): a well trained model may answer nonsense")]


def pool(directory: Path, stem: str) -> pd.DataFrame:
    """The predictions of all folds and seeds, written to <stem>.csv and read back."""
    parts = [pd.read_csv(path, keep_default_na=False) for path in sorted(directory.glob(f"**/fold-*/{stem}.csv"))]
    return read_predictions(write_predictions(pd.concat(parts), directory / f"{stem}.csv"))


def _text(bench: Workbench, warnings: Sequence[Notice], results: dict[str, Any]) -> str:
    experiment, encoded = bench.experiment, bench.encoded
    lines = [f"warning: {w}" for w in warnings]
    lines += [f"encoder: {encoded.resolved['encoder']}, weights: {encoded.resolved['weights']['source']}", ""]
    lines += [results_table(results), "", class_table(results[experiment.name])]
    if experiment.published:
        lines += ["", "published, on the licensed data:", published_table(experiment.published)]
    return "\n".join(lines)
