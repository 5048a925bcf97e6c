"""From features to results: folds, training, predictions.csv, and everything that is derived from it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
from tqdm import tqdm

from mer_tf.config import Experiment
from mer_tf.datasets.windows import LabelledClip
from mer_tf.evaluation.folds import Fold, check_contents, make_folds
from mer_tf.evaluation.metrics import class_names, confusion, evaluate, scores
from mer_tf.evaluation.predictions import predictions_frame, read_predictions, write_predictions
from mer_tf.files import atomic, write_json, write_text
from mer_tf.models import model_builder
from mer_tf.preparation import Clips, Encoded
from mer_tf.reporting.plots import confusion_csv, confusion_png
from mer_tf.reporting.tables import class_table, published_table, results_table
from mer_tf.training.baselines import onset_frame_probabilities
from mer_tf.training.trainer import FoldTrainer, predict_clips

BASELINE = "onset frame only"


def cross_validate(experiment: Experiment, clips: Clips, encoded: Encoded, directory: Path) -> None:
    """Train and test every fold that has no predictions yet, writing fold-<k>/."""
    table = clips.table
    folds = make_folds(table["subject"].tolist(), table["label"].tolist(), experiment.evaluation)
    check_contents(folds, table["content_sha256"].tolist(), table["clip_id"].tolist())
    todo = [f for f in folds if not (directory / f"fold-{f.number}" / "predictions.csv").exists()]
    if not todo:
        return
    trainer = FoldTrainer(lambda: _build(experiment, clips, encoded), experiment.train)
    with tqdm(total=len(todo) * experiment.train.epochs, desc="training", unit="epoch") as bar:
        for fold in todo:
            folder = directory / f"fold-{fold.number}"
            _train(experiment, clips, encoded, trainer, fold, folder, bar)
            _test(experiment, clips, encoded, trainer.model, fold, folder)


def _build(experiment: Experiment, clips: Clips, encoded: Encoded) -> keras.Model:
    """The trainable model, its retrained tail a fresh copy with the pretrained weights."""
    tail = encoded.tail
    if tail is not None:
        weights = tail.get_weights()
        tail = keras.models.clone_model(tail)
        tail.set_weights(weights)
    build = model_builder(experiment.model.name)
    return build(experiment.model, encoded.store.shape, len(clips.classes), tail)


def _train(
    experiment: Experiment, clips: Clips, encoded: Encoded, trainer: FoldTrainer, fold: Fold, folder: Path, bar: tqdm
) -> None:
    """Train on the fold's training clips; write history.csv and the checkpoint."""

    def show(epoch: int, logs: dict[str, float]) -> None:
        bar.set_postfix({"fold": fold.number} | {k: f"{v:.3f}" for k, v in logs.items()})
        bar.update()

    rows = clips.table.iloc[list(fold.train)]
    columns = (rows[name] for name in ("clip_id", "n_frames", "label"))
    labelled = [LabelledClip(*values) for values in zip(*columns, strict=True)]
    progress = keras.callbacks.LambdaCallback(on_epoch_end=show)
    history = trainer.fit(encoded.store, labelled, experiment.clip, clips.classes, fold.number, [progress])
    with atomic(folder / "history.csv") as part:
        history.to_csv(part, index=False)
    with atomic(folder / "model.keras") as part:
        trainer.model.save(part)


def _test(experiment: Experiment, clips: Clips, encoded: Encoded, model: keras.Model, fold: Fold, folder: Path) -> None:
    """Predict the fold's test clips, with the model and with the onset frame alone; predictions.csv comes last."""
    train, test = clips.table.iloc[list(fold.train)], clips.table.iloc[list(fold.test)]
    lengths = dict(zip(test["clip_id"], map(int, test["n_frames"]), strict=True))
    shares = predict_clips(model, encoded.store, lengths, experiment.clip)
    onset = onset_frame_probabilities(
        encoded.store, train["clip_id"].tolist(), train["label"].tolist(), test["clip_id"].tolist(), len(clips.classes)
    )
    write_predictions(_predictions(experiment, clips, fold, onset, "onset"), folder / "baseline_onset.csv")
    how = {"whole": "whole", "windows": "mean"}[experiment.clip.test]
    frame = _predictions(experiment, clips, fold, shares, how)
    _confusion(frame, clips.classes, f"{_title(experiment)}, fold {fold.number}", folder)
    write_predictions(frame, folder / "predictions.csv")


def _predictions(experiment: Experiment, clips: Clips, fold: Fold, shares: np.ndarray, how: str) -> pd.DataFrame:
    """Probabilities of a fold joined with its clips and, only here, their true labels."""
    test = clips.table.iloc[list(fold.test)].reset_index(drop=True)
    truth = [clips.classes[k] for k in test["label"]]
    rows = test[["clip_id", "dataset", "subject"]].assign(fold=fold.number, seed=experiment.train.seed, y_true=truth)
    return predictions_frame(rows, shares, clips.classes, how)


def summarise(experiment: Experiment, clips: Clips, encoded: Encoded, directory: Path) -> str:
    """Pool the folds' predictions and derive metrics, matrices and the table from the pooled file alone."""
    options = {k: getattr(experiment.evaluation, k) for k in ("bootstrap", "permutations")}
    pooled, results = {}, {}
    for label, stem in ((experiment.name, "predictions"), (BASELINE, "baseline_onset")):
        parts = [pd.read_csv(path, keep_default_na=False) for path in sorted(directory.glob(f"fold-*/{stem}.csv"))]
        write_predictions(pd.concat(parts), directory / f"{stem}.csv")
        pooled[label] = read_predictions(directory / f"{stem}.csv")
        results[label] = evaluate(pooled[label], **options)
    frame = pooled[experiment.name]
    _confusion(
        frame, class_names(frame), f"{_title(experiment)}, {experiment.evaluation.folds} folds pooled", directory
    )
    described = encoded.resolved | {
        "split": experiment.evaluation.split,
        "warnings": [*clips.warnings, *encoded.warnings],
    }
    write_json(directory / "metrics.json", described | {"results": results})
    text = _text(experiment, clips, encoded, results)
    write_text(directory / "results.txt", text + "\n")
    return text


def _text(experiment: Experiment, clips: Clips, encoded: Encoded, results: dict[str, Any]) -> str:
    lines = [f"warning: {w}" for w in (*clips.warnings, *encoded.warnings)]
    lines += [f"encoder: {encoded.resolved['encoder']}, weights: {encoded.resolved['weights']['source']}", ""]
    lines += [results_table(results), "", class_table(results[experiment.name])]
    if experiment.published:
        lines += ["", "published, on the licensed data:", published_table(experiment.published)]
    return "\n".join(lines)


def _title(experiment: Experiment) -> str:
    return experiment.name if experiment.evaluation.split == "group" else f"{experiment.name}, LEAKY clip folds"


def _confusion(frame: pd.DataFrame, classes: Sequence[str], title: str, folder: Path) -> None:
    counts = confusion(frame, classes)
    _, uar, uf1 = scores(counts)
    confusion_csv(counts, classes, folder / "confusion.csv")
    confusion_png(counts, classes, f"{title}\nUAR {uar:.1%}  UF1 {uf1:.1%}  (n={len(frame)})", folder / "confusion.png")
