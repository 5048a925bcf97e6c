"""MicroExpFuseNet: MicroExpSTCNN's convolution on the eyes and on the mouth, joined early or late (Reddy et al., 2019).

    intermediate: eyes | mouth (B, T, 32, 32, 1) --[conv, pool]--> concat --> 1024 --> 128 --> logits
    late:         each --[conv, pool]--> 1024 --> 128; concat (B, 256) --> logits

Their regions are rectangles between landmarks of each frame (0-based numbers of the 68: rows of 19 to 1 and columns of
1 to 15, rows of 2 to 6 and columns of 2 to 14); here they lie where an aligned face has these landmarks. Flat features
of 96 frames are 172,800, as the code has it; the paper prints 86,400.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from mer_tf.config import Model
from mer_tf.files import facts
from mer_tf.models.inputs import grey, refuse_tail, relu_dense, scaled, volumes
from mer_tf.models.layers import FoldTime, Resize
from mer_tf.models.micro_exp_stcnn import volume_features

REGIONS = {"eyes": ((19, 1), (1, 15)), "mouth": ((2, 6), (2, 14))}
"""Region -> landmarks of its first and last row, and of its first and last column."""
SIDE = 32
UNITS = (1024, 128)
LATE = "micro_exp_fusenet_late"


def build(config: Model, feature_shape: Any, classes: int, tail: keras.Model | None = None) -> keras.Model:
    """The network; `config.name` says whether it joins late. feature_shape: {"frames": (S, S, 3), "images": (T,)}.

    Input (dict): frames (B, T, S, S, 3) RGB 0..255 of aligned faces, T 17 or more. Output: float32 logits (B, classes).
    `config.dropout` follows the pooling and the dense layers; `config.width` scales filters and units.
    """
    refuse_tail(config, tail)
    inputs = volumes(config, feature_shape, "frames")
    image, late = grey(inputs["frames"], "centred"), config.name == LATE
    flat = [volume_features(_region(image, name), name, config) for name in REGIONS]
    if late:
        flat = [_head(x, name, config) for x, name in zip(flat, REGIONS, strict=True)]
    x = layers.Concatenate(name="joined")(flat)
    x = x if late else _head(x, "joined", config)
    return keras.Model(inputs, layers.Dense(classes, dtype="float32", name="logits")(x), name=config.name)


def _region(volume: Any, name: str) -> Any:
    """Part of a grey volume (B, T, S, S, 1) as (B, T, 32, 32, 1)."""
    (top, bottom), (left, right) = REGIONS[name]
    table, side = facts("canonical_landmarks.csv").set_index("index"), volume.shape[2]

    def pixel(landmark: int, axis: str) -> int:
        return round(float(str(table.loc[str(landmark), axis])) * side)

    part = volume[:, :, pixel(top, "y") : pixel(bottom, "y"), pixel(left, "x") : pixel(right, "x")]
    return FoldTime(Resize(SIDE), name=f"{name}_region")(part)


def _head(x: Any, name: str, config: Model) -> Any:
    for number, units in enumerate(UNITS, start=1):
        x = relu_dense(x, scaled(units, config), f"{name}_fc{number}", config.dropout)
    return x
