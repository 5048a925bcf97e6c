"""Encoder per frame, fc1 to fc3, LSTM or Bi-LSTM, head: Exp-II and III of Bai & Goecke 2020 (sections 3 and 4.4).

    frames (B, T, ...) --[retrained tail of the encoder]--> (B, T, D) - onset (B, 1, D)
    --> fc1 BN ReLU --> fc2 BN ReLU dropout --> fc3           per-frame embedding
    --> LSTM x 3 (or Bi-LSTM), last time step                 (B, units)
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


@keras.saving.register_keras_serializable(package="mer_tf")
class LastStep(layers.Layer):
    """(B, T, D) at the last step that mask (B, T) keeps: (B, D)."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def compute_mask(self, *_: Any) -> None:
        """What comes out has no time axis left to mask."""

    def call(self, steps: Any, mask: Any) -> Any:
        """Take the step by a product with its one-hot position, which every backend compiles."""
        last = ops.sum(ops.cast(mask, "int32"), axis=1) - 1
        chosen = ops.one_hot(last, ops.shape(steps)[1], dtype=steps.dtype)
        return ops.einsum("bt,btd->bd", chosen, steps)


def build(config: Model, feature_shape: tuple[int, ...], classes: int, tail: keras.Model | None = None) -> keras.Model:
    """Trainable part of Exp-II, or with `config.bidirectional` of Exp-III.

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
    x = embed(x, mask, config)

    # ------------------------------------------------------------------ time
    for number in range(1, config.lstm_layers + 1):
        x = _recurrent(x, mask, config, number, more=number < config.lstm_layers)

    # ------------------------------------------------------------------ head
    x = layers.Dense(config.head_units, activation="relu", name="head")(x)
    x = layers.Dropout(config.dropout, name="head_dropout")(x)
    logits = layers.Dense(classes, dtype="float32", name="logits")(x)
    return keras.Model({"frames": frames, "onset": onset, "mask": mask}, logits, name="vggface_lstm")


def embed(x: Any, mask: Any, config: Model) -> Any:
    """fc1 BN ReLU, fc2 BN ReLU, dropout, fc3 on (B, T, D); frames that `mask` (B, T) leaves out move no statistic."""
    *hidden, last = config.embedding
    for number, width in enumerate(hidden, start=1):
        x = layers.Dense(width, name=f"fc{number}")(x)
        x = layers.BatchNormalization(momentum=config.bn_momentum, epsilon=1e-5, name=f"fc{number}_bn")(x, mask=mask)
        x = layers.ReLU(name=f"fc{number}_relu")(x)
    x = layers.Dropout(config.dropout, name="fc_dropout")(x)
    return layers.Dense(last, name=f"fc{len(config.embedding)}")(x)


def _recurrent(x: Any, mask: Any, config: Model, number: int, *, more: bool) -> Any:
    """One (Bi-)LSTM layer; all steps when `more` layers follow, else what the head takes."""
    # cuDNN's LSTM switches XLA off for the whole step.
    options: dict[str, Any] = {"use_cudnn": False}
    if not config.bidirectional:
        return layers.LSTM(config.lstm_units, return_sequences=more, name=f"lstm{number}", **options)(x, mask=mask)
    every = more or config.merge == "last_step"
    lstm = layers.LSTM(config.lstm_units, return_sequences=every, name=f"lstm{number}", **options)
    x = layers.Bidirectional(lstm, name=f"bilstm{number}")(x, mask=mask)
    return x if more or config.merge != "last_step" else LastStep(name="last_step")(x, mask)


def end_to_end(trunk: keras.Model, head: keras.Model) -> keras.Model:
    """Frozen `trunk` (images -> features) folded over time, then `head`: images (B, T, S, S, 3) in, logits out."""
    image = trunk.input_shape[1:]
    frames, onset = keras.Input((None, *image), name="frames"), keras.Input((1, *image), name="onset")
    mask = keras.Input((None,), dtype="bool", name="mask")
    trunk.trainable = False
    encode = FoldTime(trunk, name="frozen")
    logits = head({"frames": encode(frames), "onset": encode(onset), "mask": mask})
    return keras.Model({"frames": frames, "onset": onset, "mask": mask}, logits, name="vggface_lstm_end_to_end")


def frames_shape(model: keras.Model) -> tuple[int | None, ...]:
    """Shape of the input `frames`; a reloaded model lists its inputs without their names as keys."""
    return next(tuple(tensor.shape) for tensor in model.inputs if tensor.name == "frames")
