"""A small network for onset-apex flow images that is the same for an image and its mirror image.

    flow image --+-----------------> core --+
                 |                          mean --> logits (B, classes)
                 +--[mirror, -u]---> core --+

    core: [standardise each channel of each image] --> 3 x [3 x 3 convolution, batch norm, ReLU, 2 x 2 pool] --> dense

Each channel of a flow image was stretched to 0..255 by somebody; standardising it again forgets by whom and how.
Faces are symmetric and so are classes: the mean over both sides of the image makes the network so, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

from mer_tf.config import Experiment
from mer_tf.models import PRETRAINED
from mer_tf.models.inputs import scaled
from mer_tf.models.kinds import FLOW_SIDE, FlowImageModel
from mer_tf.models.later import keras, layers, ops
from mer_tf.names import unknown
from mer_tf.ranges import BelowOne, Positive

FILTERS = (16, 32, 64)
UNITS = 128
SHIPPED = ("negative", "positive", "surprise")
"""Classes of shipped networks."""


@dataclass(frozen=True)
class AuFlow(FlowImageModel):
    """The network that is pretrained on drawn action units, and shipped with the package."""

    name: Literal["au_flow"] = "au_flow"
    weights: str | None = None
    """Name of a network that ships with the package (au-flow-3), from whose weights it begins; None: new weights."""
    head: Literal["trained", "given"] = "trained"
    """In the composite of MEGC 2019. trained: on the training clips; given: never, so that nothing but the shipped
    weights speaks."""
    dropout: BelowOne = 0.0
    width: Positive = 1.0
    """Channels and units times this; shipped weights have their own width."""

    least: ClassVar = {"width": 0.05}

    def check(self, experiment: Experiment, of_images: bool) -> Iterator[str]:
        yield from super().check(experiment, of_images)
        side = experiment.clip.side
        if self.weights is not None and self.weights not in PRETRAINED:
            yield f"model.weights: {unknown('shipped network', self.weights, PRETRAINED)}"
        if self.weights is None and self.head != "trained":
            yield f"model.head={self.head}: needs a shipped network; use model.weights={PRETRAINED[0]}"
        if not of_images and self.weights is not None and side not in (0, FLOW_SIDE):
            yield f"clip.side={side}: {self.weights} takes images of {FLOW_SIDE} pixels; use clip.side={FLOW_SIDE}"

    def check_classes(self, classes: Sequence[str]) -> Iterator[str]:
        if self.head == "given" and tuple(classes) != SHIPPED:
            yield (
                f"model.head=given: {self.weights} knows {', '.join(SHIPPED)}, not {', '.join(classes)}; use "
                "--data.label_protocol megc2019-3, or model.head=trained"
            )

    @property
    def normalises(self) -> bool:
        """Only without shipped weights: the statistics of shipped weights are frozen."""
        return self.weights is None

    def build(self, shape: Any, classes: int) -> keras.Model:
        """S is a multiple of 4.

        With `weights` it begins with those of the shipped network, its batch statistics frozen; another number of
        classes gets a new last layer.
        """
        given, sized = self.input(shape), replace(self, width=1.0) if self.weights else self
        x = given["flow_image"]
        body = core(shape["flow_image"], classes, sized)
        logits = layers.Average(dtype="float32", name="logits")([body(x), body(_mirrored(x))])
        model = keras.Model(given, logits, name="au_flow")
        if self.weights:
            from mer_tf.models.pretrained import begin_with

            begin_with(model, self.weights)
        return model


def core(shape: tuple[int, ...], classes: int, config: AuFlow) -> keras.Model:
    """The network for one side: images (B, S, S, 3) 0..255 -> logits (B, classes)."""
    image = keras.Input(shape, name="image")
    # Groups of one channel: mean 0 and deviation 1 over the pixels of an image.
    x = layers.GroupNormalization(groups=3, epsilon=1e-3, center=False, scale=False, name="standardised")(image)
    for number, filters in enumerate(FILTERS, 1):
        x = layers.Conv2D(scaled(filters, config.width), 3, padding="same", use_bias=False, name=f"conv{number}")(x)
        x = layers.BatchNormalization(momentum=0.95, name=f"norm{number}")(x)
        x = layers.Activation("relu", name=f"relu{number}")(x)
        if number < len(FILTERS):
            x = layers.MaxPooling2D(2, name=f"pool{number}")(x)
        else:
            x = layers.AveragePooling2D(2, padding="same", name=f"pool{number}")(x)
    # Flat and not a mean over the face: where it moves is what an action unit is.
    x = layers.Flatten(name="flat")(x)
    x = layers.Dense(scaled(UNITS, config.width), activation="relu", name="features")(layers.Dropout(config.dropout)(x))
    x = layers.Dropout(config.dropout, name="features_dropout")(x)
    return keras.Model(image, layers.Dense(classes, dtype="float32", name="head")(x), name="core")


def _mirrored(x: Any) -> Any:
    """Columns reversed and u turned, 255 - u, as `mer_tf.preprocessing.augment.mirrored_flow_image` does."""
    turned = layers.Rescaling([-1.0, 1.0, 1.0], [255.0, 0.0, 0.0], name="turned_u")(x)
    return ops.flip(turned, axis=2)
