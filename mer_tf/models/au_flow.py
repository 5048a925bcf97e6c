"""A small network for onset-apex flow images that is the same for an image and its mirror image.

    flow image --+-----------------> core --+
                 |                          mean --> logits (B, classes)
                 +--[mirror, -u]---> core --+

    core: [standardise each channel of each image] --> 3 x [3 x 3 convolution, batch norm, ReLU, 2 x 2 pool] --> dense

Each channel of a flow image was stretched to 0..255 by somebody; standardising it again forgets by whom and how.
Faces are symmetric and so are classes: the mean over both sides of the image makes the network so, too.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import keras
from keras import layers, ops

from mer_tf.config import Model
from mer_tf.models.inputs import flow_image, refuse_tail, scaled

FILTERS = (16, 32, 64)
UNITS = 128
FEATURES = "features"
"""Layer of the core whose output, (B, UNITS), other classifiers may use."""


def build(config: Model, feature_shape: Any, classes: int, tail: keras.Model | None = None) -> keras.Model:
    """The network. feature_shape: {"flow_image": (S, S, 3)}, S a multiple of 4.

    Input (dict): flow_image (B, S, S, 3), u, v and strain 0..255. Output: float32 logits (B, classes). With
    `config.weights`, the name of a shipped network, it begins with that one's weights, its batch statistics frozen;
    another number of classes gets a new last layer.
    """
    refuse_tail(config, tail)
    config = replace(config, width=1.0) if config.weights else config
    given = flow_image(feature_shape)
    x = given["flow_image"]
    body = core(feature_shape["flow_image"], classes, config)
    logits = layers.Average(dtype="float32", name="logits")([body(x), body(_mirrored(x))])
    model = keras.Model(given, logits, name="au_flow")
    if config.weights:
        from mer_tf.models.pretrained import begin_with

        begin_with(model, config.weights)
    return model


def core(shape: tuple[int, ...], classes: int, config: Model) -> keras.Model:
    """The network for one side: images (B, S, S, 3) 0..255 -> logits (B, classes)."""
    image = keras.Input(shape, name="image")
    # Groups of one channel: mean 0 and deviation 1 over the pixels of an image.
    x = layers.GroupNormalization(groups=3, epsilon=1e-3, center=False, scale=False, name="standardised")(image)
    for number, filters in enumerate(FILTERS, 1):
        x = layers.Conv2D(scaled(filters, config), 3, padding="same", use_bias=False, name=f"conv{number}")(x)
        x = layers.BatchNormalization(momentum=0.95, name=f"norm{number}")(x)
        x = layers.Activation("relu", name=f"relu{number}")(x)
        if number < len(FILTERS):
            x = layers.MaxPooling2D(2, name=f"pool{number}")(x)
        else:
            x = layers.AveragePooling2D(2, padding="same", name=f"pool{number}")(x)
    # Flat and not a mean over the face: where it moves is what an action unit is.
    x = layers.Flatten(name="flat")(x)
    x = layers.Dense(scaled(UNITS, config), activation="relu", name=FEATURES)(layers.Dropout(config.dropout)(x))
    x = layers.Dropout(config.dropout, name="features_dropout")(x)
    return keras.Model(image, layers.Dense(classes, dtype="float32", name="head")(x), name="core")


def features_of(model: keras.Model) -> keras.Model:
    """The same network up to its features, (B, UNITS), the mean of both sides."""
    body = model.get_layer("core")
    inner = keras.Model(body.input, body.get_layer(FEATURES).output, name="inner")
    x = keras.Input(body.input_shape[1:], name="flow_image")
    return keras.Model({"flow_image": x}, layers.Average()([inner(x), inner(_mirrored(x))]), name="au_features")


def _mirrored(x: Any) -> Any:
    """Columns reversed and u turned, 255 - u, as `mer_tf.datasets.au_fields.flipped` does."""
    turned = layers.Rescaling([-1.0, 1.0, 1.0], [255.0, 0.0, 0.0], name="turned_u")(x)
    return ops.flip(turned, axis=2)
