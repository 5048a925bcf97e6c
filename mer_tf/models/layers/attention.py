"""Layers of spatial and temporal attention: Song et al., AAAI 2017 (STA-LSTM), its joints replaced by cells of a map.

B clips, T frames, R regions (cells), C channels, H units. Scores begin at zero, so that every weight is the mean until
training moves it: what an untrained model attends to is even.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

from mer_tf.models.layers.shared import Unmasked

REGISTERED = keras.saving.register_keras_serializable("mer_tf")


@REGISTERED
class EachAs(Unmasked):
    """Every step of (B, T, ...) in another shape: (B, T, *shape)."""

    def __init__(self, shape: tuple[int, ...], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.shape = tuple(shape)

    def call(self, steps: Any) -> Any:
        return ops.reshape(steps, (-1, ops.shape(steps)[1], *self.shape))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (*input_shape[:2], *self.shape)


def _product(steps: Any, kernel: Any) -> Any:
    """(..., C) times (C, U), by a product of two matrices.

    Of other ranks ops.matmul has a gradient (TensorFlow's tensordot) that XLA refuses in a loop over time.
    """
    flat = ops.matmul(ops.reshape(steps, (-1, steps.shape[-1])), kernel)
    return ops.reshape(flat, (*ops.shape(steps)[:-1], kernel.shape[-1]))


@REGISTERED
class RegionWeights(Unmasked):
    """alpha = softmax over regions of U tanh(W_x x_r + W_h h + b): (..., R, C), (..., H) -> float32 (..., R).

    The offset of U falls out of the softmax and is left out.
    """

    def __init__(self, units: int, weight_l1: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units, self.weight_l1 = units, weight_l1

    def build(self, regions_shape: tuple[int | None, ...], state_shape: tuple[int | None, ...]) -> None:
        l1, units = keras.regularizers.L1(self.weight_l1), self.units
        self.of_region = self.add_weight(shape=(regions_shape[-1], units), regularizer=l1, name="of_region")
        self.of_state = self.add_weight(shape=(state_shape[-1], units), regularizer=l1, name="of_state")
        self.bias = self.add_weight(shape=(units,), initializer="zeros", name="bias")
        self.score = self.add_weight(shape=(units,), initializer="zeros", regularizer=l1, name="score")

    def call(self, regions: Any, state: Any) -> Any:
        hidden = _product(regions, self.of_region) + ops.expand_dims(_product(state, self.of_state) + self.bias, -2)
        scores = ops.sum(ops.tanh(hidden) * self.score, axis=-1)
        return ops.softmax(ops.cast(scores, "float32"), axis=-1)

    def compute_output_shape(
        self, regions_shape: tuple[int | None, ...], state_shape: tuple[int | None, ...]
    ) -> tuple[int | None, ...]:
        return regions_shape[:-1]


@REGISTERED
class WeighRegions(Unmasked):
    """Regions (..., R, C) under weights (..., R): their sum (..., C), or where not pooled R alpha x, (..., R C).

    Not pooled, weights are gates (Song et al.), and R makes even ones leave every region as it is.
    """

    def __init__(self, pool: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.pool = pool

    def call(self, regions: Any, alpha: Any) -> Any:
        alpha = ops.cast(alpha, regions.dtype)
        if self.pool:
            return ops.squeeze(ops.matmul(ops.expand_dims(alpha, -2), regions), axis=-2)
        count, channels = regions.shape[-2:]
        gated = regions * ops.expand_dims(alpha, -1) * count
        return ops.reshape(gated, (-1, *regions.shape[1:-2], count * channels))

    def compute_output_shape(
        self, regions_shape: tuple[int | None, ...], alpha_shape: tuple[int | None, ...]
    ) -> tuple[int | None, ...]:
        *lead, count, channels = regions_shape
        return (*lead, channels if self.pool else (count or 0) * (channels or 0))


@REGISTERED
class AttentiveLSTMCell(Unmasked):
    """An LSTM whose own last state chooses the regions it sees next (Sharma et al. 2016): (B, R, C) a step.

    Gives (B, H + R): the state and the weights of the regions.
    """

    def __init__(self, units: int, attention_units: int, pool: bool, weight_l1: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units
        l1 = keras.regularizers.L1(weight_l1)
        self.attend = RegionWeights(attention_units, weight_l1, name="attend")
        self.weigh = WeighRegions(pool, name="weigh")
        self.lstm = layers.LSTMCell(units, kernel_regularizer=l1, recurrent_regularizer=l1, name="lstm")
        self.state_size = [units, units]

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        state = (None, self.units)
        self.attend.build(input_shape, state)
        self.lstm.build(self.weigh.compute_output_shape(input_shape, input_shape[:-1]))
        self.output_size = self.units + int(input_shape[-2] or 0)
        self.built = True

    def call(self, inputs: Any, states: Any, training: bool | None = None) -> tuple[Any, Any]:
        alpha = self.attend(inputs, states[0])
        output, states = self.lstm(self.weigh(inputs, alpha), states, training=training)
        return ops.concatenate([output, ops.cast(alpha, output.dtype)], axis=-1), states

    def get_initial_state(self, batch_size: Any = None) -> list[Any]:
        return [ops.zeros((batch_size, self.units), dtype=self.compute_dtype) for _ in self.state_size]


@REGISTERED
class Previous(Unmasked):
    """What was one step ago: (B, T, H) -> (B, T, H), zeros first."""

    def call(self, steps: Any) -> Any:
        return ops.concatenate([ops.zeros_like(steps[:, :1]), steps[:, :-1]], axis=1)


@REGISTERED
class TimeWeights(Unmasked):
    """beta of each frame from w_x z_t + w_h h_(t-1) + b: (B, T, D), (B, T, H), kept (B, T) -> float32 (B, T).

    softmax: over the kept frames. relu: Song et al.'s, unbounded; it begins at 1 for every frame.
    """

    def __init__(self, kind: str = "softmax", weight_l1: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**{"dtype": "float32", **kwargs})
        self.kind, self.weight_l1 = kind, weight_l1

    def build(
        self,
        seen_shape: tuple[int | None, ...],
        state_shape: tuple[int | None, ...],
        kept_shape: tuple[int | None, ...],
    ) -> None:
        l1 = keras.regularizers.L1(self.weight_l1)
        options = {"initializer": "zeros", "regularizer": l1}
        self.of_seen = self.add_weight(shape=(seen_shape[-1],), name="of_seen", **options)
        self.of_state = self.add_weight(shape=(state_shape[-1],), name="of_state", **options)
        self.bias = self.add_weight(shape=(), initializer="ones" if self.kind == "relu" else "zeros", name="bias")

    def call(self, seen: Any, state: Any, kept: Any) -> Any:
        scores = ops.sum(seen * self.of_seen, axis=-1) + ops.sum(state * self.of_state, axis=-1) + self.bias
        share = ops.cast(kept, "float32")
        if self.kind == "relu":
            return ops.relu(scores) * share
        return ops.softmax(scores - 1e9 * (1.0 - share), axis=-1) * share


@REGISTERED
class FixedTimeWeights(Unmasked):
    """Weights of frames without attention: (B, T) -> float32 (B, T), all on the `last` kept one, or their `mean`."""

    def __init__(self, kind: str = "last", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kind = kind

    def call(self, kept: Any) -> Any:
        share = ops.cast(kept, "float32")
        if self.kind == "mean":
            return share / ops.maximum(ops.sum(share, axis=-1, keepdims=True), 1.0)
        later = ops.flip(ops.cumsum(ops.flip(share, axis=1), axis=1), axis=1)  # kept frames from here on
        return share * ops.cast(later == 1, "float32")


@REGISTERED
class WeighSteps(Unmasked):
    """(B, T, D) under weights (B, T): their sum, float32 (B, D)."""

    def call(self, steps: Any, beta: Any) -> Any:
        return ops.sum(ops.cast(steps, "float32") * ops.expand_dims(beta, -1), axis=1)


@REGISTERED
class FrameGate(Unmasked):
    """Learned key frames: those whose a = sigmoid(w mean_r x + b) is not below their mean (AKMNet, Peng et al. 2020).

    regions (B, T, R, C), kept (B, T) -> regions times a gate, 1 for key frames, and their mask. Backwards the gate is a
    itself (straight through), so that w learns.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"dtype": "float32", **kwargs})

    def build(self, regions_shape: tuple[int | None, ...], kept_shape: tuple[int | None, ...]) -> None:
        self.kernel = self.add_weight(shape=(regions_shape[-1],), initializer="zeros", name="kernel")
        self.bias = self.add_weight(shape=(), initializer="zeros", name="bias")

    def call(self, regions: Any, kept: Any) -> tuple[Any, Any]:
        share = ops.cast(kept, "float32")
        a = ops.sigmoid(ops.sum(ops.mean(regions, axis=2) * self.kernel, axis=-1) + self.bias)
        mean = ops.sum(a * share, axis=1, keepdims=True) / ops.maximum(ops.sum(share, axis=1, keepdims=True), 1.0)
        key = ops.logical_and(kept, a >= mean - 1e-6)  # equal ones are all kept, however their mean is rounded
        gate = ops.cast(key, "float32") + a - ops.stop_gradient(a)
        return regions * gate[:, :, None, None], key
