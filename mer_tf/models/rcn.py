"""RCN-A: a recurrent convolutional network with attention that has no parameters (Xia et al., IEEE TIP 2020).

    flow image --[5 x 5 conv, batch norm, ReLU, pool 2, dropout]--> x
    x --[1 x 1 conv]--> y; twice y = [3 x 3 conv, the same both times](x + y); pool 2, dropout, average --> (B, P, P, C)
    --> times the class activation map of x under the classifier's own weights --> logits (B, classes)

Widths and order are those of the authors' code (version 3 of their attention). Their images give P = 7; ones of 28
pixels leave a map of 6 x 6, which is then not averaged.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from mer_tf.models.inputs import scaled
from mer_tf.models.kinds import FlowImageModel
from mer_tf.models.later import keras, layers, ops, own
from mer_tf.ranges import BelowOne, Positive

FILTERS = 64
POOLED = 7


@dataclass(frozen=True)
class Rcn(FlowImageModel):
    """RCN-A (Xia et al., IEEE TIP 2020)."""

    name: Literal["rcn"] = "rcn"
    dropout: BelowOne = 0.0
    """After both max-pools (the code: 0.5)."""
    width: Positive = 1.0
    """The 64 channels times this."""

    least: ClassVar = {"width": 0.05}

    normalises = True

    def build(self, shape: Any, classes: int) -> keras.Model:
        image, width = self.input(shape), scaled(FILTERS, self.width)
        x = layers.Rescaling(1 / 255, name="scaled")(image["flow_image"])
        x = _Block(width, 5, "first", padding="valid")(x)
        x = layers.Dropout(self.dropout, name="first_dropout")(layers.MaxPooling2D(2, name="first_pool")(x))
        y, again = _Block(width, 1, "forward")(x), _Block(width, 3, "recurrent")
        for _ in range(2):
            y = again(x + y)
        y = layers.Dropout(self.dropout, name="last_dropout")(layers.MaxPooling2D(2, name="last_pool")(y))
        side = min(POOLED, y.shape[1])
        early = layers.AdaptiveAveragePooling2D(side, name="early")(x)
        late = layers.AdaptiveAveragePooling2D(side, name="late")(y)
        logits = own.AttendedLogits(classes, dtype="float32", name="logits")([early, late])
        return keras.Model(image, logits, name="rcn")


class _Block:
    """Convolution, batch norm, ReLU; calls share their weights."""

    def __init__(self, width: int, size: int, name: str, padding: str = "same") -> None:
        weights = keras.initializers.VarianceScaling(2.0, "fan_out", "untruncated_normal")
        self.conv = layers.Conv2D(width, size, padding=padding, kernel_initializer=weights, name=f"{name}_conv")
        self.norm = layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=f"{name}_norm")

    def __call__(self, x: Any) -> Any:
        return ops.relu(self.norm(self.conv(x)))
