"""Encoder, fc1 to fc3, softmax on single frames: Exp-I of Bai & Goecke 2020 (section 4.3), static in, static out.

frame (B, 1, ...) --[retrained tail of the encoder]--> (B, 1, D) --> fc1 BN ReLU --> fc2 BN ReLU dropout --> fc3
--> ReLU --> logits                                       (B, classes)
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

from mer_tf.config import Experiment
from mer_tf.models.kinds import FeatureModel
from mer_tf.models.later import keras, layers, ops
from mer_tf.models.vggface_lstm import embed
from mer_tf.ranges import BelowOne, Count


@dataclass(frozen=True)
class VggFaceFrames(FeatureModel):
    """Encoder, fc1 to fc3, softmax on single frames (Bai & Goecke 2020, C)."""

    name: Literal["vggface_frames"] = "vggface_frames"
    embedding: tuple[Count, ...] = (1024, 768, 512)
    """Widths of fc1, fc2, fc3 (C's released code)."""
    bn_momentum: BelowOne = 0.99
    """Batch normalisation after fc1 and fc2 (C's released code). It needs thousands of steps: short runs take 0.9."""
    dropout: BelowOne = 0.0

    least: ClassVar = {"embedding": (8, 8, 8)}

    def check(self, experiment: Experiment, of_images: bool) -> Iterator[str]:
        yield from super().check(experiment, of_images)
        if experiment.clip.frames != 1 or experiment.clip.test != "windows":
            yield "vggface_frames sees single frames; use clip.frames=1 and clip.test=windows"

    def build(self, shape: tuple[int, ...], classes: int, tail: keras.Model | None = None) -> keras.Model:
        """Trainable part of Exp-I: windows of one frame."""
        inputs = self.inputs(shape, 1)
        x = embed(self.per_frame(inputs, tail), inputs["mask"], self)
        x = layers.ReLU(name="embedding_relu")(x)
        logits = layers.Dense(classes, dtype="float32", name="logits")(ops.squeeze(x, axis=1))
        return keras.Model(inputs, logits, name="vggface_frames")


def images_to_logits(trunk: keras.Model, head: keras.Model) -> keras.Model:
    """Frozen `trunk` (images -> features), then `head`: images (B, S, S, 3) in, logits (B, classes) out.

    Each image counts as its own clip's onset.
    """
    image = keras.Input(trunk.input_shape[1:], name="images")
    features = ops.expand_dims(trunk(image), axis=1)
    shown = ops.isfinite(ops.sum(ops.reshape(features, (-1, 1, math.prod(features.shape[2:]))), axis=-1))
    logits = head({"frames": features, "onset": features, "mask": shown})
    return keras.Model(image, logits, name="vggface_frames_end_to_end")
