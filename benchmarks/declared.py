"""Networks by their declarations alone, and batches of noise for them: no clip is drawn, and no face is looked for.

So they can be measured where neither TensorFlow nor mtcnn is installed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from mer_tf.changes import changed
from mer_tf.config import GRADCAM, Experiment, Preset
from mer_tf.model import models
from mer_tf.models.encoders.build import build_encoder
from mer_tf.models.encoders.parts import encoder_parts
from mer_tf.models.kinds import FLOW_SIDE, FeatureModel, FlowImageModel, ImageModel, Network
from mer_tf.models.presets import PUBLISHED
from mer_tf.runner import declared

EXPERIMENTS = Path(__file__).parents[1] / "experiments"
SCRIPTS = tuple(sorted(EXPERIMENTS.glob("exp[1-6]_*.py")))
"""Those that declare one network of a paper."""
CLASSES = 3
RETRAINED = "conv4_3"
"""The block that is retrained from where each fold chooses one."""
Batch = tuple[dict[str, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Declared:
    """A network, how it is made, and what it is given."""

    name: str
    experiment: Experiment
    build: Callable[[], keras.Model]
    batch: Batch

    @property
    def frames(self) -> int:
        """Pictures in the batch: frames of windows, or flow images."""
        first = next(iter(self.batch[0].values()))
        return first.shape[0] * (1 if "flow_image" in self.batch[0] else first.shape[1])


def experiments(preset: Preset, changes: Mapping[str, Any] | None = None) -> dict[str, Experiment]:
    """The papers' networks by their scripts, and the named networks by their presets, each with `changes` that fit."""
    found = {script.stem: declared(script, preset) for script in SCRIPTS}
    base = declared(EXPERIMENTS / "exp7_baselines.py", preset)
    for name, settings in PUBLISHED.items():
        if issubclass(models()[name], Network):
            found[name] = changed(base, {"model.name": name, **settings})
    return {name: changed(one, changes or {}) for name, one in found.items()}


def network(name: str, experiment: Experiment) -> Declared:
    """The network without weights of others: encoders begin at random, which costs the same."""
    model = experiment.model
    assert isinstance(model, Network)
    known = {"dropout": 0.0, "weights": "random"}
    model = replace(model, **{k: v for k, v in known.items() if hasattr(model, k)})
    tail, shape = None, _shape(model, experiment)
    if isinstance(model, FeatureModel):
        block = RETRAINED if model.retrain_from == GRADCAM else model.retrain_from
        model = replace(model, retrain_from=block)
        encoder = build_encoder(model, input_size=experiment.preprocess.size)
        trunk, tail = encoder_parts(encoder.model, block, encoder.features_at)
        shape = trunk.output_shape[1:]

    def build() -> keras.Model:
        if not isinstance(model, FeatureModel):
            return model.build(shape, CLASSES)
        return model.build(shape, CLASSES, tail and keras.models.clone_model(tail))

    frames = experiment.clip.frames - isinstance(model, ImageModel)  # a frame and the flow to the next one
    return Declared(name, experiment, build, noise(build(), experiment.train.batch_size, frames))


def noise(model: keras.Model, size: int, frames: int) -> Batch:
    """A batch of `size` samples that a model takes, of `frames` frames where it leaves time open; classes in turn."""
    rng, inputs = np.random.default_rng(0), {}
    for tensor in model.inputs:
        shape = (size, *(frames if side is None else side for side in tensor.shape[1:]))
        inputs[tensor.name] = np.ones(shape, bool) if tensor.dtype == "bool" else rng.uniform(0, 1, shape)
    inputs = {name: value if value.dtype == bool else value.astype("float32") for name, value in inputs.items()}
    return inputs, np.arange(size) % CLASSES


def _shape(model: Network, experiment: Experiment) -> Any:
    """Shapes of images by input, as stores of such images have them."""
    if isinstance(model, FlowImageModel):
        side = experiment.clip.side or FLOW_SIDE
        return {"flow_image": (side, side, 3)}
    image = (experiment.clip.side or experiment.preprocess.size,) * 2 + (3,)
    return {"frames": image, "flow": image, "images": (experiment.clip.frames - 1,)}
