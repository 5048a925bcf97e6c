"""Encoder per frame, fc1 to fc3, LSTM or Bi-LSTM, head: Exp-II and III of Bai & Goecke 2020 (sections 4.3 to 4.5).

    frames (B, T, ...) --[retrained tail of the encoder]--> (B, T, D) - onset (B, 1, D)
    --> fc1 BN ReLU --> fc2 BN ReLU dropout --> fc3           per-frame embedding
    --> LSTM x 3 (or Bi-LSTM), last time step                 (B, units)
    --> dense ReLU dropout --> logits                         (B, classes)

Printed are fc1 to fc3, three LSTM layers and one of Bi-LSTM; widths, normalisation and the dense layers of the head are
those of the authors' released code. Frozen layers of the encoder stand outside: their output is
computed once a frame and is the input here; `end_to_end` puts the two together again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from mer_tf.models.inputs import lstm
from mer_tf.models.kinds import FeatureModel
from mer_tf.models.later import keras, layers, own
from mer_tf.ranges import BelowOne, Count


@dataclass(frozen=True)
class VggFaceLstm(FeatureModel):
    """Encoder, fc1 to fc3, LSTM, head (Bai & Goecke 2020, C)."""

    name: Literal["vggface_lstm"] = "vggface_lstm"
    embedding: tuple[Count, ...] = (1024, 768, 512)
    """Widths of fc1, fc2, fc3 (C's released code)."""
    bn_momentum: BelowOne = 0.99
    """Batch normalisation after fc1 and fc2 (C's released code). It needs thousands of steps: short runs take 0.9."""
    lstm_units: Count = 512
    lstm_layers: Count = 3
    bidirectional: bool = False
    """Bi-LSTM (C, Exp-III)."""
    merge: Literal["last_step", "last_of_each_direction"] = "last_step"
    """What a Bi-LSTM hands on: both directions at the last frame, where the backward one has seen that frame alone (C's
    released code), or each direction after its whole pass."""
    head_units: Count = 256
    dropout: BelowOne = 0.0

    least: ClassVar = {"embedding": (8, 8, 8), "lstm_units": 8, "lstm_layers": 2, "head_units": 8}

    def build(self, shape: tuple[int, ...], classes: int, tail: keras.Model | None = None) -> keras.Model:
        """Trainable part of Exp-II, or with `bidirectional` of Exp-III; `tail` maps shape to (D,)."""
        inputs = self.inputs(shape)
        mask = inputs["mask"]

        # ------------------------------------------------------------------ per-frame embedding
        x = embed(self.per_frame(inputs, tail), mask, self)

        # ------------------------------------------------------------------ time
        for number in range(1, self.lstm_layers + 1):
            x = _recurrent(x, mask, self, number, more=number < self.lstm_layers)

        # ------------------------------------------------------------------ head
        x = layers.Dense(self.head_units, activation="relu", name="head")(x)
        x = layers.Dropout(self.dropout, name="head_dropout")(x)
        logits = layers.Dense(classes, dtype="float32", name="logits")(x)
        return keras.Model(inputs, logits, name="vggface_lstm")


def embed(x: Any, mask: Any, config: Any) -> Any:
    """fc1 BN ReLU, fc2 BN ReLU, dropout, fc3 on (B, T, D); frames that `mask` (B, T) leaves out move no statistic."""
    *hidden, last = config.embedding
    for number, width in enumerate(hidden, start=1):
        x = layers.Dense(width, name=f"fc{number}")(x)
        x = layers.BatchNormalization(momentum=config.bn_momentum, epsilon=1e-5, name=f"fc{number}_bn")(x, mask=mask)
        x = layers.ReLU(name=f"fc{number}_relu")(x)
    x = layers.Dropout(config.dropout, name="fc_dropout")(x)
    return layers.Dense(last, name=f"fc{len(config.embedding)}")(x)


def _recurrent(x: Any, mask: Any, config: VggFaceLstm, number: int, *, more: bool) -> Any:
    """One (Bi-)LSTM layer; all steps when `more` layers follow, else what the head takes."""
    last_step = config.bidirectional and config.merge == "last_step"
    over = lstm(config.lstm_units, f"lstm{number}", return_sequences=more or last_step)
    if config.bidirectional:
        over = layers.Bidirectional(over, name=f"bilstm{number}")
    x = over(x, mask=mask)
    return own.LastStep(name="last_step")(x, mask) if last_step and not more else x


IMAGES = {"frames": None, "onset": 1}
"""Inputs of features, and their length in time."""


def end_to_end(trunk: keras.Model, head: keras.Model) -> keras.Model:
    """Frozen `trunk` (images -> features) folded over time, then `head`: images (B, T, S, S, 3) in, logits out.

    What else the head is given, such as mask (B, T) and blocks, stays as it is.
    """
    inputs = {t.name: keras.Input(t.shape[1:], dtype=t.dtype, name=t.name) for t in head.inputs}
    images = {name: keras.Input((time, *trunk.input_shape[1:]), name=name) for name, time in IMAGES.items()}
    trunk.trainable = False
    encode = own.FoldTime(trunk, name="frozen")
    logits = head(inputs | {name: encode(image) for name, image in images.items()})
    return keras.Model(inputs | images, logits, name=f"{head.name}_end_to_end")


def frames_shape(model: keras.Model) -> tuple[int | None, ...]:
    """Shape of the input `frames`; a reloaded model lists its inputs without their names as keys."""
    return next(tuple(tensor.shape) for tensor in model.inputs if tensor.name == "frames")
