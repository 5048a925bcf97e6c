"""Exp-II's five folds with cached features, against the plain Keras loop on the same clips, weights and windows.

The plain loop is what one would write with Keras alone: TimeDistributed(encoder), the head behind it, model.fit on
windows of images. Either model is compiled once for all folds. Both start from the same weights and see the same
windows in the same order, so they must end with the same predictions; the table says how far they differ. The ratio
grows with epochs, with the image's size and with the overlap of windows (20, 224 and stride 1 in paper C's code).

    python benchmarks/feature_cache.py   # prints the table and writes it into benchmarks/RESULTS.md
"""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from tempfile import mkdtemp

import keras
import numpy as np
import tyro
from results import keep, processor, table

from mer_tf.config import Clip, Evaluation, Experiment, Preprocess, Train
from mer_tf.datasets.windows import plan_windows
from mer_tf.evaluation.metrics import SCORES, scores
from mer_tf.inputs.batches import FeatureStore
from mer_tf.inputs.clips import Clips, prepare_clips
from mer_tf.inputs.prepare import clip_frames, encode
from mer_tf.models.encoders.parts import split_encoder
from mer_tf.models.encoders.vggface import build_vggface
from mer_tf.models.vggface_lstm import VggFaceLstm
from mer_tf.protocols.workbench import Bench
from mer_tf.training.trainer import FoldTrainer, predict_clips, training_seed


def main(epochs: int = 8, retrained_epochs: int = 1, size: int = 64, subjects: int = 5, stride: int = 8) -> None:
    """Measure and print the table.

    Args:
        epochs: Of each fold, with a frozen encoder.
        retrained_epochs: Of each fold, retrained from conv5_1, where the plain loop takes many minutes an epoch.
        size: Side of the frames and of the network's input, pixels.
        subjects: Of the look-alike, 4 clips each.
        stride: Between training windows; paper C's released code has 1.
    """
    folder = Path(mkdtemp(prefix="feature-cache-"))
    encoder = folder / "resnet50.keras"
    keras.utils.set_random_seed(0)
    build_vggface("resnet50", pooling=None, input_size=size).save(encoder)
    experiment = declared(folder, encoder, epochs, size, subjects, stride)
    clips = prepare_clips(experiment, folder)
    rows = []
    for block, passes in ((None, epochs), ("conv5_1", retrained_epochs)):
        model, train = replace(experiment.model, retrain_from=block), replace(experiment.train, epochs=passes)
        rows.append(row(replace(experiment, model=model, train=train), clips, block))
        print(rows[-1], flush=True)
    keep("feature_cache", report(rows, clips, size, stride))


def report(rows: list[list[str]], clips: Clips, size: int, stride: int) -> str:
    """The section of RESULTS.md."""
    frames = sum(c.stored.n_frames for c in clips.labelled)
    said = (
        f"`python benchmarks/feature_cache.py`: {len(clips.table)} clips, {frames} frames of {size} px, 5 folds, "
        f"windows of 13 frames every {stride},\nResNet-50 of random weights, {keras.backend.backend()}, {processor()}. "
        "The plain loop is TimeDistributed(encoder) and model.fit."
    )
    columns = ["retrained from", "epochs", "plain loop, s", "cached, s", "ratio", "UAR plain", "UAR cached"]
    columns += ["greatest difference of p", "greatest p less 1 / classes"]
    return f"## Cached features\n\n{said}\n\n{table(columns, rows)}"


def declared(folder: Path, encoder: Path, epochs: int, size: int, subjects: int, stride: int) -> Experiment:
    """Exp-II, small: the heads of the embedded run on a ResNet-50."""
    experiment = Experiment(
        name="feature_cache",
        preprocess=Preprocess(face="align", size=size, flow="none"),
        clip=Clip(frames=13, stride=stride, non_micro_stride=stride, mirror=False),
        model=VggFaceLstm(
            encoder=str(encoder),
            preproc="vggface2-mean",
            center="onset",
            embedding=(256, 192, 128),
            bn_momentum=0.9,
            lstm_units=64,
            lstm_layers=3,
            head_units=64,
        ),
        train=Train(epochs=epochs, batch_size=16, learning_rate=1e-3, jit_compile=False),
        evaluation=Evaluation(folds=5),
    )
    return replace(experiment, data=replace(experiment.data, subjects=subjects, clips_per_class=1, cache=str(folder)))


def row(experiment: Experiment, clips: Clips, block: str | None) -> list[str]:
    """Both loops on one setting, as a line of the table."""
    started = time.perf_counter()
    bench = Bench(experiment, clips, encode(experiment, clips))
    cached = folds(bench, bench.trainer(), bench.store)
    fast = time.perf_counter() - started
    images = FeatureStore({name: frames for name, frames in clip_frames(clips)}, {})
    started = time.perf_counter()
    plain = folds(bench, FoldTrainer(lambda: plain_model(bench), experiment.train), images)
    slow = time.perf_counter() - started
    uar = [f"{uar_of(bench, shares):.3f}" for shares in (plain, cached)]
    apart = [f"{np.abs(plain - cached).max():.1e}", f"{cached.max() - 1 / len(bench.classes):.3f}"]
    times = [f"{slow:.0f}", f"{fast:.0f}", f"{slow / fast:.1f}"]
    return [block or "nothing (frozen)", str(experiment.train.epochs), *times, *uar, *apart]


def folds(bench: Bench, trainer: FoldTrainer, store: FeatureStore) -> np.ndarray:
    """Probabilities of all clips after training every fold."""
    experiment, shares = bench.experiment, np.zeros((len(bench.clips), len(bench.classes)))
    for fold in bench.folds():
        labels = bench.labels_by_id(fold.train, bench.seal().training(fold))
        seed = training_seed(experiment.train.seed, fold.number)
        plan = plan_windows(labels, store.length, experiment.clip, bench.classes, seed)
        trainer.fit(store, plan, labels, experiment.clip.frames, seed)
        shares[list(fold.test)] = predict_clips(trainer.model, store, bench.ids(fold.test), experiment.clip, batch=4)
    return shares


def plain_model(bench: Bench) -> keras.Model:
    """TimeDistributed(encoder) and the same head, images in; layers before the retrained block are frozen."""
    encoder, block = bench.encoded.encoder, bench.experiment.model.retrain_from
    tail = None
    if block:
        trunk, tail = split_encoder(encoder, block)
        tail = keras.models.clone_model(tail)
        tail.set_weights(bench.encoded.tail.get_weights())  # type: ignore[union-attr]
    else:
        trunk = encoder
    trunk.trainable = False
    head = bench.experiment.model.build(trunk.output_shape[1:], len(bench.classes), tail)
    frames, onset = (keras.Input((n, *trunk.input_shape[1:]), name=k) for k, n in (("frames", None), ("onset", 1)))
    mask = keras.Input((None,), dtype="bool", name="mask")
    each = keras.layers.TimeDistributed(trunk)
    logits = head({"frames": each(frames), "onset": each(onset), "mask": mask})
    return keras.Model({"frames": frames, "onset": onset, "mask": mask}, logits)


def uar_of(bench: Bench, shares: np.ndarray) -> float:
    """Unweighted average recall of all clips."""
    seal, counts = bench.seal(), np.zeros((len(bench.classes),) * 2, int)
    for fold in bench.folds():
        chosen = shares[list(fold.test)]
        np.add.at(counts, (seal.answers(fold, chosen), chosen.argmax(axis=1)), 1)
    return float(scores(counts)[SCORES.index("UAR")])


if __name__ == "__main__":
    tyro.cli(main)
