"""LSTM with spatial and temporal attention over key frames, after Xu & Xu, ICMLC 2022 (doi 10.1145/3529836.3529898).

    frames (B, T, h, w, C) [- onset] --> BN --> regions x (B, T, R, C)
    alpha_t = softmax_r(U tanh(W_x x_tr + W_h h_(t-1) + b))       where to look
    h_t = LSTM(sum_r alpha_tr x_tr)
    beta_t = softmax_t or ReLU (w_x z_t + w_h h_(t-1) + b)        when
    o = sum_t beta_t (W_o h_t + b_o)                              (B, classes)

Only the abstract of the paper could be read: key frames, VGG-Face features, an LSTM with spatial and temporal
attention, softmax. The equations are those of STA-LSTM (Song et al., AAAI 2017), cells of a map for its joints; every
size is our reading. The batch normalisation is ours as well: VGG's maps are too large for an LSTM as they are.

Weights and their pooled sum know what a cell shows, not where it lies: equal changes in two places are the same to it,
unless `attention.pool` is False.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from mer_tf.config import Experiment, MerError
from mer_tf.model import Shows
from mer_tf.models.inputs import lstm
from mer_tf.models.kinds import FeatureModel
from mer_tf.models.later import keras, layers, ops, own
from mer_tf.models.stages import Stage
from mer_tf.ranges import Amount, BelowOne, Count

ALPHA, BETA, KEY_FRAMES = "alpha", "beta", "key_frames"
"""Names of the layers that give what a model attends to."""


@dataclass(frozen=True)
class Attention:
    """Where and when an LSTM looks (B). Sizes and strengths are our reading: B's abstract prints none."""

    use: Literal["plain", "spatial", "temporal", "both"] = "both"
    """Which attention there is; without spatial attention regions count alike."""
    state: Literal["main", "own"] = "main"
    """What attention knows of the frames before: the main LSTM's last state (Sharma et al. 2016), or that of a small
    LSTM of its own (Song et al. 2017)."""
    pool: bool = True
    """Sum the weighed regions to one vector; False: weights are gates and all regions are kept (Song et al.)."""
    temporal: Literal["softmax", "relu"] = "softmax"
    """Weights of frames: bounded, or Song et al.'s."""
    without_temporal: Literal["last", "mean"] = "last"
    """What is taken of all frames without temporal attention."""
    learned_keyframes: bool = False
    """Keep the frames whose learned weight is not below the mean (AKMNet); leave clip.keyframes at none."""
    units: Count = 64
    """Width of the scores' hidden layer, and of attention's own LSTMs."""
    spread: Amount = 1e-3
    """Strength of the penalty on regions that are left out throughout (Song et al., lambda 1)."""
    length: Amount = 1e-4
    """Strength of the penalty on frames' weights (lambda 2); without effect on softmax."""
    weight_l1: Amount = 0.0
    """Strength of the sum of absolute weights (lambda 3)."""
    staged: bool = False
    """Train the temporal, then the spatial attention, then all together."""


@dataclass(frozen=True)
class AttentionLstm(FeatureModel):
    """LSTM with spatial and temporal attention over key frames (B)."""

    name: Literal["attention_lstm"] = "attention_lstm"
    bn_momentum: BelowOne = 0.99
    """Of the batch normalisation of features. It needs thousands of steps: short runs take 0.9."""
    lstm_units: Count = 512
    lstm_layers: Count = 3
    dropout: BelowOne = 0.0
    attention: Attention = field(default_factory=Attention)

    shows: ClassVar[Shows] = "attention"
    least: ClassVar = {"lstm_units": 8, "lstm_layers": 1}

    def check(self, experiment: Experiment, of_images: bool) -> Iterator[str]:
        yield from super().check(experiment, of_images)
        if self.attention.pool and self.features_at is None:
            yield (
                "model.attention.pool: an embedding has no regions to pool; give model.features_at, such as pool5, or "
                "set model.attention.pool to False"
            )

    def build(self, shape: tuple[int, ...], classes: int, tail: keras.Model | None = None) -> keras.Model:
        """shape: a map (h, w, C), or a vector (D,) whose D numbers are then the regions, gated one by one.

        A vector asks for `attention.pool` False. `tail` is used where `retrain_from` says so.
        """
        inputs = self.inputs(shape)
        mask = kept = inputs["mask"]

        # ------------------------------------------------------------------ regions of each frame
        x = _regions(self.per_frame(inputs, tail if self.retrain_from else None), mask, self)
        if self.attention.learned_keyframes:
            x, kept = own.FrameGate(name=KEY_FRAMES)(x, mask)

        # ------------------------------------------------------------------ where to look, and the LSTM
        seen, x = (_attentive if self.attention.use in ("spatial", "both") else _plain)(x, kept, self)
        for number in range(2, self.lstm_layers + 1):
            x = _lstm(self.lstm_units, self.attention, f"lstm{number}")(x, mask=kept)

        # ------------------------------------------------------------------ when
        beta = _time_weights(seen, x, kept, self.attention)
        x = layers.Dropout(self.dropout, name="dropout")(x)
        l1 = keras.regularizers.L1(self.attention.weight_l1)
        steps = layers.Dense(classes, dtype="float32", kernel_regularizer=l1, name="logits_of_steps")(x)
        logits = own.WeighSteps(dtype="float32", name="logits")(steps, beta)
        return keras.Model(inputs, logits, name="attention_lstm")

    @property
    def first_stages(self) -> int:
        """Two, where both kinds of attention are trained one after the other."""
        return 2 if self.attention.staged and self.attention.use == "both" else 0

    def stages(self, model: keras.Model) -> list[Stage]:
        """One stage, or with `attention.staged` the three of Song et al.'s joint strategy.

        The LSTM with temporal attention, the spatial weights held even; then spatial attention, the temporal one held;
        then all together.
        """
        if not self.first_stages:
            return [Stage("", model)]
        where, when = _layers_of_attention(model)
        parts = [keras.Model(model.inputs, model.output, name=name) for name in ("temporal", "spatial")]
        return [
            Stage("temporal", parts[0], last=False, frozen=where),
            Stage("spatial", parts[1], last=False, frozen=when),
            Stage("joint", model),
        ]


def attention_maps(model: keras.Model) -> keras.Model | None:
    """Inputs -> a dict of alpha (B, T, R), beta (B, T) and key_frames (B, T), those the model has; None without any."""
    names = {layer.name for layer in model.layers}
    found = {
        name: keras.tree.flatten(model.get_layer(name).output) for name in (ALPHA, BETA, KEY_FRAMES) if name in names
    }
    outputs = {name: tensors[1 if name == KEY_FRAMES else 0] for name, tensors in found.items()}
    return keras.Model(model.inputs, outputs, name="attention_maps") if outputs else None


def _regions(x: Any, mask: Any, config: AttentionLstm) -> Any:
    """(B, T, R, C): cells of maps (B, T, ..., C), normalised."""
    *cells, channels = x.shape[2:]
    for side in cells:
        mask = ops.repeat(ops.expand_dims(mask, -1), side, axis=-1)
    if not cells and config.attention.pool:
        raise MerError(
            "model.attention.pool: the encoder gives a vector, which has no regions to pool; give model.features_at, "
            "such as pool5, or set attention.pool to False"
        )
    x = layers.BatchNormalization(momentum=config.bn_momentum, name="features_bn")(x, mask=mask)
    return own.EachAs((math.prod(cells), channels) if cells else (channels, 1), name="regions")(x)


def _attentive(x: Any, mask: Any, config: AttentionLstm) -> tuple[Any, Any]:
    """What is seen of each frame (B, T, D) and the first LSTM's steps (B, T, units), by spatial attention."""
    how = config.attention
    spread = own.SpreadPenalty(how.spread, name=ALPHA)
    if how.state == "main":
        cell = own.AttentiveLSTMCell(config.lstm_units, how.units, how.pool, how.weight_l1, name="cell")
        # Otherwise the JAX backend puts the last state where a step is masked, and here outputs are wider than states.
        run = layers.RNN(cell, return_sequences=True, zero_output_for_mask=True, name="lstm1")
        both = run(x, mask=mask)
        steps, alpha = ops.split(both, [config.lstm_units], axis=-1)
        alpha, steps = spread(alpha, steps, mask)
        return own.WeighRegions(how.pool, name="seen")(x, alpha), steps
    state = own.Previous(name="where_before")(_lstm(how.units, how, "where_state")(ops.mean(x, axis=2), mask=mask))
    alpha, x = spread(own.RegionWeights(how.units, how.weight_l1, name="where")(x, state), x, mask)
    seen = own.WeighRegions(how.pool, name="seen")(x, alpha)
    return seen, _lstm(config.lstm_units, how, "lstm1")(seen, mask=mask)


def _plain(x: Any, mask: Any, config: AttentionLstm) -> tuple[Any, Any]:
    """The same without: every region counts alike."""
    how = config.attention
    seen = ops.mean(x, axis=2) if how.pool else own.EachAs((math.prod(x.shape[2:]),), name="seen")(x)
    return seen, _lstm(config.lstm_units, how, "lstm1")(seen, mask=mask)


def _time_weights(seen: Any, steps: Any, mask: Any, how: Attention) -> Any:
    if how.use not in ("temporal", "both"):
        return own.FixedTimeWeights(how.without_temporal, dtype="float32", name="fixed_beta")(mask)
    state = _lstm(how.units, how, "when_state")(seen, mask=mask) if how.state == "own" else steps
    before = own.Previous(name="when_before")(state)
    beta = own.TimeWeights(how.temporal, how.weight_l1, name="when")(seen, before, mask)
    return own.LengthPenalty(how.length, name=BETA)(beta, mask)


def _lstm(units: int, how: Attention, name: str) -> layers.LSTM:
    l1 = keras.regularizers.L1(how.weight_l1)
    return lstm(units, name, return_sequences=True, kernel_regularizer=l1, recurrent_regularizer=l1)


def _layers_of_attention(model: keras.Model) -> tuple[tuple[keras.Layer, ...], tuple[keras.Layer, ...]]:
    found = {layer.name: layer for layer in model.layers}
    if "where" in found:
        return (found["where_state"], found["where"]), (found["when_state"], found["when"])
    return (found["lstm1"].cell.attend,), (found["when"],)
