"""From the table of action units to shipped weights: train, test on kinds kept out, write weights and model card."""

from __future__ import annotations

import base64
import dataclasses
import logging
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd

from mer_tf.au_flow.drawn_training import kept_out_scores, kind_scores, train_network, trained_kinds, uf1
from mer_tf.au_flow.label_savings import clips_saved
from mer_tf.au_flow.settings import Options, Pretraining
from mer_tf.cached import cache_folder
from mer_tf.config import Experiment, MerError, digest
from mer_tf.datasets.adapters.flow_images import flow_images_listing
from mer_tf.files import atomic, sha256, write_csv, write_json, write_text
from mer_tf.inputs.feature_cache import weights_digest
from mer_tf.models.pretrained import probabilities
from mer_tf.models.stored import load_model
from mer_tf.preprocessing.frames import read_frame
from mer_tf.reporting.flow_pictures import sheet_png
from mer_tf.run_directory import environment, log_to
from mer_tf.synthetic.action_units.fields import Drawn
from mer_tf.synthetic.action_units.geometry import geometry
from mer_tf.synthetic.action_units.movement import CLASSES, move_units
from mer_tf.synthetic.action_units.rendered import draw_kind, kinds
from mer_tf.synthetic.action_units.table import action_units
from mer_tf.synthetic.trees.flow_images import write_flow_images

log = logging.getLogger("mer_tf")
WEIGHTS_LIMIT = 4_000_000
LIMITS = (
    "It was trained on drawn action units alone; nobody's face was in it. Its figures here are on drawn images.",
    "It knows three classes and must choose one: no neutral face, no other movement, no spoken word.",
    "It expects onset and apex of a frontal face, cropped tightly; talking, blinking and turning the head mislead it.",
    "Its probabilities are not calibrated. It is for research, and says nothing about what a person feels.",
)
CROPS = {
    "tight": "The crop of its drawn faces (face_geometry.csv, tight) was chosen on the 442 flow images of the MEGC "
    "2019 composite: its figures there are of a crop tuned on the test set.",
    "published": "Its drawn faces lie by published tables (face_geometry.csv, published): no image of the MEGC 2019 "
    "composite entered its training. The crop published for SMIC is quoted from memory.",
}
"""What each crop is chosen on."""


def pretrain(options: Options) -> str:
    """Train and test; writes weights, card, history.csv, kept_out.csv, action_units.png and results.txt."""
    began, config = time.monotonic(), options.train
    directory = new_directory(options)
    draw_sheet(directory / "action_units.png", config.crop)
    model, history = train_network(config)
    write_csv(history, directory / "history.csv")
    scores = {"known kinds, new images": kind_scores(model, trained_kinds(), config)}
    scores["kinds in no training"] = kind_scores(model, [k for k in kinds() if k not in trained_kinds()], config)
    scores["other crops and drawings"] = _elsewhere(model, config)
    kept = kept_out_scores(config) if options.kept_out else pd.DataFrame(columns=["left_out", "kind", "UF1"])
    write_csv(kept, directory / "kept_out.csv")
    write_weights(model, options, history, scores, kept, directory)
    minutes = (time.monotonic() - began) / 60
    text = "\n".join([*_lines(scores, kept, history), f"{minutes:.1f} minutes", *limits_of(config)])
    write_text(directory / "results.txt", text + "\n")
    return f"{text}\nrun directory: {directory}"


def limits_of(config: Pretraining) -> tuple[str, ...]:
    """What must be said beside an answer of the network."""
    return (*LIMITS, CROPS[config.crop])


def measure_saving(options: Options, experiment: Experiment) -> str:
    directory = new_directory(options)
    table = clips_saved(experiment, options.drawn_clips, directory)
    text = table.to_string(index=False, float_format="{:.3f}".format)
    write_text(directory / "results.txt", text + "\n")
    return f"{text}\nrun directory: {directory}"


def new_directory(options: Options) -> Path:
    """A new run directory with its log, settings and machine."""
    stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
    directory = Path(options.out) / "exp9_au_pretraining" / f"{stamp}-{digest(options)[:7]}"
    directory.mkdir(parents=True)
    log_to(directory)
    write_json(directory / "config.json", {"options": dataclasses.asdict(options), "command": sys.argv})
    write_json(directory / "env.json", environment())
    return directory


def draw_sheet(path: Path, crop: str) -> Path:
    """Every action unit of the table drawn alone on a crop, 2 pixels of 56 at its strongest place."""
    names = action_units().drop_duplicates("au").set_index("au")["name"]
    moved = move_units([[int(au)] for au in names.index], geometry(crop), np.random.default_rng(0))
    fields = moved.scaled(np.full(len(names), 2 / 56)).fields(56)
    shown = {f"{au} {name}": one for (au, name), one in zip(names.items(), fields, strict=True)}
    title = "Each action unit alone: u and v from -2 (blue: left, up) to 2 pixels (red: right, down), strain from 0"
    return sheet_png(shown, geometry(crop).points, path, title)


def write_weights(
    model: keras.Model,
    options: Options,
    history: pd.DataFrame,
    scores: dict[str, dict[str, float]],
    kept: pd.DataFrame,
    directory: Path,
) -> Path:
    """<name>.keras and its card <name>.json; `MerError` when the weights are larger than what may be shipped."""
    path = directory / f"{options.name}.keras"
    with atomic(path) as part:
        model.save(part)
    if path.stat().st_size > WEIGHTS_LIMIT:
        raise MerError(f"{path}: {path.stat().st_size} bytes, more than {WEIGHTS_LIMIT}; use a smaller train.width")
    image = draw_kind("bell", 3, 123).images[:1]
    recorded = load_model(path, "train it again")
    card: dict[str, Any] = {
        "name": options.name,
        "classes": CLASSES,
        "input": "flow_image (B, 28, 28, 3): u, v, optical strain of onset to apex, each stretched to 0..255",
        "output": "logits (B, 3), the same for an image and its mirror image",
        "sha256": sha256(path),
        "weights_digest": weights_digest(model),
        "parameters": model.count_params(),
        "command": "python experiments/exp9_au_pretraining.py " + " ".join(sys.argv[1:]),
        "settings": dataclasses.asdict(options.train) | {"cache": "data"},
        "trained_on": trained_kinds(),
        "last_epoch": {k: round(float(v), 4) for k, v in history.iloc[-1].items()},
        "UF1": {what: {k: round(v, 4) for k, v in found.items()} for what, found in scores.items()},
        "UF1_kept_out": kept.to_dict("records"),
        "limits": limits_of(options.train),
        "recorded_input": base64.b64encode(image.tobytes()).decode(),
        "recorded_probabilities": [float(p) for p in probabilities(recorded, image)[0]],
    }
    return write_json(directory / f"{options.name}.json", card)


def _elsewhere(model: keras.Model, config: Pretraining) -> dict[str, float]:
    """UF1 where faces lie otherwise than in training: shifted by 5 %, in loose crops, in the composite's look-alike."""
    seed, found = 2 * config.seed + 3, {}
    whole = draw_kind("bell", config.tested, seed, crop=config.crop)
    for name, (down, right) in {"5 % to the right": (0, 1), "5 % down": (1, 0)}.items():
        # 5 % are 1.4 of 28 pixels, rounded to 1; the edge is repeated.
        moved = np.pad(whole.images, ((0, 0), (down, 0), (right, 0), (0, 0)), mode="edge")[:, :28, :28]
        found[name] = uf1(model, Drawn(moved, whole.labels))
    found["not shifted"] = uf1(model, whole)
    for kind in ("bell", "astronaut-dis"):
        drawn = draw_kind(kind, config.tested, seed, crop="loose", cache_dir=cache_folder(config.cache))
        found[f"loose crop, {kind}"] = uf1(model, drawn)
    root = write_flow_images(cache_folder(config.cache) / "synthetic-flow-images-au")
    rows = flow_images_listing(root, None).rows
    labels = np.array([CLASSES.index(row.label_raw) for row in rows])
    found["look-alike of the composite"] = uf1(
        model, Drawn(np.stack([read_frame(r.image_path()) for r in rows]), labels)
    )
    return found


def _lines(scores: dict[str, dict[str, float]], kept: pd.DataFrame, history: pd.DataFrame) -> list[str]:
    lines = [f"accuracy on the drawn images of the last epoch: {history['accuracy'].iloc[-1]:.3f}"]
    for what, found in scores.items():
        lines += [f"UF1, {what}: {name} {score:.3f}" for name, score in found.items()]
    return [*lines, *(f"UF1 without {r.left_out}: {r.kind} {r.UF1:.3f}" for r in kept.itertuples())]
