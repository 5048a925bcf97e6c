"""Two streams, AlexNet-like CNN and CNN + LSTM, and a fusion layer: the CNN + improved LSTM fusion paper (section 3).

    frames (B, T, S, S, 3) --[trunk to FC6 or FC7]--> (B, T, D) --> mean over time  (B, D)  --+
                                                                                             F --> [FC7] FC8 FC9
    flow   (B, T, S, S, 3) --[trunk to FC6 or FC7]--> (B, T, D) --> LSTM, last step (B, H)  --+

The paper prints 96x96x3 inputs, 5 convolutions, 3 poolings, 4 fully connected layers, and that fusion after FC7 in
trained mode is best. Widths are AlexNet's (Krizhevsky et al. 2012); the mean over time, FC8's width and what "trained"
and "untrained" mean are our reading of it: see `mer_tf.config.Fusion`.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

from mer_tf.config import Fusion, MerError, Model
from mer_tf.models.layers import FoldTime, Preprocess
from mer_tf.models.stages import Stage

STREAMS = {"spatial": "frames", "temporal": "flow"}
"""Stream -> its input."""


@keras.saving.register_keras_serializable("mer_tf")
class ResponseNorm(layers.Layer):
    """AlexNet's local response normalisation over 5 neighbouring channels: x / (2 + 1e-4 sum x^2)^.75, in float32."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"dtype": "float32", **kwargs})

    def call(self, images: Any) -> Any:
        """Normalise (B, H, W, C)."""
        channels = images.shape[-1]
        squares = ops.pad(ops.square(images), [[0, 0], [0, 0], [0, 0], [2, 2]])
        near = sum(squares[..., k : k + channels] for k in range(5))
        return images * ops.power(2.0 + 1e-4 * near, -0.75)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The input shape."""
        return input_shape


def build(config: Model, feature_shape: Any, classes: int, tail: keras.Model | None = None) -> keras.Model:
    """The whole network, of both streams or, as `config.fusion.streams` says, of one.

    feature_shape: {"frames": (S, S, 3), "flow": (S, S, 3)}. Inputs (dict): frames (B, T, S, S, 3) RGB 0..255 and flow
    (B, T, S, S, 3), (dx, dy, dz) as 8 bits with dx, dy at rest at 128 and dz at 0, each where its stream is there.
    Output: float32 logits (B, classes). T may differ from batch to batch. `tail` is no part of it.
    """
    if tail is not None:
        raise MerError("model.retrain_from: cnn_lstm_fusion has no pretrained encoder; leave it None")
    fusion = config.fusion
    images = {name: keras.Input((None, *feature_shape[name]), name=name) for name in _inputs(fusion)}
    features = {s: _stream(images[i], s, config) for s, i in STREAMS.items() if i in images}
    shapes = {name: tuple(value.shape[1:]) for name, value in features.items()}
    head = _fused(shapes, config, classes) if len(shapes) == 2 else _single(shapes, config, classes)
    return keras.Model(images, head(features), name="cnn_lstm_fusion")


def stages(model: keras.Model, config: Model) -> list[Stage]:
    """Each stream alone under a head of its own, then the fusion; a single stream has one stage (paper A, section 4).

    The heads of the first stages are new and are thrown away. Streams that stay frozen afterwards stand in the last
    stage's trunk.
    """
    names = [s for s, i in STREAMS.items() if i in _inputs(config.fusion)]
    if len(names) == 1:
        return [Stage(names[0], model)]
    head, inputs = model.get_layer("head"), {t.name: t for t in model.inputs}
    classes, found = head.output_shape[-1], []
    features = {name: model.get_layer(f"{name}_features").output for name in names}
    for name in names:
        alone = _single({name: tuple(features[name].shape[1:])}, config, classes)
        picked = {STREAMS[name]: inputs[STREAMS[name]]}
        found.append(Stage(name, keras.Model(picked, alone({name: features[name]}), name=name), last=False))
    if _finetuned(config.fusion):
        return [*found, Stage("fusion", model)]
    return [*found, Stage("fusion", head, keras.Model(inputs, features, name="streams"))]


def first_stages(config: Model) -> int:
    """A stage for each stream before their fusion; none before a single stream."""
    return 2 if config.fusion.streams == "both" else 0


def trunk(image_shape: tuple[int, ...], config: Model, name: str) -> keras.Model:
    """One stream's CNN up to the layer that is fused: scaled images (N, S, S, 3) -> (N, fc_units)."""
    fusion = config.fusion
    image = keras.Input(image_shape, name="image")
    c1, c2, c3, c4, c5 = fusion.channels

    # ------------------------------------------------------------------ convolutions
    x = _conv(c1, 11, "conv1", fusion.stem_stride)(image)
    x = _pool("pool1")(ResponseNorm(name="norm1")(x) if fusion.response_norm else x)
    x = _conv(c2, 5, "conv2")(x)
    x = _pool("pool2")(ResponseNorm(name="norm2")(x) if fusion.response_norm else x)
    x = _conv(c4, 3, "conv4")(_conv(c3, 3, "conv3")(x))
    x = _pool("pool5")(_conv(c5, 3, "conv5")(x))

    # ------------------------------------------------------------------ fully connected
    x = layers.Flatten(name="flat")(x)
    for number in range(6, int(fusion.after[-1]) + 1):
        x = _dense(x, fusion.fc_units, f"fc{number}", config.dropout)
    return keras.Model(image, x, name=name)


def _inputs(fusion: Fusion) -> list[str]:
    return [i for s, i in STREAMS.items() if fusion.streams in ("both", s)]


def _finetuned(fusion: Fusion) -> bool:
    return fusion.finetune_streams and fusion.mode in ("trained", "framewise_lstm")


def _stream(images: Any, name: str, config: Model) -> Any:
    """Features of one stream: (B, D), or of each frame (B, T, D) where the fusion itself runs over time."""
    mode = "flow" if name == "temporal" else "paper_code"
    x = Preprocess(mode, name=f"{name}_scaled")(images)
    cnn = trunk(tuple(images.shape[2:]), config, f"{name}_trunk")
    framewise = config.fusion.mode == "framewise_lstm"
    x = FoldTime(cnn, name=f"{name}_features" if framewise else f"{name}_frames")(x)
    if framewise:
        return x
    if name == "temporal":
        # cuDNN's LSTM switches XLA off for the whole step.
        return layers.LSTM(config.lstm_units, use_cudnn=False, name="temporal_features")(x)
    return layers.GlobalAveragePooling1D(dtype="float32", name="spatial_features")(x)


def _fused(shapes: dict[str, tuple[int | None, ...]], config: Model, classes: int) -> keras.Model:
    """Fusion layer F and classifier on both streams' features."""
    fusion = config.fusion
    features = {name: keras.Input(shape, name=name) for name, shape in shapes.items()}
    pair = list(features.values())
    if fusion.mode == "untrained":
        pair = [layers.UnitNormalization(dtype="float32", name=f"{name}_unit")(f) for name, f in features.items()]
    x = _join(pair, fusion)
    if fusion.mode == "framewise_lstm":
        x = layers.LSTM(config.lstm_units, use_cudnn=False, name="fusion")(x)
    elif fusion.mode != "untrained":
        learns = fusion.mode == "trained"
        x = _dense(x, fusion.fc_units, "fusion", config.dropout, trainable=learns)
    return keras.Model(features, _classifier(x, config, classes), name="head")


def _join(pair: list[Any], fusion: Fusion) -> Any:
    if fusion.join == "concat":
        return layers.Concatenate(name="join")(pair)
    if pair[0].shape[-1] != pair[1].shape[-1]:
        widths = " and ".join(str(f.shape[-1]) for f in pair)
        raise MerError(f"model.fusion.join={fusion.join}: streams of {widths} features; make lstm_units equal fc_units")
    return {"sum": layers.Add, "max": layers.Maximum}[fusion.join](name="join")(pair)


def _single(shapes: dict[str, tuple[int | None, ...]], config: Model, classes: int) -> keras.Model:
    """Classifier on one stream's features."""
    ((name, shape),) = shapes.items()
    features = keras.Input(shape, name=name)
    x = layers.GlobalAveragePooling1D(dtype="float32", name="mean")(features) if len(shape) == 2 else features
    return keras.Model({name: features}, _classifier(x, config, classes), name="head")


def _classifier(x: Any, config: Model, classes: int) -> Any:
    """FC7 where features came from FC6, then FC8 and FC9."""
    if config.fusion.after == "fc6":
        x = _dense(x, config.fusion.fc_units, "fc7", config.dropout)
    x = layers.Dense(config.fusion.fc8_units, activation="relu", kernel_initializer="he_normal", name="fc8")(x)
    return layers.Dense(classes, dtype="float32", name="fc9")(x)


def _conv(filters: int, size: int, name: str, stride: int = 1) -> layers.Conv2D:
    # Without batch normalisation a ReLU network of this depth hardly starts from Glorot's smaller weights.
    return layers.Conv2D(
        filters, size, stride, padding="same", activation="relu", kernel_initializer="he_normal", name=name
    )


def _pool(name: str) -> layers.MaxPooling2D:
    return layers.MaxPooling2D(3, 2, name=name)


def _dense(x: Any, units: int, name: str, dropout: float, *, trainable: bool = True) -> Any:
    dense = layers.Dense(units, activation="relu", kernel_initializer="he_normal", trainable=trainable, name=name)
    return layers.Dropout(dropout, name=f"{name}_dropout")(dense(x))
