"""One training step on several devices: each takes a share of the batch, all keep the same weights."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module

import keras

from mer_tf.config import MerError, Train

log = logging.getLogger(__name__)


def scope_of(config: Train) -> Callable[[], AbstractContextManager[object]]:
    """Opens what a model is built, compiled and trained within: all devices, if `config.data_parallel` says so.

    A step is that of one device on the whole batch, to rounding. keras.distribution on JAX; MirroredStrategy on
    TensorFlow, where batch normalisation would see a device's share alone (`refuse_local_statistics`). `MerError` for a
    batch that cannot be shared equally, and for other backends. One device alone trains as ever, which the log says.
    """
    if not config.data_parallel:
        return nullcontext
    devices = keras.distribution.list_devices()
    if len(devices) < 2:
        log.warning("train.data_parallel: there is one device, %s", ", ".join(devices) or "the CPU")
        return nullcontext
    if config.batch_size % len(devices):
        raise MerError(
            f"train.batch_size={config.batch_size} is no multiple of the {len(devices)} devices ({', '.join(devices)}) "
            "that train.data_parallel shares it among; change it, or hide devices (CUDA_VISIBLE_DEVICES)"
        )
    if keras.backend.backend() == "jax":
        return keras.distribution.DataParallel(devices=devices).scope
    if keras.backend.backend() == "tensorflow":
        # Not an import statement: under another backend this module must load without TensorFlow.
        return import_module("tensorflow").distribute.MirroredStrategy(devices).scope
    raise MerError(f"train.data_parallel needs KERAS_BACKEND=jax or tensorflow, not {keras.backend.backend()}")


def refuse_local_statistics(model: keras.Model, config: Train) -> None:
    """`MerError` where TensorFlow would normalise by each device's own statistics, so that results would differ."""
    if not config.data_parallel or keras.backend.backend() != "tensorflow":
        return
    learning = [
        layer.name
        for layer in model._flatten_layers()
        if isinstance(layer, keras.layers.BatchNormalization) and layer.trainable
    ]
    if learning and len(keras.distribution.list_devices()) > 1:
        raise MerError(
            f"train.data_parallel: {', '.join(learning)} would see one device's share of the batch on TensorFlow; "
            "set KERAS_BACKEND=jax, whose batch normalisation sees the whole batch"
        )
