"""An encoder in parts: its blocks and their maps, the frozen trunk that is computed once a frame, and what follows."""

from __future__ import annotations

import re
from typing import Any

import keras
from keras import layers

from mer_tf.config import MerError

_NO_OUTPUT = (layers.MaxPooling2D, layers.AveragePooling2D, layers.Permute, layers.Reshape)
"""Layers that belong to a block's way out: they shrink its map, or turn it (ONet's conv4 is transposed)."""


def encoder_blocks(model: keras.Model) -> dict[str, str]:
    """Blocks of an encoder in order, each with its first layer: {"conv4_3": "conv4_3_1x1_reduce", ...}."""
    blocks: dict[str, str] = {}
    for layer in model.layers:
        if isinstance(layer, layers.Conv2D | layers.Dense):
            blocks.setdefault(re.split(r"_1x1_|_3x3|__", layer.name)[0], layer.name)
    return blocks


def block_outputs(encoder: keras.Model) -> dict[str, str]:
    """Block -> its last layer that gives a map (B, h, w, C), in order; blocks without a map are left out.

    {"conv4_3": "conv4_3"} for a ResNet, {"conv2": "prelu2"} for ONet. Blocks are those of `encoder_blocks`.
    """
    starts = {layer: block for block, layer in encoder_blocks(encoder).items()}
    outputs: dict[str, str] = {}
    block = None
    for layer in encoder.layers:
        block = starts.get(layer.name, block)
        if block is not None and _is_map(layer) and not isinstance(layer, _NO_OUTPUT):
            outputs[block] = layer.name
    return outputs


def map_layer(encoder: keras.Model, name: str) -> str:
    """Layer that gives the map called `name`: a block (its last map) or a layer; `MerError` listing what there is."""
    blocks = block_outputs(encoder)
    found = {layer.name: layer for layer in encoder.layers if _is_map(layer)}
    if name not in blocks and name not in found:
        pools = [layer.name for layer in found.values() if isinstance(layer, _NO_OUTPUT)]
        raise MerError(f"model.features_at={name}: {encoder.name} has maps at {', '.join([*blocks, *pools])}")
    return blocks.get(name, name)


def _is_map(layer: Any) -> bool:
    shape = layer.output.shape
    return len(shape) == 4 and min(shape[1:3]) > 1


def encoder_parts(
    model: keras.Model, retrain_from: str | None, features_at: str | None
) -> tuple[keras.Model, keras.Model | None]:
    """(trunk, tail): the frozen part that gives features, and what a model may put behind them.

    Neither given: the whole encoder, no tail. `retrain_from` alone: `split_encoder`. `features_at` alone: the trunk
    gives that map (B, h, w, C), the tail leads on to the embedding, frozen. Both: the tail is trainable and ends at the
    map. `MerError` for unknown names, and for a block that lies behind the map.
    """
    if features_at is None:
        return split_encoder(model, retrain_from) if retrain_from else (model, None)
    boundary = model.get_layer(map_layer(model, features_at)).output
    trunk = keras.Model(model.input, boundary, name=f"{model.name}_to_{features_at}")
    if retrain_from:
        return split_encoder(trunk, retrain_from)
    trunk.trainable = False
    return trunk, keras.Model(boundary, model.output, name=f"{model.name}_tail")


def split_encoder(model: keras.Model, retrain_from: str) -> tuple[keras.Model, keras.Model]:
    """Cut an encoder before a block: (trunk, tail) with tail(trunk(x)) == model(x), sharing its weights.

    The trunk is frozen. The tail is trainable but for its batch normalisations, which keep the statistics, scale and
    offset of the pretraining: a batch holds frames of few clips, whose statistics would erase what differs among them.
    `MerError` with the valid blocks for an unknown one.
    """
    blocks = encoder_blocks(model)
    if retrain_from not in blocks:
        valid = ", ".join(blocks) or "none, so leave retrain_from empty"
        raise MerError(f"{model.name} has no block {retrain_from!r} to retrain from; valid: {valid}")
    boundary = model.get_layer(blocks[retrain_from]).input
    trunk = keras.Model(model.input, boundary, name=f"{model.name}_trunk")
    tail = keras.Model(boundary, model.output, name=f"{model.name}_tail")
    trunk.trainable = False
    for layer in tail.layers:  # tail.trainable is True already, and Keras then leaves the layers as they are
        layer.trainable = not isinstance(layer, layers.BatchNormalization)
    return trunk, tail
