"""Floating-point operations of a Keras model: two for every weight of a kernel at every place it is applied to.

Counts dense layers, convolutions, recurrent layers and what stands in FoldTime, TimeDistributed or nested models; not
what has no kernel (activations, pooling, normalisation, resizing, products of activations with each other).
"""

from __future__ import annotations

import math
from typing import Any
from unittest.mock import patch

import keras

TRAINING = 3
"""A training step multiplies each kernel three times: forward, gradient of the input, gradient of the kernel."""


def forward_flops(model: keras.Model, inputs: dict[str, Any]) -> float:
    """Operations of one pass over these arrays, name -> (B, ...); the first sample is sent through the model."""
    counted = 0.0
    depth = [0]
    call = keras.layers.Layer.__call__

    def counting(layer: keras.layers.Layer, *args: Any, **kwargs: Any) -> Any:
        nonlocal counted
        leaf = not depth[0] and _is_leaf(layer)
        depth[0] += leaf
        try:
            output = call(layer, *args, **kwargs)
        finally:
            depth[0] -= leaf
        if leaf:
            counted += 2 * sum(math.prod(k.shape) for k in _kernels(layer)) * _places(layer, args[0], output)
        return output

    with patch.object(keras.layers.Layer, "__call__", counting):
        model({name: value[:1] for name, value in inputs.items()}, training=False)
    return counted * len(next(iter(inputs.values())))


def _is_leaf(layer: keras.layers.Layer) -> bool:
    """Recurrent layers are counted whole: what they call at each step would be seen once."""
    return isinstance(layer, keras.layers.RNN) or not list(layer._flatten_layers(include_self=False))


def _kernels(layer: keras.layers.Layer) -> list[keras.Variable]:
    return [weight for weight in layer.weights if len(weight.shape) > 1 and not isinstance(layer, keras.layers.PReLU)]


def _places(layer: keras.layers.Layer, given: Any, output: Any) -> int:
    """How often a kernel is applied: once a time step, or once a place of the output, in every sample."""
    if isinstance(layer, keras.layers.RNN):
        return given.shape[0] * given.shape[1]
    shape = keras.tree.flatten(output)[0].shape
    return math.prod(shape[:-1])
