"""What the networks of named baselines share: their inputs, first weights, and what they refuse."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
from keras import layers, ops

from mer_tf.config import MerError, Model
from mer_tf.models.layers import Preprocess

TORCH = keras.initializers.VarianceScaling(1 / 3, "fan_in", "uniform")
"""PyTorch's default for convolutions and dense layers: uniform within 1 / sqrt(fan in)."""

OUTSIDE = -1e9
"""What stands around an image that is max-pooled beyond its border: never the greatest of a window."""


def flow_image(feature_shape: Mapping[str, tuple[int, ...]]) -> dict[str, Any]:
    """Input flow_image (B, S, S, 3), channels u, v and optical strain, 0..255."""
    return {"flow_image": keras.Input(feature_shape["flow_image"], name="flow_image")}


def volumes(config: Model, feature_shape: Mapping[str, tuple[int, ...]], *names: str) -> dict[str, Any]:
    """Inputs (B, T, S, S, 3), those of `names` among frames and flow; T is fixed, since these networks flatten it.

    feature_shape: {"frames": (S, S, 3), "flow": (S, S, 3), "images": (T,)}.
    """
    if "images" not in feature_shape:
        raise MerError(f"model {config.name}: needs windows of one known length; take the store of frames and flow")
    return {name: keras.Input((*feature_shape["images"], *feature_shape[name]), name=name) for name in names}


def grey(frames: Any, scaling: str = "paper_code") -> Any:
    """Grey levels (..., 1) of RGB frames 0..255, (..., 3): the mean of their channels after `Preprocess(scaling)`."""
    return ops.mean(Preprocess(scaling, name="scaled")(frames), axis=-1, keepdims=True)


def refuse_tail(config: Model, tail: keras.Model | None) -> None:
    """`MerError` for a retrained encoder, of which these networks have none."""
    if tail is not None:
        raise MerError(f"model.retrain_from: {config.name} has no pretrained encoder; leave it None")


def scaled(width: int, config: Model) -> int:
    """A published number of channels or units as `config.width` shrinks it, at least 1."""
    return max(1, round(width * config.width))


def relu_dense(x: Any, units: int, name: str, dropout: float) -> Any:
    """Dense ReLU layer, then dropout."""
    x = layers.Dense(units, activation="relu", kernel_initializer="he_normal", name=name)(x)
    return layers.Dropout(dropout, name=f"{name}_dropout")(x)
