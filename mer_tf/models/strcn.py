"""STRCN: a spatiotemporal recurrent convolutional network, by appearance or by geometry (Xia et al., IEEE TMM 2020).

    -G: flow from onset to apex (B, S, S, 2)                 -A: grey levels of the pixels that move most (B, P, T, 1)
    --[3 x 3 conv, batch norm, ReLU, pool 4]--> three times [recurrent convolution, pool 4, 2, 2] --> mean over places
    --> logits (B, classes)

    recurrent convolution: y = 1 x 1 conv of x; three times y = [3 x 3 conv, batch norm, ReLU](x + y)

After the authors' MATLAB code; that the three convolutions share their weights is inferred from "recurrent". Pools are
padded, so that small images leave one place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from mer_tf.models.inputs import scaled
from mer_tf.models.kinds import FlowImageModel, ImageModel
from mer_tf.models.later import keras, layers, ops, own
from mer_tf.ranges import BelowOne, Count, Positive

FILTERS, DEPTH = 128, 3
"""Maps (the code: 128, 256 or 512), and convolutions of a recurrent block."""
POOLS = (4, 2, 2)
HEIGHT, WIDTH = 48, 64
"""Of the frames whose pixels -A takes."""
SHARE, GAP = 0.25, 10
"""-A: share of the pixels that is kept, and frames between those whose difference says how much a pixel moves."""


@dataclass(frozen=True)
class StrcnG(FlowImageModel):
    """By geometry: optical flow from onset to apex (Xia et al., IEEE TMM 2020)."""

    name: Literal["strcn_g"] = "strcn_g"
    dropout: BelowOne = 0.0
    """Before the classifier (ours)."""
    width: Positive = 1.0
    """The 128 maps times this; the code's others are 2 and 4."""

    least: ClassVar = {"width": 0.05}
    normalises = True

    def build(self, shape: Any, classes: int) -> keras.Model:
        """The third channel, strain, is not used."""
        image = self.input(shape)
        flow = layers.Rescaling(1 / 127.5, -1.0, name="scaled")(image["flow_image"][..., :2])
        return keras.Model(image, recurrent_network(flow, classes, self), name="strcn_g")


@dataclass(frozen=True)
class StrcnA(ImageModel):
    """By appearance: a clip as one matrix, pixels by time (Xia et al., IEEE TMM 2020)."""

    name: Literal["strcn_a"] = "strcn_a"
    dropout: BelowOne = 0.0
    """Before the classifier (ours)."""
    width: Positive = 1.0
    """The 128 maps times this."""
    gap: Count = GAP
    """Frames between those whose difference says how much a pixel moves."""

    fewest: ClassVar = 3
    least: ClassVar = {"width": 0.05, "gap": 2}
    normalises = True

    def build(self, shape: Any, classes: int) -> keras.Model:
        """Which pixels move most is asked of each window."""
        inputs = self.volumes(shape, "frames")
        moving = own.MovingPixels(HEIGHT, WIDTH, SHARE, self.gap, name="moving")(inputs["frames"])
        return keras.Model(inputs, recurrent_network(moving, classes, self), name="strcn_a")


def recurrent_network(x: Any, classes: int, config: StrcnA | StrcnG) -> Any:
    """Logits (B, classes) of an image (B, H, W, C)."""
    width = scaled(FILTERS, config.width)
    x = layers.Conv2D(width, 3, padding="same", kernel_initializer="he_normal", name="stem_conv")(x)
    x = ops.relu(layers.BatchNormalization(momentum=0.9, name="stem_norm")(x))
    x = layers.MaxPooling2D(4, padding="same", name="stem_pool")(x)
    for number, pool in enumerate(POOLS, start=1):
        block = f"block{number}"
        y = layers.Conv2D(width, 1, kernel_initializer="he_normal", name=f"{block}_forward")(x)
        conv = layers.Conv2D(width, 3, padding="same", kernel_initializer="he_normal", name=f"{block}_recurrent")
        for turn in range(1, DEPTH + 1):
            y = layers.BatchNormalization(momentum=0.9, name=f"{block}_norm{turn}")(conv(x + y))
            y = ops.relu(y)
        x = layers.MaxPooling2D(pool, padding="same", name=f"{block}_pool")(y)
    x = layers.Dropout(config.dropout, name="dropout")(layers.GlobalAveragePooling2D(name="places")(x))
    return layers.Dense(classes, dtype="float32", name="logits")(x)
