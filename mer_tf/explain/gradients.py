"""Gradients of a score by activations inside a Keras model: the one place that asks which backend runs.

Keras has no gradient of its own. A function of ours calls `tap` on every activation it wants the gradient by, wherever
in the model that happens, and returns one number; the backend's own differentiation does the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

import keras

from mer_tf.config import MerError

Tap = Callable[[Any], Any]
Tapped = Callable[[Tap, Any], Any]
"""function(tap, inputs) -> a number; it must go on with what `tap` returns, and tap the same number of times."""
Gradients = Callable[[Any], tuple[list[Any], list[Any]]]
"""inputs -> (tapped activations, gradients of the number by them): tensors of the backend, in the order of tapping."""


def tapped_gradients(function: Tapped, variables: Sequence[Any]) -> Gradients:
    """`function` differentiated by what it taps, compiled once for each shape of its inputs.

    variables: all Keras variables that `function` reads; their values may change between calls. Inputs are arrays or
    nested dicts, lists and tuples of arrays. An activation that the number does not depend on has gradient 0.
    Raises `MerError` for a backend other than TensorFlow and JAX.
    """
    backends = {"tensorflow": _tensorflow, "jax": _jax}
    if keras.backend.backend() not in backends:
        raise MerError(f"gradients need KERAS_BACKEND=tensorflow or jax, not {keras.backend.backend()}")
    return backends[keras.backend.backend()](function, variables)


def _tensorflow(function: Tapped, variables: Sequence[Any]) -> Gradients:
    # Not an import statement: under another backend this module must load without TensorFlow. Here Keras has loaded it.
    tf = import_module("tensorflow")

    @tf.function
    def run(inputs: Any) -> tuple[list[Any], list[Any]]:
        taken: list[Any] = []
        with tf.GradientTape(watch_accessed_variables=False) as tape:

            def tap(value: Any) -> Any:
                tape.watch(value)
                taken.append(value)
                return value

            total = function(tap, inputs)
        return taken, tape.gradient(total, taken, unconnected_gradients=tf.UnconnectedGradients.ZERO)

    # Arrays would be constants of the graph, and each call a compilation.
    return lambda inputs: run(keras.tree.map_structure(keras.ops.convert_to_tensor, inputs))


def _jax(function: Tapped, variables: Sequence[Any]) -> Gradients:
    jax = import_module("jax")

    def tapped(tap: Tap, values: list[Any], inputs: Any) -> Any:
        # Values are arguments: read from the variables they would be constants of the compiled function.
        with keras.StatelessScope(state_mapping=list(zip(variables, values, strict=True))):
            return function(tap, inputs)

    def shifted(shifts: list[Any], values: list[Any], inputs: Any) -> tuple[Any, list[Any]]:
        taken: list[Any] = []

        def tap(value: Any) -> Any:
            taken.append(value)
            return value + shifts[len(taken) - 1]

        return tapped(tap, values, inputs), taken

    @jax.jit
    def run(values: list[Any], inputs: Any) -> tuple[list[Any], list[Any]]:
        shifts: list[Any] = []

        def shape_of(value: Any) -> Any:
            shifts.append(keras.ops.zeros_like(value))
            return value

        tapped(shape_of, values, inputs)  # for the shapes alone: its numbers are unused, so XLA leaves them out
        gradients, taken = jax.grad(shifted, has_aux=True)(shifts, values, inputs)
        return taken, gradients

    return lambda inputs: run([v.value for v in variables], inputs)
