"""3D-FCNN: three streams of 3-D convolutions, on grey frames and both components of flow (Li et al., 2018).

    grey | dx | dy (B, T, S, S, 1) --[32 filters 3^3, pool 2, 64 filters 3^3, pool 2, 128 units]--> concat (B, 384)
    --> logits (B, classes)

The paper's volumes and widths are not known to us: three small streams on short low-resolution volumes, joined before
the classifier, are its idea, the numbers here are ours (volumes of 16 x 64 x 64).
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from mer_tf.config import Model
from mer_tf.models.inputs import grey, refuse_tail, relu_dense, scaled, volumes
from mer_tf.models.layers import Preprocess

FILTERS = (32, 64)
UNITS = 128


def build(config: Model, feature_shape: Any, classes: int, tail: keras.Model | None = None) -> keras.Model:
    """The network. feature_shape: {"frames": (S, S, 3), "flow": (S, S, 3), "images": (T,)}, T and S at least 4.

    Inputs (dict): frames (B, T, S, S, 3) RGB 0..255 and flow of that shape, dx and dy at rest at 128. Output: float32
    logits (B, classes). `config.dropout` follows each stream's dense layer; `config.width` scales channels and units.
    """
    refuse_tail(config, tail)
    inputs = volumes(config, feature_shape, "frames", "flow")
    flow = Preprocess("flow", name="flow_scaled")(inputs["flow"])
    streams = {"grey": grey(inputs["frames"]), "dx": flow[..., :1], "dy": flow[..., 1:2]}
    x = layers.Concatenate(name="joined")([_stream(v, name, config) for name, v in streams.items()])
    return keras.Model(inputs, layers.Dense(classes, dtype="float32", name="logits")(x), name="fcnn3d")


def _stream(x: Any, name: str, config: Model) -> Any:
    for number, filters in enumerate(FILTERS, start=1):
        conv = {"padding": "same", "activation": "relu", "kernel_initializer": "he_normal"}
        x = layers.Conv3D(scaled(filters, config), 3, name=f"{name}_conv{number}", **conv)(x)
        x = layers.MaxPooling3D(2, name=f"{name}_pool{number}")(x)
    x = layers.Flatten(name=f"{name}_flat")(x)
    return relu_dense(x, scaled(UNITS, config), f"{name}_fc", config.dropout)
