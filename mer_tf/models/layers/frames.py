"""Layers of single baselines on frames: random turns, the pixels that move most, what is asked of expression states."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
from keras import ops

from mer_tf.models.layers.shared import bilinear

REGISTERED = keras.saving.register_keras_serializable("mer_tf")


@REGISTERED
class RandomTurn(keras.layers.Layer):
    """Images (N, H, W, C), each turned about its middle by up to `degrees` either way, in training alone.

    Bilinear; what lies beyond the border is the border. In plain operations, since TensorFlow's own turn has no XLA
    kernel.
    """

    def __init__(self, degrees: float, **kwargs: Any) -> None:
        super().__init__(**{"dtype": "float32", **kwargs})
        self.degrees = degrees
        self.seeds = keras.random.SeedGenerator()

    def call(self, images: Any, training: bool | None = None) -> Any:
        if not training:
            return images
        count, (height, width, channels) = ops.shape(images)[0], images.shape[1:]
        limit = math.radians(self.degrees)
        angle = keras.random.uniform((count, 1, 1), -limit, limit, seed=self.seeds)
        y = ops.convert_to_tensor(np.arange(height, dtype="float32")[None, :, None] - (height - 1) / 2)
        x = ops.convert_to_tensor(np.arange(width, dtype="float32")[None, None, :] - (width - 1) / 2)
        rows = ops.clip(y * ops.cos(angle) - x * ops.sin(angle) + (height - 1) / 2, 0, height - 1)
        columns = ops.clip(y * ops.sin(angle) + x * ops.cos(angle) + (width - 1) / 2, 0, width - 1)
        flat = ops.reshape(images, (-1, height * width, channels))
        top, left = ops.floor(rows), ops.floor(columns)
        down, right = rows - top, columns - left
        total: Any = 0.0
        for r, row_share in ((top, 1 - down), (ops.minimum(top + 1, height - 1), down)):
            for c, column_share in ((left, 1 - right), (ops.minimum(left + 1, width - 1), right)):
                places = ops.reshape(ops.cast(r * width + c, "int32"), (-1, height * width, 1))
                shares = ops.reshape(row_share * column_share, (-1, height * width, 1))
                total = total + shares * ops.take_along_axis(flat, places, axis=1)
        return ops.reshape(total, (-1, height, width, channels))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape


@REGISTERED
class MovingPixels(keras.layers.Layer):
    """RGB windows 0..255 (B, T, H, W, 3) as matrices (B, P, T, 1): grey levels -1 .. 1 of the pixels that move most.

    Frames are made `height` by `width`; a pixel moves as much as its grey level differs, in the mean, from that `gap`
    frames later, and of this the opening by 3 x 3 is taken, which leaves no single pixel. The `share` that moves most
    is kept, in the order of the image.
    """

    def __init__(self, height: int, width: int, share: float, gap: int, **kwargs: Any) -> None:
        super().__init__(**{"dtype": "float32", **kwargs})
        self.height, self.width, self.share, self.gap = height, width, share, gap

    def build(self, input_shape: tuple[int, ...]) -> None:
        self._rows, self._columns = bilinear(input_shape[2], self.height), bilinear(input_shape[3], self.width)
        self.built = True

    def call(self, frames: Any) -> Any:
        time, rows, columns = frames.shape[1], self.height, self.width
        grey = ops.mean(ops.cast(frames, "float32"), axis=-1) / 127.5 - 1
        grey = ops.einsum("oh,bthw->btow", ops.convert_to_tensor(self._rows), grey)
        grey = ops.einsum("pw,btow->btop", ops.convert_to_tensor(self._columns), grey)
        grey = ops.reshape(grey, (-1, time, rows * columns))
        gap = min(self.gap, time - 1)
        energy = ops.reshape(ops.mean(ops.abs(grey[:, gap:] - grey[:, : time - gap]), axis=1), (-1, rows, columns, 1))
        energy = ops.reshape(_greatest(-_greatest(-energy)), (-1, rows * columns))
        places = ops.sort(ops.top_k(energy, self.kept, sorted=False)[1], axis=-1)
        chosen = ops.take_along_axis(ops.transpose(grey, (0, 2, 1)), ops.expand_dims(places, -1), axis=1)
        return ops.expand_dims(chosen, -1)

    @property
    def kept(self) -> int:
        """How many pixels are kept, P."""
        return round(self.share * self.height * self.width)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (input_shape[0], self.kept, input_shape[1], 1)


def _greatest(x: Any) -> Any:
    return ops.max_pool(x, 3, strides=1, padding="same")


@REGISTERED
class ExpressionStates(keras.layers.Layer):
    """Hands on features (B, T, D) of T expression states and adds `strength` times what is asked of them.

    That is the cross-entropy of a classifier of states, the mean square distance of features from the mean of their
    state in the batch, and that of features of neighbouring states; distances are those of unit vectors.
    """

    def __init__(self, strength: float, **kwargs: Any) -> None:
        super().__init__(**{"dtype": "float32", **kwargs})
        self.strength = strength

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.told = self.add_weight(shape=(input_shape[-1], input_shape[1]), initializer="glorot_uniform", name="told")

    def call(self, features: Any) -> Any:
        states = features.shape[1]
        unit = features / (ops.sqrt(ops.sum(ops.square(features), axis=-1, keepdims=True) + 1e-6))
        logits = ops.einsum("btd,ds->bts", features, self.told)
        told = -ops.mean(ops.einsum("btt->bt", ops.log_softmax(logits, axis=-1)))
        apart = ops.mean(ops.sum(ops.square(unit - ops.mean(unit, axis=0, keepdims=True)), axis=-1))
        next_to = ops.mean(ops.sum(ops.square(unit[:, 1:] - unit[:, : states - 1]), axis=-1))
        self.add_loss(self.strength * (told + apart + next_to))
        return features

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape
