"""Small networks with maps, which no test changes: an image model, and a frame encoder under a recurrent head."""

import random

import keras
from keras import layers

from mer_tf.models.vggface_lstm import VggFaceLstm, end_to_end


def image_model(size=12, classes=3, activation=None):
    inputs = keras.Input((size, size, 3))
    x = layers.Conv2D(4, 3, activation="relu", name="first")(inputs)
    y = layers.Conv2D(4, 3, padding="same", activation="relu", name="branch")(x)
    x = layers.Add(name="sum")([x, y])
    x = layers.Conv2D(6, 3, strides=2, name="last")(x)
    x = layers.GlobalAveragePooling2D(name="pool")(layers.ReLU(name="last_relu")(x))
    return keras.Model(inputs, layers.Dense(classes, activation=activation, name="logits")(x), name="image_model")


def frame_encoder(size=12, features=5):
    inputs = keras.Input((size, size, 3))
    x = layers.Conv2D(4, 3, activation="relu", name="conv1")(inputs)
    x = layers.Conv2D(features, 3, activation="relu", name="conv2")(x)
    return keras.Model(inputs, layers.GlobalAveragePooling2D(name="avg_pool")(x), name="frame_encoder")


def clip_head(feature_shape, center="onset", tail=None):
    config = VggFaceLstm(embedding=(8, 6), lstm_units=6, lstm_layers=1, head_units=6, center=center)
    return config.build(feature_shape, 3, tail)


def clip_model(center="onset"):
    """(frame encoder, head over its features, both as one model)."""
    encoder = frame_encoder()
    head = clip_head(encoder.output_shape[1:], center)
    return encoder, head, end_to_end(encoder, head)


def retrained_model():
    """A head with a retrained tail of the encoder inside, over a frozen trunk."""
    encoder = frame_encoder()
    cut = encoder.get_layer("conv2").input
    trunk, tail = keras.Model(encoder.input, cut, name="trunk"), keras.Model(cut, encoder.output, name="tail")
    return end_to_end(trunk, clip_head(trunk.output_shape[1:], tail=tail))


def seeded(build):
    """What `build` makes from seed 0, from which initializers draw; `set_random_seed` would drop compiled kernels."""
    random.seed(0)
    return build()
