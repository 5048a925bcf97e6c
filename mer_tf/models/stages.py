"""Training in stages: parts of one model trained one after the other, sharing its layers and so its weights."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from mer_tf.models.later import keras


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
