"""Grad-CAM (Selvaraju et al., ICCV 2017) for any layer of a Keras model, nested or folded over time.

    H = ReLU(sum_c w_c A_c),   w_c = spatial mean of dy / dA_c,   one w_c a frame

A model within a model cannot be cut open (`keras.Model(inner.output, outer.output)` is not connected), so layers are
tapped while the whole model runs. All layers asked for share one forward and one backward pass.

What a map may be read as was measured on drawn clips: docs/report.md, "What a map may be read as".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from mer_tf.config import MerError
from mer_tf.explain.gradients import Gradients, Tap, tapped_gradients
from mer_tf.models.layers.shared import FoldTime

Maps = NDArray[np.float32]
Target = int | Sequence[int] | NDArray[np.integer] | Literal["max"]
"""Class index, or one a sample; `max`: the strongest output unit, where there is no classifier yet."""


@dataclass(frozen=True)
class Tapped:
    """What one layer gave for N images: a batch of B, or the B * T frames of its clips."""

    activations: Maps
    """(N, h, w, C)."""
    gradients: Maps
    """(N, h, w, C): of each sample's score by its own activations."""
    onset: Maps | None
    """(B, h, w, C): activations of the clips' onset frames, where the model looks at them by themselves."""
    batch: int
    timed: bool
    """Whether the layer is folded over time."""

    def cam(self, *, minus_onset: bool = False, local: bool = False) -> Maps:
        """Maps (B, h, w), or (B, T, h, w) of a layer folded over time; >= 0.

        minus_onset: activations less those of the clip's onset frame (of its first frame, where the model does not
        look at the onset by itself): what the score owes to motion and not to the face that is there throughout.
        local: every cell weighted by its own gradient, not by the mean over all cells (HiResCAM: Draelos & Carin 2020,
        arXiv 2011.08891); for heads that read a flattened map, where a gradient belongs to its place.
        """
        weights = self.gradients if local else self.gradients.mean(axis=(1, 2), keepdims=True)
        maps = np.maximum((weights * self._shown(minus_onset)).sum(axis=-1), 0.0)
        return maps.reshape(self.batch, -1, *maps.shape[1:]) if self.timed else maps

    def _shown(self, minus_onset: bool) -> Maps:
        if not minus_onset:
            return self.activations
        if not self.timed:
            raise MerError("minus_onset needs a layer folded over time: this one sees single images")
        clips = self.activations.reshape(self.batch, -1, *self.activations.shape[1:])
        onset = clips[:, :1] if self.onset is None else self.onset[:, None]
        return (clips - onset).reshape(self.activations.shape)


class GradCam:
    """Grad-CAM of several layers of one model at once, compiled once for each shape of its inputs.

    Args:
        model: any Keras model; class indices as target need one output (B, classes), logits for preference.
        layers: names of layers whose output is (N, h, w, C), however deep they are nested.

    Raises `MerError` for a layer that the model does not have.
    """

    def __init__(self, model: keras.Model, layers: Sequence[str]) -> None:
        self.model = model
        self._layers = {name: find_layer(model, name) for name in layers}
        self._compiled: dict[str, tuple[Gradients, list[str]]] = {}

    def __call__(self, inputs: Any, target: Target) -> dict[str, Tapped]:
        """Every layer's activations and gradients. inputs: what the model takes, numpy arrays with the batch first."""
        batch = len(keras.tree.flatten(inputs)[0])
        kind, chosen = ("max", ()) if isinstance(target, str) else ("class", self._one_hot(target, batch))
        if kind not in self._compiled:
            self._compiled[kind] = self._compile(kind)
        run, order = self._compiled[kind]
        found: dict[str, list[tuple[Maps, Maps]]] = {name: [] for name in self._layers}
        for name, *pair in zip(order, *run((inputs, chosen)), strict=True):
            activation, gradient = (ops.convert_to_numpy(ops.cast(value, "float32")) for value in pair)
            found[name].append((activation, gradient))
        return {name: _frames(name, calls, batch, self._layers[name][1]) for name, calls in found.items()}

    def _one_hot(self, target: Any, batch: int) -> Maps:
        classes = int(self.model.output_shape[-1])
        indices = np.broadcast_to(np.asarray(target), (batch,))
        if not np.issubdtype(indices.dtype, np.integer) or indices.min() < 0 or indices.max() >= classes:
            raise MerError(f"Grad-CAM target {target!r}: give class indices 0 to {classes - 1}, or `max`")
        return np.eye(classes, dtype=np.float32)[indices]

    def _compile(self, kind: str) -> tuple[Gradients, list[str]]:
        order: list[str] = []

        def total(tap: Tap, inputs: Any) -> Any:
            order.clear()
            with _tapping({name: layer for name, (layer, _) in self._layers.items()}, tap, order):
                output = self.model(inputs[0], training=False)
            if kind == "max":
                return ops.sum(ops.max(ops.reshape(output, (ops.shape(output)[0], -1)), axis=-1))
            return ops.sum(ops.sum(ops.cast(output, "float32") * inputs[1], axis=-1))

        return tapped_gradients(total, self.model.variables), order


def normalised(maps: Maps) -> Maps:
    """Maps (B, ...) >= 0 with every sample's greatest value 1; a sample of zeros stays so."""
    peak = maps.max(axis=tuple(range(1, maps.ndim)), keepdims=True)
    return np.divide(maps, peak, out=np.zeros_like(maps), where=peak > 0)


def find_layer(model: keras.Model, name: str) -> tuple[Any, bool]:
    """A layer of a model or of the models within it, and whether it is folded over time.

    Where models within it have layers of one name, that of theirs goes before: `spatial_trunk/conv5`.
    `MerError` for an unknown name, and for one that two layers have.
    """
    every = {id(layer): (path, layer, timed) for path, layer, timed in _walk(model, "", False)}
    found = [(layer, timed) for path, layer, timed in every.values() if f"/{path}".endswith(f"/{name}")]
    if len(found) == 1:
        return found[0]
    names = ", ".join(path for path, _, _ in every.values())
    raise MerError(f"{model.name} has {len(found)} layers {name!r}, Grad-CAM needs one; its layers: {names}")


def _walk(model: keras.Model, home: str, timed: bool) -> Iterator[tuple[str, Any, bool]]:
    """(path, layer, whether folded over time) of all layers, those of models within a model included."""
    for layer in model.layers:
        yield f"{home}{layer.name}", layer, timed
        folded = timed or isinstance(layer, FoldTime)
        inner = layer.layer if isinstance(layer, keras.layers.Wrapper) else layer
        if inner is not layer:
            yield f"{home}{inner.name}", inner, folded
        if isinstance(inner, keras.Model):
            yield from _walk(inner, f"{home}{inner.name}/", folded)


@contextmanager
def _tapping(layers: Mapping[str, Any], tap: Tap, order: list[str]) -> Iterator[None]:
    """Within the block, what a layer returns goes through `tap`, and its name to the end of `order`."""

    def tapped(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def tapped_call(*args: Any, **kwargs: Any) -> Any:
            value = call(*args, **kwargs)
            if len(value.shape) != 4:
                raise MerError(f"layer {name!r} gives {tuple(value.shape)}; Grad-CAM needs maps (N, h, w, C)")
            order.append(name)
            return tap(value)

        return tapped_call

    with ExitStack() as stack:
        for name, layer in layers.items():
            layer.call = tapped(name, layer.call)
            stack.callback(delattr, layer, "call")  # the class's own method shows again
        yield


def _frames(name: str, calls: list[tuple[Maps, Maps]], batch: int, timed: bool) -> Tapped:
    """The call that saw the frames, and the one that saw the onset frames, told apart by their numbers of images."""
    calls = sorted(calls, key=lambda call: -len(call[0]))
    if not calls:
        raise MerError(f"the model does not use layer {name!r} for its output")
    if len(calls) > 2 or (len(calls) == 2 and (not timed or len(calls[0][0]) == len(calls[1][0]))):
        raise MerError(f"layer {name!r} is used {len(calls)} times in a pass; give clips of two or more frames")
    onset = calls[1][0] if len(calls) == 2 else None
    return Tapped(*calls[0], onset=onset, batch=batch, timed=timed)
