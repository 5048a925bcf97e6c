"""The device a benchmark runs on: its name, and how fast it multiplies matrices and does nothing else."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

import keras
from results import processor

CHAIN = 8
"""Products that one call multiplies one after the other."""
LONG_ENOUGH = 0.2
"""Seconds of a call from which on its start does not count."""


def on_gpu() -> bool:
    """Whether Keras' backend computes on a GPU."""
    return any(re.match("gpu|cuda", name) for name in keras.distribution.list_devices())


def device_name() -> str:
    """The GPU's own name, or the processor's."""
    if on_gpu() and shutil.which("nvidia-smi"):
        command = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[0].strip()
    return processor()


def matrix_rate(dtype: str) -> float:
    """Operations a second of square matrix products of `dtype`, the best of growing sizes."""
    best, size = 0.0, 512
    while size <= 16384:
        seconds = _seconds_of_products(size, dtype)
        best = max(best, CHAIN * 2 * size**3 / seconds)
        if seconds > LONG_ENOUGH:
            break
        size *= 2
    return best


def _seconds_of_products(size: int, dtype: str) -> float:
    """The fastest of three calls after a first one; the sum that is fetched waits for all products."""
    factor = keras.ops.cast(keras.random.normal((size, size), stddev=size**-0.5, seed=0), dtype)

    def products(x: Any) -> Any:
        for _ in range(CHAIN):
            x = keras.ops.matmul(x, factor)
        return keras.ops.sum(keras.ops.cast(x, "float32"))

    call, spent = compiled(products), []
    for _ in range(4):
        start = time.perf_counter()
        float(call(factor))
        spent.append(time.perf_counter() - start)
    return min(spent[1:])


def compiled(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """`function` of tensors, compiled by XLA."""
    if keras.backend.backend() == "jax":
        return import_module("jax").jit(function)
    return import_module("tensorflow").function(function, jit_compile=True)
