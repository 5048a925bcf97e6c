"""MicroExpFuseNet: MicroExpSTCNN's convolution on the eyes and on the mouth, joined early or late (Reddy et al., 2019).

    intermediate: eyes | mouth (B, T, 32, 32, 1) --[conv, pool]--> concat --> 1024 --> 128 --> logits
    late:         each --[conv, pool]--> 1024 --> 128; concat (B, 256) --> logits

Their regions are rectangles between landmarks of each frame (0-based numbers of the 68: rows of 19 to 1 and columns of
1 to 15, rows of 2 to 6 and columns of 2 to 14); here they lie where an aligned face has these landmarks. Flat features
of 96 frames are 172,800, as the code has it; the paper prints 86,400.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from mer_tf.files import facts
from mer_tf.models.inputs import grey, relu_dense, scaled
from mer_tf.models.later import keras, layers, own
from mer_tf.models.micro_exp_stcnn import Volume, volume_features

REGIONS = {"eyes": ((19, 1), (1, 15)), "mouth": ((2, 6), (2, 14))}
"""Region -> landmarks of its first and last row, and of its first and last column."""
SIDE = 32
UNITS = (1024, 128)


@dataclass(frozen=True)
class FuseNet(Volume):
    """The convolution on the eyes and on the mouth (Reddy et al., 2019)."""

    late: ClassVar[bool]
    """Whether both are joined before the last layer alone."""

    def build(self, shape: Any, classes: int) -> keras.Model:
        """Faces are aligned; T is 17 or more."""
        inputs = self.volumes(shape, "frames")
        image = grey(inputs["frames"], "centred")
        flat = [volume_features(_region(image, name), name, self) for name in REGIONS]
        if self.late:
            flat = [_head(x, name, self) for x, name in zip(flat, REGIONS, strict=True)]
        x = layers.Concatenate(name="joined")(flat)
        x = x if self.late else _head(x, "joined", self)
        return keras.Model(inputs, layers.Dense(classes, dtype="float32", name="logits")(x), name=self.name)


@dataclass(frozen=True)
class FuseNetIntermediate(FuseNet):
    """Eyes and mouth are joined before the dense layers."""

    name: Literal["micro_exp_fusenet_intermediate"] = "micro_exp_fusenet_intermediate"
    late: ClassVar = False


@dataclass(frozen=True)
class FuseNetLate(FuseNet):
    """Eyes and mouth are joined after the dense layers."""

    name: Literal["micro_exp_fusenet_late"] = "micro_exp_fusenet_late"
    late: ClassVar = True


def _region(volume: Any, name: str) -> Any:
    """Part of a grey volume (B, T, S, S, 1) as (B, T, 32, 32, 1)."""
    (top, bottom), (left, right) = REGIONS[name]
    table, side = facts("canonical_landmarks.csv").set_index("index"), volume.shape[2]

    def pixel(landmark: int, axis: str) -> int:
        return round(float(str(table.loc[str(landmark), axis])) * side)

    part = volume[:, :, pixel(top, "y") : pixel(bottom, "y"), pixel(left, "x") : pixel(right, "x")]
    return own.FoldTime(own.Resize(SIDE), name=f"{name}_region")(part)


def _head(x: Any, name: str, config: FuseNet) -> Any:
    for number, units in enumerate(UNITS, start=1):
        x = relu_dense(x, scaled(units, config.width), f"{name}_fc{number}", config.dropout)
    return x
