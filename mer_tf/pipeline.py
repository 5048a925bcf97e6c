"""The stages of a run, each from the artefact of the one before: clips, features, folds, results."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
from tqdm import tqdm

from mer_tf.config import Experiment, MerError, digest
from mer_tf.datasets import dataset_rows
from mer_tf.datasets.labels import load_protocol
from mer_tf.datasets.manifest import write_manifest
from mer_tf.datasets.synthetic import MARKER, write_smic
from mer_tf.datasets.windows import LabelledClip
from mer_tf.evaluation.folds import Fold, check_contents, make_folds
from mer_tf.evaluation.metrics import class_names, confusion, evaluate
from mer_tf.evaluation.predictions import predictions_frame, read_predictions, write_predictions
from mer_tf.files import atomic, read_json, write_json, write_text
from mer_tf.models import model_builder
from mer_tf.models.encoders import Encoder, build_encoder, split_encoder
from mer_tf.records.index import read_index
from mer_tf.records.read import clip_dataset
from mer_tf.records.write import write_records
from mer_tf.reporting.plots import confusion_csv, confusion_png
from mer_tf.reporting.tables import class_table, published_table, results_table
from mer_tf.training.baselines import onset_frame_probabilities
from mer_tf.training.batches import FeatureStore
from mer_tf.training.feature_cache import encode_clips, weights_digest
from mer_tf.training.trainer import FoldTrainer, predict_clips

log = logging.getLogger("mer_tf")
BASELINE = "onset frame only"


@dataclass(frozen=True)
class Clips:
    """Labelled clips of an experiment and the records that hold their frames."""

    table: pd.DataFrame
    """clip_id, dataset, subject, n_frames, content_sha256, label (class index); sorted by clip_id."""
    classes: tuple[str, ...]
    records: Path
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Encoded:
    """Features of all frames and what made them."""

    store: FeatureStore
    tail: keras.Model | None
    resolved: dict[str, Any]
    warnings: tuple[str, ...]


def prepare_clips(experiment: Experiment, directory: Path) -> Clips:
    """Data set -> manifest -> records -> labelled clips."""
    data, warnings = experiment.data, []
    cache = Path(data.cache)
    root = Path(data.root) if data.root else _synthetic(experiment, cache)
    if (root / MARKER).exists():
        drawn = read_json(root / MARKER)
        warnings.append(f"synthetic look-alike, {drawn['amplitude']:g} px at the apex: no evidence about people")
    if experiment.evaluation.split == "clip":
        warnings.append("LEAKY SPLIT: clips of one subject stand on both sides of a fold")
    rows = dataset_rows(data.dataset, root)
    write_manifest(rows, directory / "manifest.csv")
    log.info("manifest: %d clips of %d subjects", len(rows), len({r.subject for r in rows}))
    records = write_records(rows, experiment.preprocess, cache / "records", name=data.dataset, on_error="skip")
    index = read_index(records)
    if lost := len(rows) - len(index.clips):
        warnings.append(f"{lost} of {len(rows)} clips could not be read: {records / 'errors.csv'}")
    protocol = load_protocol(data.label_protocol)
    label = {row.clip_id: protocol.class_index(row) for row in rows}
    columns = ["clip_id", "dataset", "subject", "n_frames", "content_sha256"]
    table = pd.DataFrame([{c: getattr(clip, c) for c in columns} for clip in index.clips])
    table["label"] = table["clip_id"].map(label)
    table = table.dropna(subset="label").astype({"label": int}).sort_values("clip_id", ignore_index=True)
    if table.empty:
        raise MerError(f"label protocol {protocol.name} knows none of the labels {sorted({r.label_raw for r in rows})}")
    return Clips(table, protocol.classes, records, tuple(warnings))


def _synthetic(experiment: Experiment, cache: Path) -> Path:
    """Draw the look-alike of the data set; a finished one of the same settings is taken as it is."""
    data = experiment.data
    if not data.dataset.startswith("smic-"):
        raise MerError(f"there is no synthetic look-alike of {data.dataset}; give its folder with --data.root")
    drawn = {k: getattr(data, k) for k in ("amplitude", "subjects", "clips_per_class", "seed")}
    camera = data.dataset.removeprefix("smic-")
    return write_smic(cache / f"synthetic-{data.dataset}-{digest(drawn)}", camera=camera, **drawn)


def encode(experiment: Experiment, clips: Clips) -> Encoded:
    """Frozen part of the encoder over every frame, once."""
    config = experiment.model
    encoder = build_encoder(config, input_size=experiment.preprocess.size)
    log.info("encoder: %s, weights: %s", encoder.name, encoder.weights["source"])
    trunk, tail = split_encoder(encoder.model, config.retrain_from) if config.retrain_from else (encoder.model, None)
    trunk.compile(jit_compile=experiment.train.jit_compile and encoder.jit_compile)
    lengths = dict(zip(clips.table["clip_id"], map(int, clips.table["n_frames"]), strict=True))
    name = digest(
        clips.records.name, list(lengths), encoder.name, config.preproc, config.retrain_from, weights_digest(trunk)
    )
    folder = Path(experiment.data.cache) / "features" / f"{encoder.name}-{name}"

    def frames() -> Any:
        for item in clip_dataset(clips.records).as_numpy_iterator():
            if (clip_id := item["clip_id"].decode()) in lengths:
                yield clip_id, item["frames"]

    store = encode_clips(frames, lengths, trunk, folder, mirror=experiment.clip.mirror)
    resolved = {"encoder": encoder.name, "encoder_requested": encoder.requested, "weights": encoder.weights}
    return Encoded(store, tail, resolved, _encoder_warnings(encoder))


def _encoder_warnings(encoder: Encoder) -> tuple[str, ...]:
    """What a reader must know of the encoder before any number."""
    if encoder.weights["source"] == "random":
        return (f"RANDOM WEIGHTS: {encoder.name} was never trained",)
    if encoder.requested == "auto" and not encoder.name.startswith("vggface2"):
        return (f"encoder auto became {encoder.name}: {encoder.weights['note']}",)
    return ()


def cross_validate(experiment: Experiment, clips: Clips, encoded: Encoded, directory: Path) -> None:
    """Train and test every fold that has no predictions yet, writing fold-<k>/."""
    table = clips.table
    folds = make_folds(table["subject"].tolist(), table["label"].tolist(), experiment.evaluation)
    if experiment.evaluation.split == "group":
        check_contents(folds, table["content_sha256"].tolist(), table["clip_id"].tolist())
    todo = [f for f in folds if not (directory / f"fold-{f.number}" / "predictions.csv").exists()]
    if not todo:
        return
    trainer = FoldTrainer(lambda: _build(experiment, clips, encoded), experiment.train)
    with tqdm(total=len(todo) * experiment.train.epochs, desc="training", unit="epoch") as bar:
        for fold in todo:
            _train_fold(experiment, clips, encoded, trainer, fold, directory / f"fold-{fold.number}", bar)


def _build(experiment: Experiment, clips: Clips, encoded: Encoded) -> keras.Model:
    """The trainable model, its retrained tail a fresh copy with the pretrained weights."""
    tail = encoded.tail
    if tail is not None:
        weights = tail.get_weights()
        tail = keras.models.clone_model(tail)
        tail.set_weights(weights)
    build = model_builder(experiment.model.name)
    return build(experiment.model, encoded.store.shape, len(clips.classes), tail)


def _train_fold(
    experiment: Experiment, clips: Clips, encoded: Encoded, trainer: FoldTrainer, fold: Fold, folder: Path, bar: tqdm
) -> None:
    train, test = clips.table.iloc[list(fold.train)], clips.table.iloc[list(fold.test)]
    labelled = [
        LabelledClip(c, n, k) for c, n, k in zip(train["clip_id"], train["n_frames"], train["label"], strict=True)
    ]

    def show(epoch: int, logs: dict[str, float]) -> None:
        bar.set_postfix({"fold": fold.number} | {k: f"{v:.3f}" for k, v in logs.items()})
        bar.update()

    progress = keras.callbacks.LambdaCallback(on_epoch_end=show)
    history = trainer.fit(encoded.store, labelled, experiment.clip, clips.classes, fold.number, [progress])
    lengths = dict(zip(test["clip_id"], map(int, test["n_frames"]), strict=True))
    shares = predict_clips(trainer.model, encoded.store, lengths, experiment.clip)
    onset = onset_frame_probabilities(
        encoded.store, train["clip_id"].tolist(), train["label"].tolist(), test["clip_id"].tolist(), len(clips.classes)
    )
    with atomic(folder / "history.csv") as part:
        history.to_csv(part, index=False)
    with atomic(folder / "model.keras") as part:
        trainer.model.save(part)
    how = {"whole": "whole", "windows": "mean"}[experiment.clip.test]
    write_predictions(_predictions(experiment, clips, fold, onset, "onset"), folder / "baseline_onset.csv")
    frame = _predictions(experiment, clips, fold, shares, how)
    _confusion(frame, clips.classes, f"{experiment.name}, fold {fold.number}", folder)
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
    results = {}
    for label, stem in ((experiment.name, "predictions"), (BASELINE, "baseline_onset")):
        parts = [pd.read_csv(path, keep_default_na=False) for path in sorted(directory.glob(f"fold-*/{stem}.csv"))]
        write_predictions(pd.concat(parts), directory / f"{stem}.csv")
        results[label] = evaluate(read_predictions(directory / f"{stem}.csv"), **options)
    frame = read_predictions(directory / "predictions.csv")
    _confusion(frame, class_names(frame), f"{experiment.name}, {experiment.evaluation.folds} folds pooled", directory)
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


def _confusion(frame: pd.DataFrame, classes: Sequence[str], title: str, folder: Path) -> None:
    counts = confusion(frame, classes)
    score = evaluate(frame, bootstrap=2, permutations=0)
    detail = " ".join(f"{name} {score[name]['pooled']:.1%}" for name in ("UAR", "UF1"))
    confusion_csv(counts, classes, folder / "confusion.csv")
    confusion_png(counts, classes, f"{title}\n{detail} (n={len(frame)})", folder / "confusion.png")
