"""TV-L1 optical flow of many pairs of frames at once, compiled: what scikit-image solves pair by pair.

The same scheme, parameters and pyramid, but for the early end when little changes, so that the flows agree to .001 px.
On two cores it takes a sixth of scikit-image's time, see benchmarks/RESULTS.md; a GPU gains from many pairs more.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from mer_tf.preprocessing.flow import Start

ATTACHMENT, TIGHTNESS, TIME_STEP = 5.0, 0.3, 0.25
WARPS, ITERATIONS, DUAL_STEPS = 5, 10, 2
SMALLEST = 16
"""Pixels; a level of the pyramid of at most twice that is the last."""
PAIRS = 32
"""Solved at once; XLA compiles one program for each size of frame."""
SIGMA = 2 / 3
"""Of the Gaussian before an image is halved, pixels: scikit-image's 2 * 2 / 6."""


def tvl1_clip(frames: NDArray[np.uint8], start: Start = "previous") -> NDArray[np.float16]:
    """Flow of frames uint8 (T, S, S, 3) RGB: float16 (T - 1, S, S, 2), (dx, dy) in pixels; see `flow_clip`."""
    greys = np.stack([cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames])
    first = greys[:-1] if start == "previous" else np.repeat(greys[:1], len(greys) - 1, axis=0)
    return tvl1_pairs(first, greys[1:]).astype(np.float16)


def tvl1_pairs(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Flow from `first` to `second`, both grey uint8 (N, H, W): float32 (N, H, W, 2), (dx right, dy down) in pixels.

    Zach et al., DAGM 2007, in the form of Sanchez et al., IPOL 2013, without their texture decomposition.
    """
    program, flows = _program(*first.shape[1:]), []
    for at in range(0, len(first), PAIRS):
        pair = [x[at : at + PAIRS] for x in (first, second)]
        spare = PAIRS - len(pair[0])
        padded = [np.pad(x, [(0, spare), (0, 0), (0, 0)], mode="edge") for x in pair]
        flows.append(np.asarray(program.predict_on_batch(padded))[: PAIRS - spare])
    return np.concatenate(flows)


@lru_cache(maxsize=4)
def _program(height: int, width: int) -> keras.Model:
    inputs = [keras.Input(batch_shape=(PAIRS, height, width), dtype="uint8") for _ in range(2)]
    program = keras.Model(inputs, _CoarseToFine()(*inputs))
    program.compile(jit_compile=True)
    return program


class _CoarseToFine(keras.layers.Layer):
    def call(self, first: keras.KerasTensor, second: keras.KerasTensor) -> keras.KerasTensor:
        levels = [tuple(ops.cast(image, "float32") / 255 for image in (first, second))]
        while min(levels[-1][0].shape[1:]) > 2 * SMALLEST:
            levels.append(tuple(_halved(image) for image in levels[-1]))
        flow = ops.zeros_like(ops.stack([levels[-1][0]] * 2, axis=-1))
        for number, (before, after) in enumerate(reversed(levels)):
            flow = _solve(before, after, _enlarged(flow, *before.shape[1:]) if number else flow)
        return flow


def _halved(image: keras.KerasTensor) -> keras.KerasTensor:
    offsets = np.arange(-3, 4)
    taps = np.exp(-0.5 * (offsets / SIGMA) ** 2)
    kernel = np.outer(taps, taps) / taps.sum() ** 2
    padded = ops.pad(image[..., None], [[0, 0], [3, 3], [3, 3], [0, 0]], mode="symmetric")
    smooth = ops.conv(padded, ops.convert_to_tensor(kernel[..., None, None], "float32"), padding="valid")
    height, width = image.shape[1:]
    return ops.image.resize(smooth, (-(-height // 2), -(-width // 2)), interpolation="bilinear")[..., 0]


def _enlarged(flow: keras.KerasTensor, height: int, width: int) -> keras.KerasTensor:
    """The flow of the level above, nearest pixel, corner on corner, in pixels of this level."""
    small_height, small_width = flow.shape[1:3]
    rows, columns = _nearest(small_height, height), _nearest(small_width, width)
    scale = np.array([width / small_width, height / small_height], "float32")
    return ops.take(ops.take(flow, rows, axis=1), columns, axis=2) * scale


def _nearest(small: int, large: int) -> NDArray[np.int32]:
    return np.floor(np.arange(large) * (small - 1) / (large - 1) + 0.5).astype(np.int32)


def _solve(before: keras.KerasTensor, after: keras.KerasTensor, flow: keras.KerasTensor) -> keras.KerasTensor:
    """One level: `after` is carried back by the flow WARPS times, and the flow bettered ITERATIONS times each."""

    def warp_round(_: int, state: tuple[keras.KerasTensor, ...]) -> tuple[keras.KerasTensor, ...]:
        warped = _carried(after, state[0])
        slope = _slope(warped)
        steepness = ops.sum(slope * slope, axis=-1)
        steepness = ops.where(steepness == 0, 1.0, steepness)
        rest = warped - before - ops.sum(slope * state[0], axis=-1)
        return ops.fori_loop(0, ITERATIONS, lambda _, s: _iteration(s[0], s[1], slope, steepness, rest), state)

    return ops.fori_loop(0, WARPS, warp_round, (flow, ops.zeros_like(ops.stack([flow, flow], axis=-1))))[0]


def _iteration(
    flow: keras.KerasTensor,
    dual: keras.KerasTensor,
    slope: keras.KerasTensor,
    steepness: keras.KerasTensor,
    rest: keras.KerasTensor,
) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """The data term by thresholding, then Chambolle's projection; `dual` is (N, H, W, component of flow, axis)."""
    limit = ATTACHMENT * TIGHTNESS
    move = ops.clip((rest + ops.sum(slope * flow, axis=-1)) / steepness, -limit, limit)
    fitted = flow = flow - move[..., None] * slope
    for _ in range(DUAL_STEPS):
        rise = _forward(flow)
        norm = ops.sqrt(ops.sum(rise * rise, axis=-1, keepdims=True))
        dual = (dual - TIME_STEP * rise) / (1 + norm * TIME_STEP / TIGHTNESS)
        flow = fitted - _divergence(dual)
    return flow, dual


def _forward(flow: keras.KerasTensor) -> keras.KerasTensor:
    right = ops.pad(flow[:, :, 1:] - flow[:, :, :-1], [[0, 0], [0, 0], [0, 1], [0, 0]])
    down = ops.pad(flow[:, 1:] - flow[:, :-1], [[0, 0], [0, 1], [0, 0], [0, 0]])
    return ops.stack([right, down], axis=-1)


def _divergence(dual: keras.KerasTensor) -> keras.KerasTensor:
    right, down = dual[..., 0], dual[..., 1]
    before_right = ops.pad(right[:, :, :-1], [[0, 0], [0, 0], [1, 0], [0, 0]])
    return right - before_right + down - ops.pad(down[:, :-1], [[0, 0], [1, 0], [0, 0], [0, 0]])


def _slope(image: keras.KerasTensor) -> keras.KerasTensor:
    """Central differences, one-sided at the border: (N, H, W, 2), along x and along y."""
    height, width = image.shape[1:]
    padded = ops.pad(image, [[0, 0], [1, 1], [1, 1]], mode="symmetric")
    right = (padded[:, 1:-1, 2:] - padded[:, 1:-1, :-2]) * _halves(width)
    down = (padded[:, 2:, 1:-1] - padded[:, :-2, 1:-1]) * _halves(height)[:, None]
    return ops.stack([right, down], axis=-1)


def _halves(length: int) -> NDArray[np.float32]:
    weights = np.full(length, 0.5, np.float32)
    weights[[0, -1]] = 1
    return weights


def _carried(image: keras.KerasTensor, flow: keras.KerasTensor) -> keras.KerasTensor:
    """`image` at every pixel's place plus its flow, bilinear, the border's value beyond the border."""
    height, width = image.shape[1:]
    x = ops.clip(np.arange(width, dtype="float32") + flow[..., 0], 0, width - 1)
    y = ops.clip(np.arange(height, dtype="float32")[:, None] + flow[..., 1], 0, height - 1)
    left, top = ops.minimum(ops.floor(x), width - 2), ops.minimum(ops.floor(y), height - 2)
    first = height * width * np.arange(PAIRS, dtype="int32")[:, None, None]
    place = ops.cast(top * width + left, "int32") + first
    pixels = ops.reshape(image, (-1,))
    corners = [ops.take(pixels, place + offset) for offset in (0, 1, width, width + 1)]
    dx, dy = x - left, y - top
    upper, lower = (corners[k] * (1 - dx) + corners[k + 1] * dx for k in (0, 2))
    return upper * (1 - dy) + lower * dy
