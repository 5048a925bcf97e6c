"""Models by name. Each file has `build(config, feature_shape, classes, tail=None) -> keras.Model`."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from mer_tf.config import MerError

# Names of modules, not modules: a name is looked up long before Keras is needed.
MODELS = {
    "vggface_frames": "mer_tf.models.vggface_frames",
    "vggface_lstm": "mer_tf.models.vggface_lstm",
}


def model_builder(name: str) -> Callable[..., Any]:
    """`build` of the model of that name; `MerError` listing the names for an unknown one."""
    if name not in MODELS:
        raise MerError(f"unknown model {name!r}; known: {', '.join(sorted(MODELS))}")
    return import_module(MODELS[name]).build
