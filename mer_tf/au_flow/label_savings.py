"""What drawn clips save: a network over flow stacks, from new weights or pretrained, by the number of labelled clips.

The labelled clips are drawn too, by another renderer and a flow method, from the same table of action units: a saving
here is an upper bound of what real clips may give.
"""

from __future__ import annotations

import logging
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
from sklearn.metrics import confusion_matrix

from mer_tf.au_flow.settings import DrawnClips
from mer_tf.config import Experiment
from mer_tf.datasets.windows import plan_windows
from mer_tf.evaluation.folds import Fold
from mer_tf.evaluation.metrics import by_name, scores
from mer_tf.files import write_csv
from mer_tf.inputs.clips import Clips, prepare_clips
from mer_tf.inputs.prepare import Encoded, encode
from mer_tf.parallel import in_processes
from mer_tf.progress import Progress
from mer_tf.protocols.workbench import Bench
from mer_tf.synthetic.action_units.movement import CLASSES
from mer_tf.synthetic.action_units.stacks import draw_stacks
from mer_tf.training.trainer import FoldTrainer, compile_model, predict_clips

log = logging.getLogger("mer_tf")


def clips_saved(experiment: Experiment, config: DrawnClips, directory: Path) -> pd.DataFrame:
    """A row a start (new or drawn weights) and number of labelled clips, none too: accuracy, UAR, UF1, test clips.

    Also written as clips_saved.csv under `directory`.
    """
    clips = prepare_clips(experiment, directory)
    encoded = encode(experiment, clips)
    bench = Bench(experiment, clips, encoded)
    drawn = pretrained(bench, config)
    tested = rows_of(bench, slice(max(config.subjects), None))
    rows = [{"start": "drawn", "clips": 0, **_score(bench, drawn, Fold(0, (), tested))}]
    folds = [Fold(count, rows_of(bench, slice(count)), tested) for count in config.subjects]
    starts = {"new": None, "drawn": drawn.get_weights()}
    given = [(experiment, clips, encoded, fold, *start, config.seeds) for fold in folds for start in starts.items()]
    rows += Progress(in_processes(_start, given), "labelled clips", total=len(given), unit="row")
    table = pd.DataFrame(rows)
    write_csv(table, directory / "clips_saved.csv")
    return table


def _start(
    experiment: Experiment,
    clips: Clips,
    encoded: Encoded,
    fold: Fold,
    start: str,
    weights: list[np.ndarray] | None,
    seeds: int,
) -> dict[str, Any]:
    """A row of the table: the mean over seeds."""
    bench = Bench(experiment, clips, encoded)
    found = [_score(bench, _trained(bench, fold, weights, seed), fold) for seed in range(seeds)]
    means = {str(name): float(value) for name, value in pd.DataFrame(found).mean().items()}
    return {"start": start, "clips": len(fold.train), **means}


def pretrained(bench: Bench, config: DrawnClips) -> keras.Model:
    """The bench's network trained on drawn clips alone."""
    random.seed(config.seed)
    clip, shape = bench.experiment.clip, bench.store.shape
    model = bench.network.build(shape, len(CLASSES))
    train = replace(bench.experiment.train, learning_rate=config.learning_rate, optimizer="adam")
    compile_model(model, train)
    for number in range(config.rounds):
        rng = np.random.default_rng((config.seed, number))
        side = shape["flow"][0]
        stacks, labels = draw_stacks(config.clips, clip.frames - 1, side, rng, bound=clip.flow_bound, third=clip.third)
        done = model.fit({"flow": stacks}, labels, config.batch_size, verbose=0, shuffle=False)
        log.info("drawn clips: %s", {"round": number + 1, **{k: v[0] for k, v in done.history.items()}})
    return model


def rows_of(bench: Bench, part: slice) -> tuple[int, ...]:
    """Rows of `bench.clips` of some of its subjects, in the order in which these first stand there."""
    kept = set(list(dict.fromkeys(bench.clips["subject"]))[part])
    return tuple(row for row, who in enumerate(bench.clips["subject"]) if who in kept)


def _trained(bench: Bench, fold: Fold, weights: list[np.ndarray] | None, seed: int) -> keras.Model:
    """The network after training on labelled clips, from new weights or given ones."""
    experiment = bench.experiment

    def build() -> keras.Model:
        model = bench.network.build(bench.store.shape, len(CLASSES))
        if weights is not None:
            model.set_weights(weights)
        return model

    trainer = FoldTrainer(build, bench.recipe)
    labels = bench.labels_by_id(fold.train, bench.seal().training(fold))
    plan = plan_windows(labels, bench.store.length, experiment.clip, bench.classes, seed)
    trainer.fit(bench.store, plan, labels, experiment.clip.frames, seed)
    return trainer.model


def _score(bench: Bench, model: keras.Model, fold: Fold) -> dict[str, float]:
    shares = predict_clips(model, bench.store, bench.ids(fold.test), bench.experiment.clip)
    truth = bench.seal().answers(fold, shares)
    counts = confusion_matrix(truth, shares.argmax(axis=1), labels=range(len(CLASSES)))
    return by_name(scores(counts)) | {"test_clips": len(fold.test)}
