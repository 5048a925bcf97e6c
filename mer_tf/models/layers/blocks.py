"""Layers of models that look at blocks of a map: all windows of all frames cut in one gather, and their neighbours."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable("mer_tf")
class BlockCrop(layers.Layer):
    """Square windows of the maps of clips, at places that hold for all frames of a clip.

    Args:
        window: side of a window, cells.

    Inputs: maps (B, T, H, W, C); centres (B, K, 2), x and y in cells, where cell i reaches from i to i + 1. A window is
    the `window` cells about the nearest border of cells (for an odd side: about the nearest middle of a cell). Output
    (B * T, window, window, K, C). Beyond its border a map is reflected about its outermost cells; a centre further out
    than a window is taken back to there. H and W must be known and at least 2.
    """

    def __init__(self, window: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.window = window

    def call(self, maps: Any, centres: Any) -> Any:
        height, width, channels = maps.shape[2:]
        clips, frames = ops.shape(maps)[0], ops.shape(maps)[1]
        columns = self._cells(centres[..., 0], width)[:, None, :, :]  # (B, 1, window, K)
        rows = self._cells(centres[..., 1], height)[:, :, None, :]  # (B, window, 1, K)
        frame = ops.reshape(ops.arange(clips * frames, dtype="int32"), (clips, frames, 1, 1, 1))
        places = frame * (height * width) + (rows * width + columns)[:, None]
        cells = ops.reshape(maps, (-1, channels))
        return ops.take(cells, ops.reshape(places, (-1, *places.shape[2:])), axis=0)

    def _cells(self, centre: Any, size: int) -> Any:
        """Cells (B, window, K) of a map's axis of `size` cells, for centres (B, K) along it."""
        half, window = self.window / 2, self.window
        first = ops.cast(ops.floor(ops.cast(centre, "float32") - half + 0.5), "int32")
        first = ops.clip(first, -window, size)
        index = ops.abs(first[:, None, :] + ops.reshape(ops.arange(window, dtype="int32"), (1, window, 1)))
        period = 2 * (size - 1)
        index = index % period
        return ops.minimum(index, period - index)

    def compute_output_spec(self, maps: Any, centres: Any) -> Any:
        shape = (None, self.window, self.window, centres.shape[1], maps.shape[-1])
        return keras.KerasTensor(shape, dtype=maps.dtype)


@keras.saving.register_keras_serializable("mer_tf")
class Neighbours(layers.Layer):
    """(N, h, w, K, C) -> (N, h, w, K, 9 C): each cell beside its 8 neighbours, zero beyond the window.

    A dense layer on them is a 3 x 3 convolution that can have other weights for each of K blocks; as a grouped
    convolution the same took 16 to 50 times as long on a CPU.
    """

    def call(self, windows: Any) -> Any:
        height, width = windows.shape[1:3]
        padded = ops.pad(windows, [[0, 0], [1, 1], [1, 1], [0, 0], [0, 0]])
        shifted = [padded[:, y : y + height, x : x + width] for y in range(3) for x in range(3)]
        return ops.concatenate(shifted, axis=-1)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        *lead, channels = input_shape
        return (*lead, 9 * (channels or 0))


@keras.saving.register_keras_serializable("mer_tf")
class UnfoldTime(layers.Layer):
    """Vectors of all frames (B * T, D) back to (B, T, D), as the mask (B, T) has it."""

    def call(self, steps: Any, mask: Any) -> Any:
        shape = ops.shape(mask)
        return ops.reshape(steps, (shape[0], shape[1], steps.shape[-1]))

    def compute_output_spec(self, steps: Any, mask: Any) -> Any:
        return keras.KerasTensor((*mask.shape[:2], steps.shape[-1]), dtype=steps.dtype)


@keras.saving.register_keras_serializable("mer_tf")
class WeightCost(layers.Layer):
    """Adds `cost` times the mean of weights (N, K, 1) over the frames that a mask (N, 1, 1) keeps to the loss."""

    def __init__(self, cost: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.cost = cost

    def call(self, weights: Any, mask: Any) -> Any:
        if self.cost:
            # Keras adds losses up in float32, and so are many weights added up here.
            shown = ops.cast(mask, "float32")
            mean = ops.sum(ops.cast(weights, "float32") * shown) / (ops.sum(shown) * weights.shape[1] + 1e-6)
            self.add_loss(self.cost * mean)
        return weights

    def compute_output_spec(self, weights: Any, mask: Any) -> Any:
        return keras.KerasTensor(weights.shape, dtype=weights.dtype)
