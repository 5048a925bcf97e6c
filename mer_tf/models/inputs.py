"""What networks share: scaled inputs and widths, options of convolutions, dense layers, LSTMs."""

from __future__ import annotations

from typing import Any

from mer_tf.models.later import keras, layers, ops, own

TORCH = {"class_name": "VarianceScaling", "config": {"scale": 1 / 3, "mode": "fan_in", "distribution": "uniform"}}
"""PyTorch's default for convolutions and dense layers: uniform within 1 / sqrt(fan in). As Keras writes an initializer
down, so that each layer makes one of its own: an initializer that layers share keeps the seed that it drew when it was
made."""
RELU_CONV = {"padding": "same", "activation": "relu", "kernel_initializer": "he_normal"}
"""Options of a convolution of ReLU units that keeps the size of its input."""
OUTSIDE = -1e9
"""What stands around an image that is max-pooled beyond its border: never the greatest of a window."""


def grey(frames: Any, scaling: str = "paper_code") -> Any:
    """Grey levels (..., 1) of RGB frames 0..255, (..., 3): the mean of their channels after `Preprocess(scaling)`."""
    return ops.mean(own.Preprocess(scaling, name="scaled")(frames), axis=-1, keepdims=True)


def scaled(number: int, width: float) -> int:
    """A published number of channels or units as a model's `width` shrinks it, at least 1."""
    return max(1, round(number * width))


def relu_dense(x: Any, units: int, name: str, dropout: float, **options: Any) -> Any:
    x = layers.Dense(units, activation="relu", kernel_initializer="he_normal", name=name, **options)(x)
    return layers.Dropout(dropout, name=f"{name}_dropout")(x)


def lstm(units: int, name: str, **options: Any) -> Any:
    """Keras' LSTM, not cuDNN's, which switches XLA off for the whole step."""
    return layers.LSTM(units, use_cudnn=False, name=name, **options)


def lstm_head(features: Any, classes: int, units: int, dense: int = 0) -> keras.Model:
    """Model `head` of features (B, T, D) to logits (B, classes): an LSTM, and `dense` ReLU units if there are any."""
    given = keras.Input(features.shape[1:], name="features")
    x = lstm(units, "lstm")(given)
    if dense:
        x = layers.Dense(dense, activation="relu", kernel_initializer="he_normal", name="fc")(x)
    return keras.Model({"features": given}, layers.Dense(classes, dtype="float32", name="logits")(x), name="head")
