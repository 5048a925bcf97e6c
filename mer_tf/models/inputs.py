"""What the networks of named baselines share: scaled inputs and widths, dense layers."""

from __future__ import annotations

from typing import Any

from mer_tf.models.later import layers, ops, own

TORCH = {"class_name": "VarianceScaling", "config": {"scale": 1 / 3, "mode": "fan_in", "distribution": "uniform"}}
"""PyTorch's default for convolutions and dense layers: uniform within 1 / sqrt(fan in). As Keras writes an initializer
down, so that each layer makes one of its own: an initializer that layers share keeps the seed that it drew when it was
made."""
OUTSIDE = -1e9
"""What stands around an image that is max-pooled beyond its border: never the greatest of a window."""


def grey(frames: Any, scaling: str = "paper_code") -> Any:
    """Grey levels (..., 1) of RGB frames 0..255, (..., 3): the mean of their channels after `Preprocess(scaling)`."""
    return ops.mean(own.Preprocess(scaling, name="scaled")(frames), axis=-1, keepdims=True)


def scaled(number: int, width: float) -> int:
    """A published number of channels or units as a model's `width` shrinks it, at least 1."""
    return max(1, round(number * width))


def relu_dense(x: Any, units: int, name: str, dropout: float) -> Any:
    x = layers.Dense(units, activation="relu", kernel_initializer="he_normal", name=name)(x)
    return layers.Dropout(dropout, name=f"{name}_dropout")(x)
