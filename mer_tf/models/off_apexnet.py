"""OFF-ApexNet: two small CNNs, on horizontal and on vertical flow, onset to apex (Gan et al., Signal Processing: Image
Communication 2019).

    u | v (B, 28, 28, 1) --[5 x 5 conv 6, pool 2, 5 x 5 conv 16, pool 2]--> concat (B, 1568)
    --> 1024 --> 1024 --> logits (B, classes)

From memory of the paper; 2,664,475 parameters, as another public rebuilding counts (2.66M).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from mer_tf.models.inputs import relu_dense, scaled
from mer_tf.models.kinds import FlowImageModel
from mer_tf.models.later import keras, layers
from mer_tf.ranges import BelowOne, Positive

FILTERS = (6, 16)
UNITS = 1024


@dataclass(frozen=True)
class OffApexNet(FlowImageModel):
    """Two small CNNs, on horizontal and on vertical flow (Gan et al. 2019)."""

    name: Literal["off_apexnet"] = "off_apexnet"
    dropout: BelowOne = 0.0
    """After both dense layers."""
    width: Positive = 1.0
    """Units of the dense layers times this."""

    least: ClassVar = {"width": 0.05}

    def build(self, shape: Any, classes: int) -> keras.Model:
        """S = 28 was published; the third channel is not used."""
        image = self.input(shape)
        x = layers.Rescaling(1 / 127.5, offset=-1.0, name="scaled")(image["flow_image"])
        streams = [_stream(x[..., k : k + 1], name) for k, name in enumerate("uv")]
        x = layers.Concatenate(name="both")(streams)
        for number in (1, 2):
            x = relu_dense(x, scaled(UNITS, self.width), f"fc{number}", self.dropout)
        return keras.Model(image, layers.Dense(classes, dtype="float32", name="logits")(x), name="off_apexnet")


def _stream(x: Any, name: str) -> Any:
    for number, filters in enumerate(FILTERS, start=1):
        x = layers.Conv2D(filters, 5, padding="same", activation="relu", name=f"{name}{number}")(x)
        x = layers.MaxPooling2D(2, name=f"{name}{number}_pool")(x)
    return layers.Flatten(name=f"{name}_flat")(x)
