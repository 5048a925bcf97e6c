"""Our layers as Keras knows them when it opens a file: by name, each loaded when a file holds one.

`import mer_tf` alone makes this known to Keras, before or after Keras itself is imported, and loads nothing of it.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from mer_tf.models.layers import LAYERS

PACKAGE = "mer_tf"


class Waiting:
    """Stands for a class until Keras makes one of it; importing its file puts the class itself in this place."""

    def __init__(self, file: str, name: str) -> None:
        self._file, self.__name__ = file, name

    def from_config(self, config: dict[str, Any]) -> Any:
        return getattr(import_module(f"mer_tf.models.layers.{self._file}"), self.__name__).from_config(config)


def make_known() -> None:
    """Name our layers to Keras, which is loaded."""
    import keras

    known = keras.saving.get_custom_objects()
    for file, names in LAYERS.items():
        for name in names:
            known.setdefault(f"{PACKAGE}>{name}", Waiting(file, name))
