"""Encoder, fc1 to fc3, softmax on single frames: Exp-I of Bai & Goecke 2020 (section 4.3), static in, static out.

frame (B, 1, ...) --[retrained tail of the encoder]--> (B, 1, D) --> fc1 BN ReLU --> fc2 BN ReLU dropout --> fc3
--> ReLU --> logits                                       (B, classes)
"""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import layers, ops

from mer_tf.config import MerError, Model
from mer_tf.models.layers import FoldTime
from mer_tf.models.vggface_lstm import OnsetDifference, embed


def build(config: Model, feature_shape: tuple[int, ...], classes: int, tail: keras.Model | None = None) -> keras.Model:
    """Trainable part of Exp-I, with the inputs of `vggface_lstm.build` for windows of one frame.

    Inputs (dict): frames float32 (B, 1, *feature_shape), onset of the same shape, mask bool (B, 1). Output: float32
    logits (B, classes). `MerError` for recurrent settings, which a single frame cannot have.
    """
    if config.bidirectional:
        raise MerError("model.bidirectional: vggface_frames sees one frame; take --model.name vggface_lstm")
    frames, onset = (keras.Input((1, *feature_shape), name=name) for name in ("frames", "onset"))
    mask = keras.Input((1,), dtype="bool", name="mask")

    per_frame: Any = FoldTime(tail, name="retrained") if tail is not None else (lambda x: x)
    x = per_frame(frames)
    if config.center == "onset":
        x = OnsetDifference(name="minus_onset")(x, per_frame(onset))
    x = layers.ReLU(name="embedding_relu")(embed(x, mask, config))
    logits = layers.Dense(classes, dtype="float32", name="logits")(ops.squeeze(x, axis=1))
    return keras.Model({"frames": frames, "onset": onset, "mask": mask}, logits, name="vggface_frames")


def images_to_logits(trunk: keras.Model, head: keras.Model) -> keras.Model:
    """Frozen `trunk` (images -> features), then `head`: images (B, S, S, 3) in, logits (B, classes) out.

    Each image counts as its own clip's onset.
    """
    image = keras.Input(trunk.input_shape[1:], name="images")
    features = ops.expand_dims(trunk(image), axis=1)
    shown = ops.isfinite(ops.sum(ops.reshape(features, (-1, 1, math.prod(features.shape[2:]))), axis=-1))
    logits = head({"frames": features, "onset": features, "mask": shown})
    return keras.Model(image, logits, name="vggface_frames_end_to_end")
