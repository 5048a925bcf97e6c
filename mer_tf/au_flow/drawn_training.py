"""Train a network on drawn flow images alone, and say what it recognises in kinds of drawing it has never seen.

Selecting on images of the same generator says nothing, so nothing is selected: epochs and rates are fixed, and a kind
that is kept out is looked at once, afterwards.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Collection, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import f1_score

from mer_tf.au_flow.settings import Pretraining
from mer_tf.cached import cache_folder
from mer_tf.models.au_flow import AuFlow
from mer_tf.models.pretrained import probabilities
from mer_tf.parallel import in_processes
from mer_tf.preprocessing.augment import mirrored_flow_image
from mer_tf.progress import Progress
from mer_tf.synthetic.action_units.fields import Drawn, Nuisance, disturbed, flow_images, joined
from mer_tf.synthetic.action_units.movement import CLASSES
from mer_tf.synthetic.action_units.rendered import draw_kind, kinds, rendered_fields

log = logging.getLogger("mer_tf")
TEST_SEED = 1
"""Kinds are tested on images of another seed than they are trained on."""
REST = Nuisance(shift=0.2, turn=0.008, noise=(0.03, 0.3))
"""What is added anew each epoch to flow estimated from rendered frames, which are few and else learned by heart."""


def trained_kinds(left_out: Collection[str] = ()) -> list[str]:
    """Kinds of drawing that are trained on, but those left out."""
    return [k.kind for k in kinds().values() if k.trained and k.kind not in left_out]


def train_network(config: Pretraining, left_out: Collection[str] = ()) -> tuple[keras.Model, pd.DataFrame]:
    """The network for both sides of an image, and its history, trained on all `trained` kinds but those left out."""
    names = trained_kinds(left_out)
    random.seed(config.seed)  # where Keras' initializers take their seeds from
    network = AuFlow(dropout=config.dropout, width=config.width)
    model = network.build({"flow_image": (28, 28, 3)}, len(CLASSES))
    core = model.get_layer("core")
    steps = -(-len(_epoch(names, config, 0).labels) // config.batch_size) * config.epochs
    rate = keras.optimizers.schedules.CosineDecay(config.learning_rate, steps)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer = keras.optimizers.AdamW(rate, weight_decay=config.weight_decay)
    core.compile(optimizer, loss, metrics=[keras.metrics.SparseCategoricalAccuracy("accuracy")], jit_compile=False)
    rows = []
    for epoch in range(config.epochs):
        drawn = _epoch(names, config, epoch)
        done = core.fit(drawn.images, drawn.labels, config.batch_size, verbose=0, shuffle=False)
        rows.append({"epoch": epoch + 1, **{k: v[0] for k, v in done.history.items()}})
        log.info("epoch %d: %s", epoch + 1, rows[-1])
    return model, pd.DataFrame(rows)


def _epoch(names: Collection[str], config: Pretraining, epoch: int) -> Drawn:
    """All images of one epoch, in random order."""
    drawn = joined([*_parts(names, config, epoch)])
    order = np.random.default_rng((config.seed, epoch, 2)).permutation(len(drawn.labels))
    return Drawn(drawn.images[order], drawn.labels[order])


def _parts(names: Collection[str], config: Pretraining, epoch: int) -> Iterator[Drawn]:
    rng = np.random.default_rng((config.seed, epoch, 3))
    for name in names:
        if kinds()[name].renderer == "direct":
            yield draw_kind(name, config.direct, 1000 * (config.seed + 1) + epoch, crop=config.crop)
            continue
        drawn = disturbed_kind(name, config.rendered, 2 * config.seed, rng, config.crop, cache_folder(config.cache))
        turn = rng.uniform(size=len(drawn.labels)) < 0.5
        yield replace(
            drawn, images=np.where(turn[:, None, None, None], mirrored_flow_image(drawn.images), drawn.images)
        )


def disturbed_kind(name: str, count: int, seed: int, rng: np.random.Generator, crop: str, folder: Path) -> Drawn:
    """About `count` images of a kind that is rendered, to whose flow a head's movement and errors are added anew."""
    fields, labels = _kept(name, count, seed, crop, folder)
    return Drawn(flow_images(disturbed(fields, rng, REST)), labels)


@cache
def _kept(name: str, count: int, seed: int, crop: str, folder: Path) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    return rendered_fields(name, count, seed, crop=crop, cache_dir=folder)


def kind_scores(model: keras.Model, names: Collection[str], config: Pretraining) -> dict[str, float]:
    """UF1 of a network on images of each kind, of a seed that no training uses."""
    seed, folder = 2 * config.seed + TEST_SEED, cache_folder(config.cache)
    drawn = {name: draw_kind(name, config.tested, seed, crop=config.crop, cache_dir=folder) for name in names}
    return {name: uf1(model, one) for name, one in drawn.items()}


def uf1(model: keras.Model, drawn: Drawn) -> float:
    found = probabilities(model, drawn.images).argmax(axis=1)
    return float(f1_score(drawn.labels, found, average="macro"))


def kept_out_groups() -> dict[str, list[str]]:
    """What is left out together: every kind of one portrait, of one flow method, or of one renderer."""
    known = list(kinds().values())
    groups = {}
    for column in ("portrait", "flow", "renderer"):
        for value in dict.fromkeys(getattr(k, column) for k in known if k.trained and getattr(k, column)):
            if value != "frames":
                groups[f"{column} {value}"] = [k.kind for k in known if getattr(k, column) == value]
    return groups


def kept_out_scores(config: Pretraining) -> pd.DataFrame:
    """A row a kind that was left out: `left_out` (the group), `kind`, `UF1` of a network trained without the group.

    Each network in a process of its own, as many at once as the cores and the memory bear.
    """
    given = [(config, group, names) for group, names in kept_out_groups().items()]
    found = Progress(in_processes(_without, given), "kinds kept out", total=len(given), unit="network")
    return pd.DataFrame([row for rows in found for row in rows])


def _without(config: Pretraining, group: str, names: Collection[str]) -> list[dict[str, Any]]:
    model, _ = train_network(replace(config, epochs=config.kept_out_epochs), names)
    scores = kind_scores(model, names, config)
    return [{"left_out": group, "kind": name, "UF1": round(score, 4)} for name, score in scores.items()]
