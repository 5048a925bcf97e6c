"""Training in stages: parts of one model trained one after the other, sharing its layers and so its weights."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from mer_tf.models.later import keras, layers, ops, own


@dataclass(frozen=True)
class Stage:
    """One training of a part of a model."""

    name: str
    model: keras.Model
    """What is trained. Its inputs are among those of the whole model, or are the outputs of `trunk`."""
    trunk: keras.Model | None = None
    """Frozen part that turns inputs of the whole model into a dict of those of `model`; computed once a window."""
    last: bool = True
    """The stage that train.epochs is about; those before it are trained for train.stream_epochs."""
    near_apex: bool = False
    """Trained on single frames about the apex, one for each planned window, and not on the windows."""
    frozen: tuple[keras.Layer, ...] = ()
    """Layers of `model` that this stage leaves as they are, and others may train."""

    @contextmanager
    def holding(self) -> Iterator[None]:
        """`frozen` is not trainable within, and trainable after; a model must be compiled and trained inside."""
        for layer in self.frozen:
            layer.trainable = False
        try:
            yield
        finally:
            for layer in self.frozen:
                layer.trainable = True


def cnn_then_lstm(model: keras.Model, cnn: str) -> list[Stage]:
    """A CNN of single images under a classifier of its own, which is thrown away; then the LSTM on frozen features.

    model: layers `features` (B, T, D), of each image, and `head`, which makes logits of them. cnn: name of the first.
    """
    head, features = model.get_layer("head"), model.get_layer("features").output
    inputs = {tensor.name: tensor for tensor in model.inputs}
    logits = own.FoldTime(layers.Dense(head.output_shape[-1], dtype="float32"), name="image_logits")(features)
    first = keras.Model(inputs, ops.mean(logits, axis=1), name=cnn)
    trunk = keras.Model(inputs, {"features": features}, name="frozen")
    return [Stage(cnn, first, last=False), Stage("lstm", head, trunk)]
