"""From a layer's cells to pixels: each cell lies where the centre of its receptive field is.

Stretching a map over the image, as is usual, misplaces it: the 7 x 7 map of the VGGFace2 ResNet-50 has its centres at
3, 35, ... 195 of 224 pixels and would be drawn at 15.5, 47.5, ... 207.5; the 3 x 3 map of MTCNN's ONet has them at 16,
24, 32 of 48 pixels and would be drawn at 7.5, 23.5, 39.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from mer_tf.config import MerError
from mer_tf.models.layers.shared import Resize

_WINDOWED = (
    layers.Conv2D,
    layers.DepthwiseConv2D,
    layers.SeparableConv2D,
    layers.MaxPooling2D,
    layers.AveragePooling2D,
)


@dataclass(frozen=True)
class Axis:
    """Where cells lie along one axis: cell i at pixel centre start + i * step, of `pixels` pixels."""

    start: float
    step: float
    pixels: int

    def weights(self, cells: int, size: int) -> NDArray[np.float32]:
        """(size, cells): linear interpolation from cells to `size` pixel centres over the same extent.

        Beyond the outermost centres their value goes on, so that an even map stays even: were it to fade, coarse layers
        would seem to prefer the middle of the face.
        """
        pixels = (np.arange(size) + 0.5) * self.pixels / size - 0.5
        place = np.clip((pixels - self.start) / self.step, 0, cells - 1)
        return np.maximum(0.0, 1.0 - np.abs(place[:, None] - np.arange(cells))).astype(np.float32)


Grid = tuple[Axis, Axis]
"""Rows, columns."""


def upsample(maps: NDArray[np.float32], size: int, grid: Grid) -> NDArray[np.float32]:
    """Maps (..., h, w) to (..., size, size), bilinear; `grid` as `cell_grid` gives it."""
    (rows, columns), (vertical, horizontal) = maps.shape[-2:], grid
    return np.asarray(vertical.weights(rows, size) @ maps @ horizontal.weights(columns, size).T, np.float32)


def cell_grid(encoder: keras.Model, layer: str) -> Grid:
    """Where the cells of a layer lie in the images (B, H, W, C) that a flat encoder takes, in its pixels.

    Follows kernel, stride and padding from the input on; where branches meet, their centres agree or the first one
    counts. A layer that turns the map, or changes its size in a way not known here, is a `MerError`.
    """
    makers = {id(output): one for one in encoder.operations for output in keras.tree.flatten(one.output)}
    path, tensor = [], encoder.get_layer(layer).output
    while id(tensor) in makers and not isinstance(makers[id(tensor)], layers.InputLayer):
        path.append(makers[id(tensor)])
        tensor = keras.tree.flatten(path[-1].input)[0]
    rows, columns = (Axis(0.0, 1.0, int(tensor.shape[axis])) for axis in (1, 2))
    for one in reversed(path):
        rows, columns = _through(one, rows, 0), _through(one, columns, 1)
    return rows, columns


def _through(layer: Any, axis: Axis, which: int) -> Axis:
    """Where the cells of a layer's output lie, given where those of its input do."""
    before = keras.tree.flatten(layer.input)[0].shape[1 + which]
    after = layer.output.shape[1 + which]
    if isinstance(layer, Resize):
        scale = before / after
        return Axis(axis.start + axis.step * (scale - 1) / 2, axis.step * scale, axis.pixels)
    if isinstance(layer, layers.ZeroPadding2D):
        return Axis(axis.start - axis.step * layer.padding[which][0], axis.step, axis.pixels)
    if isinstance(layer, _WINDOWED):
        return _window(layer, axis, which, before, after)
    if before != after or isinstance(layer, layers.Permute | layers.Reshape):
        raise MerError(f"layer {layer.name!r} ({type(layer).__name__}) takes {before} cells to {after}: unknown how")
    return axis


def _window(layer: Any, axis: Axis, which: int, before: int, after: int) -> Axis:
    """The centre of the first window, shifted by half its width less what the padding puts before the first cell."""
    kernel = getattr(layer, "kernel_size", None) or layer.pool_size
    dilation = getattr(layer, "dilation_rate", (1, 1))[which]
    width, stride = (kernel[which] - 1) * dilation + 1, layer.strides[which]
    padding = max((after - 1) * stride + width - before, 0) // 2 if layer.padding == "same" else 0
    return Axis(axis.start + axis.step * ((width - 1) / 2 - padding), axis.step * stride, axis.pixels)
