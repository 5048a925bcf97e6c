"""A CNN on single frames, trained on many turned and mirrored copies (Takalkar & Xu, DICTA 2017).

    frame (B, 1, S, S, 3) --[3 x 3 conv, ReLU, pool 2] x 3--> 256 ReLU, dropout --> logits (B, classes)

That single faces are classified after heavy augmentation, by turning and flipping, is the paper's; the widths are ours.
It counts frames of one clip on both sides of its split; here a clip is predicted by the mean over its frames.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from mer_tf.models.inputs import RELU_CONV, grey, relu_dense, scaled
from mer_tf.models.kinds import ImageModel
from mer_tf.models.later import keras, layers, ops, own
from mer_tf.ranges import BelowOne, Positive, Range

FILTERS, UNITS = (32, 64, 128), 256


@dataclass(frozen=True)
class FrameCnn(ImageModel):
    """A CNN on single augmented frames (Takalkar & Xu, DICTA 2017)."""

    name: Literal["frame_cnn"] = "frame_cnn"
    dropout: BelowOne = 0.0
    """After the dense layer."""
    width: Positive = 1.0
    """Filters and units times this."""
    turn: Annotated[float, Range(0, 90)] = 10.0
    """In training every frame is turned by up to so many degrees either way; clip.mirror adds the flipped ones."""

    least: ClassVar = {"width": 0.05, "turn": 0.0}
    least_side: ClassVar = 2 ** len(FILTERS)

    def build(self, shape: Any, classes: int) -> keras.Model:
        """Logits are the mean over T; clip.frames=2 gives windows of one image."""
        inputs = self.volumes(shape, "frames")
        x = grey(inputs["frames"], "centred")
        if self.turn:
            x = own.FoldTime(own.RandomTurn(self.turn), name="turned")(x)
        network = frame_network(tuple(x.shape[2:]), FILTERS, UNITS, self)
        logits = layers.Dense(classes, dtype="float32", name="logits")(own.FoldTime(network, name="images")(x))
        return keras.Model(inputs, ops.mean(logits, axis=1), name="frame_cnn")


def frame_network(image_shape: tuple[int, ...], filters: tuple[int, ...], units: int, config: Any) -> keras.Model:
    """Convolutions of 3 x 3 with pools of 2, then a dense layer: images (N, S, S, C) to (N, units)."""
    image = keras.Input(image_shape, name="image")
    x: Any = image
    for number, width in enumerate(filters, start=1):
        x = layers.Conv2D(scaled(width, config.width), 3, name=f"conv{number}", **RELU_CONV)(x)
        x = layers.MaxPooling2D(2, name=f"pool{number}")(x)
    x = relu_dense(layers.Flatten(name="flat")(x), scaled(units, config.width), "fc", config.dropout)
    return keras.Model(image, x, name="frame_network")
