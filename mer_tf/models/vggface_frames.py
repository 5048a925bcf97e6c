"""Encoder, fc1 to fc3, softmax on single frames: Exp-I of Bai & Goecke 2020 (section 4.3), static in, static out.

frame (B, 1, ...) --[retrained tail of the encoder]--> (B, 1, D) --> fc1 BN ReLU --> fc2 BN ReLU dropout --> fc3
--> ReLU --> logits                                       (B, classes)
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

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
    logits = layers.Dense(classes, dtype="float32", name="logits")(layers.Flatten(name="frame")(x))
    return keras.Model({"frames": frames, "onset": onset, "mask": mask}, logits, name="vggface_frames")
