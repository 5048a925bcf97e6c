"""Where XLA compiles: the one place that decides what `auto` means."""

from __future__ import annotations

from typing import Literal

from mer_tf.models.later import keras


def by_xla(asked: bool | Literal["auto"], faster_on_cpu: bool) -> bool:
    """Whether XLA compiles a step: as `asked`; for auto wherever there is more than a CPU, or it is `faster_on_cpu`."""
    if asked != "auto":
        return asked
    return faster_on_cpu or any(not name.startswith("cpu") for name in keras.distribution.list_devices())
