"""The one way of batches into training: drawn ahead of the step that takes them, in an order that the seed fixes."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from mer_tf.inputs.batches import WindowBatches

TOGETHER = 2
"""Batches that are put together at the same time; they come in their order all the same."""
AHEAD = 4
"""Batches that wait for the step: a number, for what tf.data tunes by itself knows no limit of memory."""


def stream(batches: WindowBatches) -> Any:
    """Epoch after epoch without end, for `fit` with steps_per_epoch: tf.data on TensorFlow, else a plain dataset."""
    return _tensors(batches) if keras.backend.backend() == "tensorflow" else Arrays(batches)


def _tensors(batches: WindowBatches) -> Any:
    """A tf.data.Dataset: orders of epochs -> places of a batch -> its arrays, several at once -> those ahead."""
    import tensorflow as tf  # loaded under its own backend alone

    example = batches.take(next(batches.epochs())[0])
    leaves = [np.asarray(leaf) for leaf in tf.nest.flatten(example)]

    def taken(places: Any) -> Any:
        made = tf.numpy_function(
            lambda rows: tf.nest.flatten(batches.take(rows)), [places], [leaf.dtype for leaf in leaves], stateful=False
        )
        # The size of a batch stays open, as it is wherever the model is used.
        shaped = [tf.ensure_shape(x, (None, *leaf.shape[1:])) for x, leaf in zip(made, leaves, strict=True)]
        return tf.nest.pack_sequence_as(example, shaped)

    orders = tf.data.Dataset.from_generator(
        batches.epochs, output_signature=tf.TensorSpec((len(batches), batches.batch), tf.int64)
    )
    taking = orders.unbatch().map(taken, num_parallel_calls=TOGETHER, deterministic=True)
    return taking.prefetch(AHEAD)


class Arrays(keras.utils.PyDataset):
    """The same batches without TensorFlow, made while the device computes: it is told its step and not waited for."""

    num_batches = None  # without end

    def __init__(self, batches: WindowBatches) -> None:
        super().__init__()
        self.batches = batches

    def __getitem__(self, number: int) -> tuple[Any, ...]:
        """Batch `number` since the first epoch began; they are asked for one after the other."""
        if number == 0:
            self.orders = self.batches.epochs()
        step = number % len(self.batches)
        if step == 0:
            self.places = next(self.orders)
        return self.batches.take(self.places[step])
