"""3D-FCNN: three streams of 3-D convolutions, on grey frames and both components of flow (Li et al., 2018).

    grey | dx | dy (B, T, S, S, 1) --[32 filters 3^3, pool 2, 64 filters 3^3, pool 2, 128 units]--> concat (B, 384)
    --> logits (B, classes)

The paper's volumes and widths are not known to us: three small streams on short low-resolution volumes, joined before
the classifier, are its idea, the numbers here are ours (volumes of 16 x 64 x 64).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from mer_tf.models.inputs import RELU_CONV, grey, relu_dense, scaled
from mer_tf.models.kinds import ImageModel
from mer_tf.models.later import keras, layers, own
from mer_tf.ranges import BelowOne, Positive

FILTERS = (32, 64)
UNITS = 128


@dataclass(frozen=True)
class Fcnn3d(ImageModel):
    """Three streams of 3-D convolutions (Li et al., 2018)."""

    name: Literal["fcnn3d"] = "fcnn3d"
    dropout: BelowOne = 0.0
    """After each stream's dense layer."""
    width: Positive = 1.0
    """Channels and units times this."""

    least: ClassVar = {"width": 0.03}

    def build(self, shape: Any, classes: int) -> keras.Model:
        """T and S are at least 4."""
        inputs = self.volumes(shape, "frames", "flow")
        flow = own.Preprocess("flow", name="flow_scaled")(inputs["flow"])
        streams = {"grey": grey(inputs["frames"]), "dx": flow[..., :1], "dy": flow[..., 1:2]}
        x = layers.Concatenate(name="joined")([_stream(v, name, self) for name, v in streams.items()])
        return keras.Model(inputs, layers.Dense(classes, dtype="float32", name="logits")(x), name="fcnn3d")


def _stream(x: Any, name: str, config: Fcnn3d) -> Any:
    for number, filters in enumerate(FILTERS, start=1):
        x = layers.Conv3D(scaled(filters, config.width), 3, name=f"{name}_conv{number}", **RELU_CONV)(x)
        x = layers.MaxPooling3D(2, name=f"{name}_pool{number}")(x)
    x = layers.Flatten(name=f"{name}_flat")(x)
    return relu_dense(x, scaled(UNITS, config.width), f"{name}_fc", config.dropout)
