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
from typing import Any

import keras
from keras import layers, ops

from mer_tf.config import Attention, MerError, Model
from mer_tf.models.attention_layers import (
    AttentiveLSTMCell,
    EachAs,
    FixedTimeWeights,
    FrameGate,
    Previous,
    RegionWeights,
    TimeWeights,
    WeighRegions,
    WeighSteps,
)
from mer_tf.models.attention_penalties import LengthPenalty, SpreadPenalty
from mer_tf.models.layers import FoldTime
from mer_tf.models.stages import Stage
from mer_tf.models.vggface_lstm import OnsetDifference

ALPHA, BETA, KEY_FRAMES = "alpha", "beta", "key_frames"
"""Names of the layers that give what a model attends to."""


def build(config: Model, feature_shape: tuple[int, ...], classes: int, tail: keras.Model | None = None) -> keras.Model:
    """Trainable part of the network.

    Inputs (dict): frames float32 (B, T, *feature_shape), onset float32 (B, 1, *feature_shape), mask bool (B, T), False
    where a short clip was padded. Output: float32 logits (B, classes). feature_shape: a map (h, w, C), or a vector (D,)
    whose D numbers are then the regions, gated one by one (`attention.pool` must be False). `tail` is used where
    `config.retrain_from` says so.
    """
    frames = keras.Input((None, *feature_shape), name="frames")
    onset = keras.Input((1, *feature_shape), name="onset")
    mask = keras.Input((None,), dtype="bool", name="mask")
    inputs = {"frames": frames, "onset": onset, "mask": mask}

    # ------------------------------------------------------------------ regions of each frame
    x = _regions(inputs, config, tail)
    kept = mask
    if config.attention.learned_keyframes:
        x, kept = FrameGate(name=KEY_FRAMES)(x, mask)

    # ------------------------------------------------------------------ where to look, and the LSTM
    seen, x = _attentive(x, kept, config) if config.attention.spatial_used else _plain(x, kept, config)
    for number in range(2, config.lstm_layers + 1):
        x = _lstm(config.lstm_units, config.attention, f"lstm{number}")(x, mask=kept)

    # ------------------------------------------------------------------ when
    beta = _time_weights(seen, x, kept, config.attention)
    x = layers.Dropout(config.dropout, name="dropout")(x)
    l1 = keras.regularizers.L1(config.attention.weight_l1)
    steps = layers.Dense(classes, dtype="float32", kernel_regularizer=l1, name="logits_of_steps")(x)
    logits = WeighSteps(dtype="float32", name="logits")(steps, beta)
    return keras.Model(inputs, logits, name="attention_lstm")


def stages(model: keras.Model, config: Model) -> list[Stage]:
    """One stage, or with `attention.staged` the three of Song et al.'s joint strategy.

    The LSTM with temporal attention, the spatial weights held even; then spatial attention, the temporal one held; then
    all together.
    """
    if not first_stages(config):
        return [Stage("", model)]
    where, when = _layers_of_attention(model)
    parts = [keras.Model(model.inputs, model.output, name=name) for name in ("temporal", "spatial")]
    return [
        Stage("temporal", parts[0], last=False, frozen=where),
        Stage("spatial", parts[1], last=False, frozen=when),
        Stage("joint", model),
    ]


def first_stages(config: Model) -> int:
    """Two, where both kinds of attention are trained one after the other."""
    return 2 if config.attention.staged and config.attention.use == "both" else 0


def attention_maps(model: keras.Model) -> keras.Model | None:
    """Inputs -> a dict of alpha (B, T, R), beta (B, T) and key_frames (B, T), those the model has; None without any."""
    names = {layer.name for layer in model.layers}
    found = {
        name: keras.tree.flatten(model.get_layer(name).output) for name in (ALPHA, BETA, KEY_FRAMES) if name in names
    }
    outputs = {name: tensors[1 if name == KEY_FRAMES else 0] for name, tensors in found.items()}
    return keras.Model(model.inputs, outputs, name="attention_maps") if outputs else None


def _regions(inputs: dict[str, Any], config: Model, tail: keras.Model | None) -> Any:
    """(B, T, R, C): cells of the map, less the onset's where that is asked for, normalised."""
    per_frame: Any = FoldTime(tail, name="retrained") if tail is not None and config.retrain_from else (lambda x: x)
    x, mask = per_frame(inputs["frames"]), inputs["mask"]
    if config.center == "onset":
        x = OnsetDifference(name="minus_onset")(x, per_frame(inputs["onset"]))
    *cells, channels = x.shape[2:]
    for side in cells:
        mask = ops.repeat(ops.expand_dims(mask, -1), side, axis=-1)
    if not cells and config.attention.pool:
        raise MerError(
            "model.attention.pool: the encoder gives a vector, which has no regions to pool; give model.features_at, "
            "such as pool5, or set attention.pool to False"
        )
    x = layers.BatchNormalization(momentum=config.bn_momentum, name="features_bn")(x, mask=mask)
    return EachAs((math.prod(cells), channels) if cells else (channels, 1), name="regions")(x)


def _attentive(x: Any, mask: Any, config: Model) -> tuple[Any, Any]:
    """What is seen of each frame (B, T, D) and the first LSTM's steps (B, T, units), by spatial attention."""
    how = config.attention
    spread = SpreadPenalty(how.spread, name=ALPHA)
    if how.state == "main":
        cell = AttentiveLSTMCell(config.lstm_units, how.units, how.pool, how.weight_l1, name="cell")
        # Otherwise the JAX backend puts the last state where a step is masked, and here outputs are wider than states.
        run = layers.RNN(cell, return_sequences=True, zero_output_for_mask=True, name="lstm1")
        both = run(x, mask=mask)
        steps, alpha = ops.split(both, [config.lstm_units], axis=-1)
        alpha, steps = spread(alpha, steps, mask)
        return WeighRegions(how.pool, name="seen")(x, alpha), steps
    state = Previous(name="where_before")(_lstm(how.units, how, "where_state")(ops.mean(x, axis=2), mask=mask))
    alpha, x = spread(RegionWeights(how.units, how.weight_l1, name="where")(x, state), x, mask)
    seen = WeighRegions(how.pool, name="seen")(x, alpha)
    return seen, _lstm(config.lstm_units, how, "lstm1")(seen, mask=mask)


def _plain(x: Any, mask: Any, config: Model) -> tuple[Any, Any]:
    """The same without: every region counts alike."""
    how = config.attention
    seen = ops.mean(x, axis=2) if how.pool else EachAs((math.prod(x.shape[2:]),), name="seen")(x)
    return seen, _lstm(config.lstm_units, how, "lstm1")(seen, mask=mask)


def _time_weights(seen: Any, steps: Any, mask: Any, how: Attention) -> Any:
    if not how.temporal_used:
        return FixedTimeWeights(how.without_temporal, dtype="float32", name="fixed_beta")(mask)
    own = _lstm(how.units, how, "when_state")(seen, mask=mask) if how.state == "own" else steps
    beta = TimeWeights(how.temporal, how.weight_l1, name="when")(seen, Previous(name="when_before")(own), mask)
    return LengthPenalty(how.length, name=BETA)(beta, mask)


def _lstm(units: int, how: Attention, name: str) -> layers.LSTM:
    l1 = keras.regularizers.L1(how.weight_l1)
    # cuDNN's LSTM switches XLA off for the whole step.
    options: dict[str, Any] = {"kernel_regularizer": l1, "recurrent_regularizer": l1, "use_cudnn": False}
    return layers.LSTM(units, return_sequences=True, name=name, **options)


def _layers_of_attention(model: keras.Model) -> tuple[tuple[keras.Layer, ...], tuple[keras.Layer, ...]]:
    """Layers of spatial and of temporal attention alone."""
    found = {layer.name: layer for layer in model.layers}
    if "where" in found:
        return (found["where_state"], found["where"]), (found["when_state"], found["when"])
    return (found["lstm1"].cell.attend,), (found["when"],)
