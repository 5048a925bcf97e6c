"""STSTNet: three shallow streams on one flow image (Liong et al., FG 2019).

    flow image --[3 | 5 | 8 filters 3 x 3, ReLU, batch norm, max-pool 3, dropout]--> concat (B, 10, 10, 16)
    --> average pool 2 --> (B, 400) --> logits (B, classes)

Geometry, raw input of 0..255, first weights (biases apart) and batch-norm constants are those of the authors' Python
code. It has 1683 trained parameters; the paper prints 1670.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from mer_tf.models.inputs import OUTSIDE, TORCH
from mer_tf.models.kinds import FlowImageModel
from mer_tf.models.later import keras, layers, ops
from mer_tf.ranges import BelowOne

FILTERS = (3, 5, 8)


@dataclass(frozen=True)
class StstNet(FlowImageModel):
    """Three shallow streams on one flow image (Liong et al., FG 2019)."""

    name: Literal["ststnet"] = "ststnet"
    dropout: BelowOne = 0.0
    """After each max-pool (the code: 0.5)."""

    all_folds: ClassVar = True

    normalises = True

    def build(self, shape: Any, classes: int) -> keras.Model:
        """S = 28 was published."""
        image = self.input(shape)
        streams = [_stream(image["flow_image"], filters, self.dropout) for filters in FILTERS]
        x = layers.AveragePooling2D(2, name="average")(layers.Concatenate(name="streams")(streams))
        logits = layers.Dense(classes, dtype="float32", kernel_initializer=TORCH, name="logits")
        return keras.Model(image, logits(layers.Flatten(name="flat")(x)), name="ststnet")


def _stream(x: Any, filters: int, dropout: float) -> Any:
    name = f"stream{filters}"
    x = layers.ZeroPadding2D(2, name=f"{name}_pad")(x)
    x = layers.Conv2D(filters, 3, activation="relu", kernel_initializer=TORCH, name=f"{name}_conv")(x)
    x = layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=f"{name}_norm")(x)
    # Windows begin one pixel outside and the last row and column fall off, as a padding of 1 on 30 pixels has it.
    x = ops.pad(x, [[0, 0], [1, 0], [1, 0], [0, 0]], constant_values=OUTSIDE)
    return layers.Dropout(dropout, name=f"{name}_dropout")(layers.MaxPooling2D(3, name=f"{name}_pool")(x))
