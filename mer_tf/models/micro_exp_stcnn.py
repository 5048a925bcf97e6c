"""MicroExpSTCNN: one 3-D convolution over grey frames (Reddy et al., IJCNN 2019; geometry of the authors' code).

    grey (B, T, 64, 64, 1) --[32 filters 15 x 3 x 3, ReLU, pool 3 x 3 x 3, dropout]--> flat --> 128, dropout --> logits

T is 96 in the paper on CAS(ME)^2 and 18 on SMIC, which leaves (B, 1, 20, 20, 32).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from mer_tf.models.inputs import grey, relu_dense, scaled
from mer_tf.models.kinds import ImageModel
from mer_tf.models.later import keras, layers
from mer_tf.ranges import BelowOne, Positive

FILTERS, LENGTH, SIDE, POOL = 32, 15, 3, 3
"""Filters, their length in time and side, and the cube that is pooled."""
UNITS = 128


@dataclass(frozen=True)
class Volume(ImageModel):
    """Settings of a 3-D convolution over grey frames."""

    dropout: BelowOne = 0.0
    """After the pooling and the dense layers (published: 0.5)."""
    width: Positive = 1.0
    """Filters and units times this."""

    fewest: ClassVar = LENGTH + POOL
    least: ClassVar = {"width": 0.06}


@dataclass(frozen=True)
class MicroExpStcnn(Volume):
    """One 3-D convolution over grey frames (Reddy et al., IJCNN 2019)."""

    name: Literal["micro_exp_stcnn"] = "micro_exp_stcnn"

    def build(self, shape: Any, classes: int) -> keras.Model:
        """T is 17 or more, S 5 or more.

        Grey levels reach it as -1 .. 1. The authors' code subtracts the mean of all clips, those tested too, and
        divides by the greatest value then left.
        """
        inputs = self.volumes(shape, "frames")
        x = volume_features(grey(inputs["frames"], "centred"), "volume", self)
        x = relu_dense(x, scaled(UNITS, self.width), "fc", self.dropout)
        return keras.Model(inputs, layers.Dense(classes, dtype="float32", name="logits")(x), name="micro_exp_stcnn")


def volume_features(x: Any, name: str, config: Volume) -> Any:
    """Grey volume (B, T, H, W, 1), T 17 or more, to the flat output of its one convolution."""
    filters = scaled(FILTERS, config.width)
    x = layers.Conv3D(filters, (LENGTH, SIDE, SIDE), activation="relu", name=f"{name}_conv")(x)
    x = layers.MaxPooling3D(POOL, name=f"{name}_pool")(x)
    return layers.Flatten(name=f"{name}_flat")(layers.Dropout(config.dropout, name=f"{name}_dropout")(x))
