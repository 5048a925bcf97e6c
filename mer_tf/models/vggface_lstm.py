"""Encoder per frame, fc1 to fc3, stacked LSTM, head: Exp-II of Bai & Goecke 2020 (sections 3 and 4.4).

    frames (B, T, ...) --[retrained tail of the encoder]--> (B, T, D) - onset (B, 1, D)
    --> fc1 BN ReLU --> fc2 BN ReLU dropout --> fc3           per-frame embedding
    --> LSTM x 3, last time step                              (B, units)
    --> dense ReLU dropout --> logits                         (B, classes)

Layer widths are those of the authors' released code. Frozen layers of the encoder stand outside: their output is
computed once a frame and is the input here; `end_to_end` puts the two together again.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

from mer_tf.config import Model
from mer_tf.models.layers import FoldTime


@keras.saving.register_keras_serializable(package="mer_tf")
class OnsetDifference(layers.Layer):
    """Embeddings minus that of the clip's first frame: (B, T, D), (B, 1, D) -> (B, T, D). Identity cancels."""

    def call(self, frames: Any, onset: Any) -> Any:
        """Subtract, broadcasting the onset over time."""
        return ops.subtract(frames, onset)


def build(config: Model, feature_shape: tuple[int, ...], classes: int, tail: keras.Model | None = None) -> keras.Model:
    """Trainable part of Exp-II.

    Inputs (dict): frames float32 (B, T, *feature_shape), onset float32 (B, 1, *feature_shape), mask bool (B, T), False
    where a short clip was padded. Output: float32 logits (B, classes). `tail`: retrained end of the encoder, mapping
    feature_shape to (D,); None when the whole encoder is frozen. T may differ from batch to batch.
    """
    frames = keras.Input((None, *feature_shape), name="frames")
    onset = keras.Input((1, *feature_shape), name="onset")
    mask = keras.Input((None,), dtype="bool", name="mask")
    per_frame = FoldTime(tail, name="retrained") if tail is not None else (lambda x: x)
    x = per_frame(frames)
    if config.center == "onset":
        x = OnsetDifference(name="minus_onset")(x, per_frame(onset))

    # ------------------------------------------------------------------ per-frame embedding
    *hidden, last = config.embedding
    for number, width in enumerate(hidden, start=1):
        x = layers.Dense(width, name=f"fc{number}")(x)
        x = layers.BatchNormalization(momentum=config.bn_momentum, epsilon=1e-5, name=f"fc{number}_bn")(x, mask=mask)
        x = layers.ReLU(name=f"fc{number}_relu")(x)
    x = layers.Dropout(config.dropout, name="fc_dropout")(x)
    x = layers.Dense(last, name=f"fc{len(config.embedding)}")(x)

    # ------------------------------------------------------------------ time
    for number in range(1, config.lstm_layers + 1):
        more = number < config.lstm_layers
        # cuDNN's LSTM switches XLA off for the whole step.
        x = layers.LSTM(config.lstm_units, return_sequences=more, use_cudnn=False, name=f"lstm{number}")(x, mask=mask)

    # ------------------------------------------------------------------ head
    x = layers.Dense(config.head_units, activation="relu", name="head")(x)
    x = layers.Dropout(config.dropout, name="head_dropout")(x)
    logits = layers.Dense(classes, dtype="float32", name="logits")(x)
    return keras.Model({"frames": frames, "onset": onset, "mask": mask}, logits, name="vggface_lstm")


def end_to_end(trunk: keras.Model, head: keras.Model) -> keras.Model:
    """Frozen `trunk` (images -> features) folded over time, then `head`: images (B, T, S, S, 3) in, logits out."""
    image = trunk.input_shape[1:]
    frames, onset = keras.Input((None, *image), name="frames"), keras.Input((1, *image), name="onset")
    mask = keras.Input((None,), dtype="bool", name="mask")
    trunk.trainable = False
    encode = FoldTime(trunk, name="frozen")
    logits = head({"frames": encode(frames), "onset": encode(onset), "mask": mask})
    return keras.Model({"frames": frames, "onset": onset, "mask": mask}, logits, name="vggface_lstm_end_to_end")
