"""HTNet: a hierarchical transformer over four facial parts of one flow image (Wang et al., Neurocomputing 2024).

    flow image (B, 28, 28, 3) --[14 x 14 about both eyes and both mouth corners, 2 x 2 tiles]--> (B, 28, 28, 3)
    --[patches of 7]--> (B, 4, 4, 256) --[2 blocks, 3 x 3 conv, pool 2]--> (B, 2, 2, 512) --[the same]-->
    (B, 1, 1, 1024) --[10 blocks]--> layer norm, mean --> logits (B, classes)

Sizes, order of layers, and the centres taken where no face was found, are those of the authors' code. It cuts five
parts and tiles four, without the nose, and uses each centre (x, y) as (row, column). Attention runs within tiles of the
map, 4 x 4 of them, then 2 x 2, then one: with these sizes each holds a single place.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from mer_tf.config import Experiment, MerError
from mer_tf.models.inputs import OUTSIDE, TORCH, scaled
from mer_tf.models.kinds import FlowImageModel
from mer_tf.models.later import keras, layers, ops, own
from mer_tf.ranges import Positive

SIDE, PART, PATCH = 28, 14, 7
WIDTH, HEADS, REPEATS, WIDER = 256, 3, (2, 2, 10), 4
"""Channels and heads of the first level, doubled by each next; transformer blocks a level; feed-forward factor."""
CENTRES = {"left_eye": (9.5, 11.1), "left_lips": (10.3, 22.1), "right_eye": (21.4, 10.9), "right_lips": (20.6, 22.3)}
"""Part -> (x, y) in pixels, in the order of the tiles: one side of the face a row."""


@dataclass(frozen=True)
class HTNet(FlowImageModel):
    """A hierarchical transformer over four facial parts (Wang et al., Neurocomputing 2024)."""

    name: Literal["htnet"] = "htnet"
    width: Positive = 1.0
    """The 256 channels times this."""
    parts_as: Literal["row_column", "x_y"] = "row_column"
    """How the centres of facial parts, given as (x, y), are read; the authors' code uses them as (row, column)."""

    least: ClassVar = {"width": 0.05}

    def check(self, experiment: Experiment, of_images: bool) -> Iterator[str]:
        yield from super().check(experiment, of_images)
        side = experiment.clip.side
        if not of_images and side not in (0, SIDE):
            yield f"clip.side={side}: parts of htnet are placed on {SIDE} pixels; use clip.side={SIDE}"

    def build(self, shape: Any, classes: int) -> keras.Model:
        """`MerError` for images of another side than 28."""
        if shape["flow_image"][0] != SIDE:
            raise MerError(f"htnet: its parts are placed on {SIDE} pixels, not {shape['flow_image'][0]}")
        image = self.input(shape)
        x = parts(image["flow_image"], self.parts_as == "row_column")
        width = scaled(WIDTH, self.width)
        x = layers.Conv2D(width, PATCH, PATCH, kernel_initializer=TORCH, name="patches")(x)
        last = len(REPEATS) - 1
        for level, repeats in enumerate(REPEATS):
            x = _level(x, 2 ** (last - level), repeats, HEADS * 2**level, f"level{level}")
            if level < last:
                width *= 2
                x = layers.Conv2D(width, 3, padding="same", kernel_initializer=TORCH, name=f"merge{level}")(x)
                x = layers.LayerNormalization(epsilon=1e-5, name=f"merge{level}_norm")(x)
                x = ops.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]], constant_values=OUTSIDE)
                x = layers.MaxPooling2D(3, 2, name=f"merge{level}_pool")(x)
        x = layers.GlobalAveragePooling2D(name="mean")(layers.LayerNormalization(epsilon=1e-5, name="last_norm")(x))
        logits = layers.Dense(classes, dtype="float32", kernel_initializer=TORCH, name="logits")
        return keras.Model(image, logits(x), name="htnet")


def parts(images: Any, row_column: bool) -> Any:
    """Four parts of images (B, 28, 28, C), tiled to (B, 28, 28, C); centres are kept 7 pixels from the border."""
    half = PART // 2
    cut = []
    for x, y in CENTRES.values():
        row, column = (int(min(max(v, half), SIDE - half)) for v in ((x, y) if row_column else (y, x)))
        cut.append(images[:, row - half : row + half, column - half : column + half])
    return ops.concatenate([ops.concatenate(cut[k : k + 2], axis=2) for k in (0, 2)], axis=1)


def _level(x: Any, blocks: int, repeats: int, heads: int, name: str) -> Any:
    """Transformer blocks within each of blocks x blocks tiles of the map (B, H, W, C)."""
    side, width = x.shape[1] // blocks, x.shape[-1]
    tiles = ops.reshape(x, (-1, blocks, side, blocks, side, width))
    tiles = ops.reshape(ops.transpose(tiles, (0, 1, 3, 2, 4, 5)), (-1, side, side, width))
    tiles = own.Places(name=f"{name}_places")(tiles)
    for number in range(repeats):
        tiles = _transformer(tiles, heads, f"{name}_{number}")
    tiles = ops.reshape(tiles, (-1, blocks, blocks, side, side, width))
    return ops.reshape(ops.transpose(tiles, (0, 1, 3, 2, 4, 5)), (-1, *x.shape[1:]))


def _transformer(x: Any, heads: int, name: str) -> Any:
    """Attention, then a two-layer network, each after a layer norm and beside a shortcut."""
    side, width = x.shape[1], x.shape[-1]
    normed = layers.LayerNormalization(epsilon=1e-5, name=f"{name}_norm1")(x)
    each = width // heads
    tokens = layers.Dense(3 * each * heads, use_bias=False, kernel_initializer=TORCH, name=f"{name}_qkv")(normed)
    split = ops.reshape(tokens, (-1, side * side, 3, heads, each))
    query, key, value = (split[:, :, k] for k in range(3))
    if side > 1:  # a place that is alone has all its own attention
        weights = ops.softmax(ops.einsum("bihd,bjhd->bhij", query, key) / each**0.5, axis=-1)
        value = ops.einsum("bhij,bjhd->bihd", weights, value)
    mixed = ops.reshape(value, (-1, side, side, each * heads))
    x = x + layers.Dense(width, kernel_initializer=TORCH, name=f"{name}_out")(mixed)
    y = layers.LayerNormalization(epsilon=1e-5, name=f"{name}_norm2")(x)
    y = layers.Dense(WIDER * width, activation="gelu", kernel_initializer=TORCH, name=f"{name}_wide")(y)
    return x + layers.Dense(width, kernel_initializer=TORCH, name=f"{name}_narrow")(y)
