"""Two streams, AlexNet-like CNN and CNN + LSTM, and a fusion layer: paper A (docs/papers.md), section 3.

    frames (B, T, S, S, 3) --[trunk to FC6 or FC7]--> (B, T, D) --> mean over time  (B, D)  --+
                                                                                             F --> [FC7] FC8 FC9
    flow   (B, T, S, S, 3) --[trunk to FC6 or FC7]--> (B, T, D) --> LSTM, last step (B, H)  --+

The paper prints 96x96x3 inputs, 5 convolutions, 3 poolings, 4 fully connected layers, and that fusion after FC7 in
trained mode is best. Widths are AlexNet's (Krizhevsky et al. 2012); the mean over time, FC8's width and what "trained"
and "untrained" mean are our reading of it: see `Fusion`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from mer_tf.config import Experiment
from mer_tf.model import Shows
from mer_tf.models.inputs import RELU_CONV, lstm, relu_dense
from mer_tf.models.kinds import ImageModel
from mer_tf.models.later import keras, layers, own
from mer_tf.models.stages import Stage
from mer_tf.ranges import BelowOne, Count

STREAMS = {"spatial": "frames", "temporal": "flow"}
"""Stream -> its input."""


@dataclass(frozen=True)
class Fusion:
    """Two streams of one AlexNet-like trunk each, and what joins them (A)."""

    streams: Literal["both", "spatial", "temporal"] = "both"
    mode: Literal["trained", "untrained", "random", "framewise_lstm"] = "trained"
    """The fusion layer. trained: dense on both streams' features; untrained: nothing is learned, features are scaled to
    length 1 and put together; random: a dense layer that stays as drawn; framewise_lstm: both streams' features of each
    frame feed one LSTM, another reading of A's text."""
    after: Literal["fc6", "fc7"] = "fc7"
    """Fully connected layer of the streams whose output is fused."""
    join: Literal["concat", "sum", "max"] = "concat"
    """How two feature vectors become one; sum and max need streams of equal width."""
    finetune_streams: bool = True
    """Whether streams go on learning with the fusion layer (A does not say); never when that is untrained or random, so
    that a trained one is compared with these at False."""
    channels: tuple[Count, ...] = (96, 256, 384, 384, 256)
    """Channels of conv1 to conv5 (AlexNet's; A prints none)."""
    stem_stride: Count = 4
    """Stride of conv1."""
    response_norm: bool = False
    """AlexNet's local response normalisation after conv1 and conv2."""
    fc_units: Count = 4096
    """Width of FC6, FC7 and of the fusion layer."""
    fc8_units: Count = 1024


@dataclass(frozen=True)
class CnnLstmFusion(ImageModel):
    """Two streams, CNN and CNN + LSTM, and a fusion layer (A)."""

    name: Literal["cnn_lstm_fusion"] = "cnn_lstm_fusion"
    lstm_units: Count = 512
    lstm: Literal["plain", "peephole", "coupled"] = "plain"
    """A says that its LSTM is improved, and not how; readings of this. plain: an LSTM; peephole: its gates see the cell
    too; coupled: it forgets what it writes over, one gate fewer (`mer_tf.models.layers.recurrent`)."""
    dropout: BelowOne = 0.0
    fusion: Fusion = field(default_factory=Fusion)

    shows: ClassVar[Shows] = "heat maps"
    least: ClassVar = {
        "lstm_units": 8,
        "fusion": Fusion(channels=(4, 4, 4, 4, 4), stem_stride=1, fc_units=8, fc8_units=8),
    }

    def check(self, experiment: Experiment, of_images: bool) -> Iterator[str]:
        yield from super().check(experiment, of_images)
        how, widths = self.fusion, (self.fusion.fc_units, self.lstm_units)
        if how.join != "concat" and how.streams == "both" and how.mode != "framewise_lstm" and len(set(widths)) > 1:
            said = f"streams of {widths[0]} and {widths[1]} features; make lstm_units equal fc_units"
            yield f"model.fusion.join={how.join}: {said}"

    def build(self, shape: Any, classes: int) -> keras.Model:
        """The whole network, of both streams or, as `fusion.streams` says, of one.

        The third channel of flow is at rest at 0. T may differ from batch to batch.
        """
        images = {name: keras.Input((None, *shape[name]), name=name) for name in _inputs(self.fusion)}
        features = {s: _stream(images[i], s, self) for s, i in STREAMS.items() if i in images}
        shapes = {name: tuple(value.shape[1:]) for name, value in features.items()}
        head = _fused(shapes, self, classes) if len(shapes) == 2 else _single(shapes, self, classes)
        return keras.Model(images, head(features), name="cnn_lstm_fusion")

    @property
    def first_stages(self) -> int:
        """A stage for each stream before their fusion; none before a single stream."""
        return 2 if self.fusion.streams == "both" else 0

    def stages(self, model: keras.Model) -> list[Stage]:
        """Each stream alone under a head of its own, then the fusion; a single stream has one stage (A, section 4).

        The heads of the first stages are new and are thrown away. Streams that stay frozen afterwards stand in the last
        stage's trunk.
        """
        names = [s for s, i in STREAMS.items() if i in _inputs(self.fusion)]
        if len(names) == 1:
            return [Stage(names[0], model)]
        head, inputs = model.get_layer("head"), {t.name: t for t in model.inputs}
        classes, found = head.output_shape[-1], []
        features = {name: model.get_layer(f"{name}_features").output for name in names}
        for name in names:
            alone = _single({name: tuple(features[name].shape[1:])}, self, classes)
            picked = {STREAMS[name]: inputs[STREAMS[name]]}
            found.append(Stage(name, keras.Model(picked, alone({name: features[name]}), name=name), last=False))
        if self.fusion.finetune_streams and self.fusion.mode in ("trained", "framewise_lstm"):
            return [*found, Stage("fusion", model)]
        return [*found, Stage("fusion", head, keras.Model(inputs, features, name="streams"))]


def trunk(image_shape: tuple[int, ...], config: CnnLstmFusion, name: str) -> keras.Model:
    """One stream's CNN up to the layer that is fused: scaled images (N, S, S, 3) -> (N, fc_units)."""
    fusion = config.fusion
    image = keras.Input(image_shape, name="image")
    c1, c2, c3, c4, c5 = fusion.channels

    # ------------------------------------------------------------------ convolutions
    x = _conv(c1, 11, "conv1", fusion.stem_stride)(image)
    x = layers.MaxPooling2D(3, 2, name="pool1")(own.ResponseNorm(name="norm1")(x) if fusion.response_norm else x)
    x = _conv(c2, 5, "conv2")(x)
    x = layers.MaxPooling2D(3, 2, name="pool2")(own.ResponseNorm(name="norm2")(x) if fusion.response_norm else x)
    x = _conv(c4, 3, "conv4")(_conv(c3, 3, "conv3")(x))
    x = layers.MaxPooling2D(3, 2, name="pool5")(_conv(c5, 3, "conv5")(x))

    # ------------------------------------------------------------------ fully connected
    x = layers.Flatten(name="flat")(x)
    for number in range(6, int(fusion.after[-1]) + 1):
        x = relu_dense(x, fusion.fc_units, f"fc{number}", config.dropout)
    return keras.Model(image, x, name=name)


def _inputs(fusion: Fusion) -> list[str]:
    return [i for s, i in STREAMS.items() if fusion.streams in ("both", s)]


def _stream(images: Any, name: str, config: CnnLstmFusion) -> Any:
    """Features of one stream: (B, D), or of each frame (B, T, D) where the fusion itself runs over time."""
    mode = "flow" if name == "temporal" else "paper_code"
    x = own.Preprocess(mode, name=f"{name}_scaled")(images)
    cnn = trunk(tuple(images.shape[2:]), config, f"{name}_trunk")
    framewise = config.fusion.mode == "framewise_lstm"
    x = own.FoldTime(cnn, name=f"{name}_features" if framewise else f"{name}_frames")(x)
    if framewise:
        return x
    if name == "temporal":
        return _lstm(config, "temporal_features")(x)
    return layers.GlobalAveragePooling1D(dtype="float32", name="spatial_features")(x)


def _lstm(config: CnnLstmFusion, name: str) -> Any:
    """What joins a stream's frames: (B, T, D) -> (B, lstm_units), the last step."""
    if config.lstm == "plain":
        return lstm(config.lstm_units, name)
    cell = {"peephole": "PeepholeCell", "coupled": "CoupledCell"}[config.lstm]
    return layers.RNN(getattr(own, cell)(config.lstm_units), name=name)


def _fused(shapes: dict[str, tuple[int | None, ...]], config: CnnLstmFusion, classes: int) -> keras.Model:
    fusion = config.fusion
    features = {name: keras.Input(shape, name=name) for name, shape in shapes.items()}
    pair = list(features.values())
    if fusion.mode == "untrained":
        pair = [layers.UnitNormalization(dtype="float32", name=f"{name}_unit")(f) for name, f in features.items()]
    x = {"concat": layers.Concatenate, "sum": layers.Add, "max": layers.Maximum}[fusion.join](name="join")(pair)
    if fusion.mode == "framewise_lstm":
        x = _lstm(config, "fusion")(x)
    elif fusion.mode != "untrained":
        x = relu_dense(x, fusion.fc_units, "fusion", config.dropout, trainable=fusion.mode == "trained")
    return keras.Model(features, _classifier(x, config, classes), name="head")


def _single(shapes: dict[str, tuple[int | None, ...]], config: CnnLstmFusion, classes: int) -> keras.Model:
    ((name, shape),) = shapes.items()
    features = keras.Input(shape, name=name)
    x = layers.GlobalAveragePooling1D(dtype="float32", name="mean")(features) if len(shape) == 2 else features
    return keras.Model({name: features}, _classifier(x, config, classes), name="head")


def _classifier(x: Any, config: CnnLstmFusion, classes: int) -> Any:
    """FC7 where features came from FC6, then FC8 and FC9."""
    if config.fusion.after == "fc6":
        x = relu_dense(x, config.fusion.fc_units, "fc7", config.dropout)
    x = layers.Dense(config.fusion.fc8_units, activation="relu", kernel_initializer="he_normal", name="fc8")(x)
    return layers.Dense(classes, dtype="float32", name="fc9")(x)


def _conv(filters: int, size: int, name: str, stride: int = 1) -> layers.Conv2D:
    # Without batch normalisation a ReLU network of this depth hardly starts from Glorot's smaller weights.
    return layers.Conv2D(filters, size, stride, name=name, **RELU_CONV)
