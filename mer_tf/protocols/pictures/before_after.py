"""Heat before and after training, over all test clips of all folds and seeds, with controls: did training move it?

Before and after differ in the weights alone: the same network, map, method, frame (the apex, or the middle one) and
class (the true one, which neither network chose). Before training the encoder's end is as pretrained and all else as it
was drawn for that very training. Controls are the trained network with one part drawn anew from another seed: its head,
and the encoder's end where that was retrained.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd

from mer_tf.config import GRADCAM
from mer_tf.evaluation.predictions import read_predictions
from mer_tf.explain.figures.layers import sides_png
from mer_tf.explain.gradcam import Maps
from mer_tf.explain.heat_change import AFTER, BEFORE, HEAD, LIFTS, TAIL, after_row, change_summary, sentence
from mer_tf.explain.regions import lift, named_masks
from mer_tf.explain.upsampling import upsample
from mer_tf.files import write_csv, write_text
from mer_tf.models.encoders.parts import encoder_blocks
from mer_tf.protocols.layer_choice import face_landmarks
from mer_tf.protocols.pictures.checkpoints import Explained, Opened, Wanted, explained
from mer_tf.protocols.pictures.view import READ, View, best_recognised, networks
from mer_tf.protocols.workbench import Bench, Workbench
from mer_tf.training.trainer import training_seed

States = Mapping[str, list[np.ndarray]]
"""Side -> the weights of the trained part of a network."""
Shown = tuple[str, np.ndarray, dict[str, Maps]]
"""Label, frame, side -> heat."""


PLAIN = View(target="true")


def write_change(bench: Workbench, run: Path, out: Path, view: View = PLAIN, opened: Explained | None = None) -> str:
    """before_after.png, heat_change.csv (a row a seed, clip and side), heat_summary.csv and .txt; returns the text.

    The picture shows the best recognised clip of each class of the first seed, chosen without looking at a map.
    `opened`: the run's networks, where they are open for all clips. `MerError` for a model without a pretrained
    encoder.
    """
    bench.encoder()
    table, shown, how = _measured(bench, run, view, opened)
    summary = change_summary(table, draws=bench.experiment.evaluation.bootstrap)
    said = f"{sentence(summary)} {how}, the same on every side. {READ}"
    write_csv(table, out / "heat_change.csv")
    write_csv(summary, out / "heat_summary.csv")
    write_text(out / "heat_summary.txt", said + "\n")
    lifts = dict(zip(summary["side"], summary["lift"], strict=True)) | {BEFORE: after_row(summary)["before"]}
    names = {side: f"{side}\nmean lift {value:.2f}" for side, value in lifts.items()}
    sides_png(shown, names, out / "before_after.png", title=how, note=READ)
    return said


def _measured(
    bench: Workbench, run: Path, view: View, opened: Explained | None
) -> tuple[pd.DataFrame, list[Shown], str]:
    """heat_change.csv, what is drawn, and how it was made in words."""
    frame = read_predictions(run / "predictions.csv")
    best = best_recognised(frame[frame["seed"] == frame["seed"].iloc[0]], 1)
    drawn, ids = set(zip(best["seed"], best["clip_id"], strict=True)), frame["clip_id"].unique().tolist()
    opened, apexes = opened or explained(bench, ids), bench.apexes(ids)
    view.check(opened)
    rows, shown = [], []
    for group, network in networks(bench, opened, run, frame):
        states = weights_of(bench, network, int(group[0]["seed"]), int(group[0]["fold"]))
        ats = [apexes[row["clip_id"]] for row in group]
        found = clip_heats(opened, network, states, group, ats, view)
        for row, at, (face, heats) in zip(group, ats, found, strict=True):
            about: dict[str, Any] = {k: row[k] for k in ("seed", "fold", "clip_id", "subject", "y_true")}
            about |= {"method": view.method, "reference": view.reference, "layer": view.map_of(network)}
            about |= {"target": view.class_of(row, bench.classes), "frame": int(opened.places(row["clip_id"])[at])}
            rows += [about | lifts for lifts in heat_lifts(bench, row["clip_id"], face, heats)]
            if (row["seed"], row["clip_id"]) in drawn:
                shown.append((f"{row['clip_id']}\n{row['y_true']}", face, heats))
    said = f"{view.said(rows[0]['layer'])} ({network.maps[rows[0]['layer']]})"
    aim = f"the {view.target} class" if view.target in ("predicted", "true") else view.target
    return pd.DataFrame(rows), shown, f"{said}, for {aim}, on each clip's apex or middle frame"


def weights_of(bench: Workbench, network: Opened, seed: int, fold: int) -> States:
    """The weights of every side, in the order of `SIDES`."""
    assert isinstance(bench, Bench)
    trained, tail = network.trained.get_weights(), network.tail
    dropout = next((x.rate for x in network.trained.layers if isinstance(x, keras.layers.Dropout)), None)
    if getattr(bench.network, "retrain_from", None) == GRADCAM and tail is not None:
        bench = bench.retrained_from(next(iter(encoder_blocks(tail))))
    chosen = dropout if bench.experiment.search.dropout else None
    first, other = (bench.untrained(training_seed(*s), chosen).get_weights() for s in ((seed, fold), (seed, fold, 1)))
    ends = {id(w) for w in tail.weights} if tail is not None else set()
    of_tail = [id(w) in ends for w in network.trained.weights]
    states = {BEFORE: first, AFTER: trained}
    states[HEAD] = [a if end else b for a, b, end in zip(trained, other, of_tail, strict=True)]
    if tail is not None:
        random.seed(training_seed(seed, fold, 1))
        drawn = iter(keras.models.clone_model(tail).get_weights())
        states[TAIL] = [next(drawn) if end else w for w, end in zip(trained, of_tail, strict=True)]
    return states


def clip_heats(
    opened: Explained,
    network: Opened,
    states: States,
    rows: Sequence[Mapping[Any, Any]],
    places: Sequence[int],
    view: View,
) -> Iterator[tuple[np.ndarray, dict[str, Maps]]]:
    """The frame of each clip at its place, and each side's heat (S, S) on it."""
    classes, grid = opened.bench.classes, network.maps[view.map_of(network)].grid
    wanted = [
        Wanted(row["clip_id"], [at], classes.index(view.class_of(row, classes)))
        for row, at in zip(rows, places, strict=True)
    ]
    found = {}
    for side, weights in states.items():
        network.trained.set_weights(weights)
        found[side] = list(view.heats(opened, network, wanted))
    for k, one in enumerate(wanted):
        face = opened.sample(one.clip_id)[0][one.places[0]]
        yield face, {side: upsample(maps[k][0], len(face), grid) for side, maps in found.items()}


def heat_lifts(bench: Workbench, clip_id: str, face: np.ndarray, heats: Mapping[str, Maps]) -> Iterator[dict[str, Any]]:
    """Each side and its lifts, empty where no face is found."""
    points = face_landmarks(bench, clip_id, face)
    masks = {} if points is None else named_masks(points, face.shape[0])
    if masks:
        masks = {"": np.any(list(masks.values()), axis=0)} | masks
    for side, heat in heats.items():
        found = {f"lift_{name}".rstrip("_"): lift(heat, mask) for name, mask in masks.items()}
        yield {"side": side} | dict.fromkeys(LIFTS, np.nan) | found
