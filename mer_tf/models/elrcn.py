"""ELRCN: an enriched long-term recurrent convolutional network on flow and optical strain (Khor et al., FG 2018).

    elrcn_se (spatial): flow, its magnitude and strain [and grey] as 4 [5] channels of one VGG16 --> (B, T, 4096)
    elrcn_te (temporal): a VGG-Face of its own each for flow, strain [and grey], (B, T, 8192 [12288])
    --> LSTM 3000, last step --> 128 ReLU --> logits (B, classes)

Widths and order are those of the authors' code. It ends in a sigmoid under a cross-entropy over classes; here logits,
as every model. The VGG is trained first, as a classifier of single images (mean of their logits over a clip), and is
then frozen. Its convolutions start from VGG-Face where `weights` finds it; the file of it that is published without
classifier has no dense layers, so that these start at random.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, ClassVar, Literal

from mer_tf.config import Experiment
from mer_tf.model import Shows
from mer_tf.models.encoders.names import BLOCKS, PREFERRED_MAPS, VGG16, vggface_weights
from mer_tf.models.inputs import RELU_CONV, grey, lstm_head, relu_dense, scaled
from mer_tf.models.kinds import FeatureModel, ImageModel
from mer_tf.models.later import keras, layers, ops, own
from mer_tf.models.stages import Stage, cnn_then_lstm
from mer_tf.ranges import Amount, BelowOne, Positive

log = logging.getLogger("mer_tf")
FC, LSTM, DENSE = 4096, 3000, 128


@dataclass(frozen=True)
class Elrcn(ImageModel):
    """An enriched long-term recurrent convolutional network (Khor et al., FG 2018)."""

    dropout: BelowOne = 0.0
    """After the VGG's dense layers."""
    width: Positive = 1.0
    """All widths times this."""
    grey: bool = False
    """Grey frames beside flow and optical strain."""
    weights: str = "random"
    """Where the VGG's convolutions start: auto (VGG-Face where its file is, is said in the log), random, or a file as
    `weights` of vggface-vgg16. Face weights ask for width 1, and for the code's learning rate, which is of no use to
    random ones."""
    random_rate: Amount = 0.0
    """Learning rate instead of train.learning_rate where auto finds no face weights; 0: the same."""

    spatial: ClassVar[bool]
    """Whether all images are channels of one VGG."""
    shows: ClassVar[Shows] = "heat maps"
    least_side: ClassVar = 2 ** len(VGG16)
    least: ClassVar = {"width": 0.03, "grey": True}

    def check(self, experiment: Experiment, of_images: bool) -> Iterator[str]:
        yield from super().check(experiment, of_images)
        if self.weights not in ("auto", "random"):
            vggface_weights(PREFERRED_MAPS, self.weights)
        if self.weights != "random" and self.width != 1:
            yield f"model.weights={self.weights}: face weights have width 1; use model.weights=random or model.width=1"

    def settled(self, experiment: Experiment) -> Experiment:
        """With the learning rate that fits the weights which auto found."""
        if self.weights != "auto" or not self.random_rate:
            return experiment
        train = experiment.train
        if _faces_found(self.weights):
            log.info("%s: face weights, so train.learning_rate=%g", self.name, train.learning_rate)
            return experiment
        said = "%s: no face weights were found, so model.random_rate=%g is the learning rate, not %g (of face weights)"
        log.warning(said, self.name, self.random_rate, train.learning_rate)
        return replace(experiment, train=replace(train, learning_rate=self.random_rate))

    def build(self, shape: Any, classes: int) -> keras.Model:
        """The third channel of flow is its magnitude; S is 32 or more (published: 224, T = 9)."""
        inputs = self.volumes(shape, *(("frames", "flow") if self.grey else ("flow",)))
        streams = _streams(inputs, self.spatial)
        networks = {n: vgg16(x.shape[2:], self, f"{n}_vgg") for n, x in streams.items()}
        for network in networks.values() if self.weights != "random" else ():
            begin_from_faces(network, self.weights)
        found = [own.FoldTime(networks[n], name=f"{n}_images")(x) for n, x in streams.items()]
        features = (
            layers.Concatenate(name="features")(found) if len(found) > 1 else layers.Identity(name="features")(found[0])
        )
        head = lstm_head(features, classes, scaled(LSTM, self.width), scaled(DENSE, self.width))
        return keras.Model(inputs, head({"features": features}), name=self.name)

    @property
    def first_stages(self) -> int:
        return 1

    def stages(self, model: keras.Model) -> list[Stage]:
        return cnn_then_lstm(model, "vgg")


@dataclass(frozen=True)
class ElrcnSe(Elrcn):
    """One VGG for all images."""

    name: Literal["elrcn_se"] = "elrcn_se"
    spatial: ClassVar = True


@dataclass(frozen=True)
class ElrcnTe(Elrcn):
    """A VGG each for flow, strain and grey frames."""

    name: Literal["elrcn_te"] = "elrcn_te"
    spatial: ClassVar = False


def vgg16(image_shape: tuple[int, ...], config: Elrcn, name: str) -> keras.Model:
    """VGG16 to its second dense layer: images (N, S, S, C) -> (N, 4096)."""
    image = keras.Input(image_shape, name="image")
    x: Any = image
    for block, (width, depth) in enumerate(VGG16, start=1):
        for index in range(1, depth + 1):
            x = layers.Conv2D(scaled(width, config.width), 3, name=f"conv{block}_{index}", **RELU_CONV)(x)
        x = layers.MaxPooling2D(2, name=f"pool{block}")(x)
    x = layers.Flatten(name="flat")(x)
    for number in (6, 7):
        x = relu_dense(x, scaled(FC, config.width), f"fc{number}", config.dropout)
    return keras.Model(image, x, name=name)


def begin_from_faces(network: keras.Model, weights: str) -> None:
    """Give the convolutions of `vgg16` those of VGG-Face; `auto` without its file leaves them as they are.

    Where an image has not three channels, each takes the mean of the first layer's three, times 3 / channels, so that
    activations keep their size.
    """
    for name, (kernel, bias) in _faces(weights).items():
        layer = network.get_layer(name)
        channels = layer.kernel.shape[2]
        if channels != kernel.shape[2]:
            kernel = kernel.mean(axis=2, keepdims=True).repeat(channels, axis=2) * (kernel.shape[2] / channels)
        layer.set_weights([kernel, bias])


def _face_network(weights: str) -> FeatureModel:
    from mer_tf.models.vggface_lstm import VggFaceLstm

    return VggFaceLstm(encoder="auto", weights=None if weights == "auto" else weights, features_at="pool5")


def _faces_found(weights: str) -> bool:
    from mer_tf.models.encoders.build import resolve_encoder  # brings Keras

    return resolve_encoder(_face_network(weights))[0] == PREFERRED_MAPS


@cache
def _faces(weights: str) -> dict[str, list[Any]]:
    """Kernel and bias of VGG-Face's convolutions by name; none where `auto` does not find them."""
    from mer_tf.models.encoders.build import build_encoder  # brings Keras

    if not _faces_found(weights):
        log.warning("elrcn: VGG16 starts at random")
        return {}
    encoder = build_encoder(_face_network(weights), input_size=224)
    log.info("elrcn: VGG16 starts from %s", encoder.weights["source"])
    return {
        layer.name: layer.get_weights()
        for layer in encoder.model._flatten_layers()
        if layer.name in BLOCKS[PREFERRED_MAPS]
    }


def _streams(inputs: dict[str, Any], together: bool) -> dict[str, Any]:
    """Stream -> its images (B, T, S, S, C): all as channels of one, or each by itself with 3 channels."""
    flow = own.Preprocess("flow", name="flow_scaled")(inputs["flow"])
    found = {"flow": flow, "strain": scaled_strain(flow[..., :2])}
    found |= {"grey": grey(inputs["frames"])} if "frames" in inputs else {}
    if together:
        return {"all": ops.concatenate(list(found.values()), axis=-1)}
    return {name: x if x.shape[-1] == 3 else ops.repeat(x, 3, axis=-1) for name, x in found.items()}


def scaled_strain(flow: Any) -> Any:
    """Optical strain (B, T, S, S, 1) of scaled flow (B, T, S, S, 2); see `preprocessing.strain.optical_strain`."""
    across, down = _slope(flow, 3), _slope(flow, 2)
    shear = (down[..., :1] + across[..., 1:]) / 2
    return ops.sqrt(across[..., :1] ** 2 + down[..., 1:] ** 2 + 2 * shear**2 + 1e-12)


def _slope(x: Any, axis: int) -> Any:
    """Central differences along an axis, one-sided at its ends, as numpy.gradient has them."""

    def part(start: int | None, stop: int | None) -> Any:
        return x[(*[slice(None)] * axis, slice(start, stop))]

    inner = (part(2, None) - part(None, -2)) / 2
    return ops.concatenate([part(1, 2) - part(0, 1), inner, part(-1, None) - part(-2, -1)], axis=axis)
