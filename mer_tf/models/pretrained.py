"""Networks that ship inside the package: weights, and a card that says what made them and what they can do."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import keras
import numpy as np

from mer_tf.config import MerError
from mer_tf.files import read_mapping, sha256
from mer_tf.models import PRETRAINED
from mer_tf.models.stored import load_model
from mer_tf.names import unknown


def card(name: str) -> dict[str, Any]:
    """The model card of a shipped network; `MerError` naming those there are for another name."""
    with _shipped(name, ".json") as path:
        return read_mapping(path)


def load_pretrained(name: str) -> keras.Model:
    """A shipped network, from the package itself: no download, no pickle, `safe_mode` on.

    au-flow-3, au-flow-4: flow images {"flow_image": (B, 28, 28, 3)}, u, v and strain 0..255, to float32 logits (B, 3)
    of negative, positive, surprise. `MerError` for an unknown name and for weights whose SHA-256 is not that of the
    card.
    """
    with _shipped(name, ".keras") as path:
        return load_checked(path, card(name)["sha256"])


def load_checked(path: Path, expected: str) -> keras.Model:
    """A .keras file whose SHA-256 is `expected`; `MerError` when it is another or the file cannot be read."""
    if (found := sha256(path)) != expected:
        raise MerError(f"{path}: SHA-256 is {found[:12]}..., its card says {expected[:12]}...; install mer_tf again")
    return load_model(path, "install mer_tf again")


def begin_with(model: keras.Model, name: str) -> None:
    """Give `model` the shipped weights, all but a last layer of another size, and freeze its batch statistics."""
    if name not in PRETRAINED:
        raise MerError(f"model.weights: {unknown('shipped network', name, PRETRAINED)}")
    stored = _weights(name)
    for layer in model.get_layer("core").layers:
        known = stored.get(layer.name, [])
        fits = [w.shape for w in known] == [tuple(w.shape) for w in layer.weights]
        if known and not fits and layer.name != "head":
            raise MerError(f"model.weights={name}: {layer.name} has another shape; its images are 28 x 28")
        if known and fits:
            layer.set_weights(known)
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = False


def probabilities(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """(N, classes) float32 of flow images uint8 (N, S, S, 3)."""
    logits = [
        model.predict_on_batch({"flow_image": images[k : k + 256].astype("float32")})
        for k in range(0, len(images), 256)
    ]
    return keras.ops.convert_to_numpy(keras.ops.softmax(np.concatenate(logits)))


@lru_cache(maxsize=2)
def _weights(name: str) -> dict[str, list[np.ndarray]]:
    return {layer.name: layer.get_weights() for layer in load_pretrained(name).get_layer("core").layers}


def _shipped(name: str, suffix: str) -> Any:
    if name not in PRETRAINED:
        raise MerError(unknown("pretrained network", name, PRETRAINED))
    return as_file(files("mer_tf.models").joinpath("weights_files", name + suffix))
