"""Grad-CAM of single frames of clips behind a frozen encoder: what no training changes is computed once.

A map of a frozen encoder reaches the score through the features of its own frame alone. So the encoder is run up to the
map for the frames asked for, once; all other frames are given as features; and for each set of weights the rest is run:
from the map to the features of one frame, and the trained part.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from mer_tf.explain.gradcam import GradCam, Maps

MOST, BYTES = 32, 2**26
"""Samples in a batch, and what their inputs may take."""
MAP, PLACE = "map_of_frame", "place_of_frame"


class FrameCam:
    """Grad-CAM at a map of `trunk`, compiled once, for whatever weights `head` has.

    Args:
        trunk: frozen, images to features.
        head: the trained part, features of clips to logits (B, classes); one of its inputs is `frames` (B, T, ...).
        layer: name of the map's layer in `trunk`.
        frames: T; 1 for a model of single frames, of which each is its clip's onset too.

    Raises `ValueError` where features are reached past the map too, so that the map alone does not tell them.
    """

    def __init__(self, trunk: keras.Model, head: keras.Model, layer: str, frames: int) -> None:
        boundary = trunk.get_layer(layer).output
        self.front = keras.Model(trunk.input, boundary)
        rest = None if boundary is trunk.output else keras.Model(boundary, trunk.output)
        self.layer, self.frames = layer, frames
        self._cam = GradCam(_joined(rest, head, layer, boundary.shape[1:], frames), [layer])
        per_sample = sum(4 * int(np.prod([d or frames for d in t.shape[1:]])) for t in head.inputs)
        self.batch = max(1, min(MOST, BYTES // per_sample))

    def maps(self, images: Maps) -> Maps:
        """What the frozen part gives at the map (N, h, w, C) for images (N, S, S, 3), RGB 0..255."""
        parts = [images[k : k + MOST] for k in range(0, len(images), MOST)]
        made = [self.front.predict_on_batch(filled(part, MOST))[: len(part)] for part in parts]
        return np.concatenate(made).astype("float32")

    def __call__(
        self,
        maps: Maps,
        places: Sequence[int],
        inputs: Mapping[str, Any],
        targets: Sequence[int],
        *,
        less: Maps | None = None,
        local: bool = False,
    ) -> Maps:
        """Grad-CAM (N, h, w) of N <= `batch` frames. maps: of `maps`; places: which frames of their clips these are.

        inputs: of `head`, for the clip of each; less: maps of the onset frames, to be subtracted.
        """
        given = {**inputs, MAP: maps, PLACE: np.asarray(places, "int32")}
        given = {name: filled(np.asarray(value), self.batch) for name, value in given.items()}
        tapped = self._cam(given, filled(np.asarray(targets), self.batch))[self.layer]
        if less is not None:
            tapped = replace(tapped, activations=tapped.activations - filled(less, self.batch))
        return tapped.cam(local=local)[: len(maps)]


def filled(values: Any, length: int) -> Any:
    """The last entry repeated up to `length`, so that all batches have one shape."""
    return np.concatenate([values, np.repeat(values[-1:], length - len(values), axis=0)])


def _joined(rest: Any, head: keras.Model, layer: str, shape: Any, frames: int) -> keras.Model:
    """Inputs of `head`, a frame's map and its place in the clip, to logits."""

    def given(tensor: Any) -> Any:
        shape = [frames if side is None else side for side in tensor.shape[1:]]
        return keras.Input(shape, dtype=tensor.dtype, name=tensor.name)

    inputs = {tensor.name: given(tensor) for tensor in head.inputs}
    own = {MAP: keras.Input(shape, name=MAP), PLACE: keras.Input((), dtype="int32", name=PLACE)}
    x = layers.Identity(name=layer)(own[MAP])
    x = ops.expand_dims(x if rest is None else rest(x), axis=1)
    here = ops.equal(ops.expand_dims(own[PLACE], 1), np.arange(frames, dtype="int32"))
    here = ops.reshape(here, (-1, frames, *[1] * (len(x.shape) - 2)))
    logits = head(inputs | {"frames": ops.where(here, x, inputs["frames"])})
    return keras.Model(inputs | own, logits)
