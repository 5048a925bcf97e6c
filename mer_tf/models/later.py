"""Keras and our own layers, loaded when a network is built: the settings of models are read long before.

from mer_tf.models.later import keras, layers, ops, own
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from mer_tf.models.layers import OWN


class _Later:
    """Modules that are imported when something of them is used."""

    def __init__(self, *names: str) -> None:
        self._names = names

    def __getattr__(self, attribute: str) -> Any:
        modules = map(import_module, self._names)
        return getattr(next((m for m in modules if hasattr(m, attribute)), import_module(self._names[0])), attribute)


own: Any = _Later(*OWN)
"""Layers of ours: own.FoldTime."""
if TYPE_CHECKING:
    import keras as keras
    from keras import layers as layers
    from keras import ops as ops
else:
    keras, layers, ops = _Later("keras"), _Later("keras.layers"), _Later("keras.ops")
