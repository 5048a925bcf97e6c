"""RCN-A: a recurrent convolutional network with attention that has no parameters (Xia et al., IEEE TIP 2020).

    flow image --[5 x 5 conv, batch norm, ReLU, pool 2, dropout]--> x
    x --[1 x 1 conv]--> y; twice y = [3 x 3 conv, the same both times](x + y); pool 2, dropout, average --> (B, P, P, C)
    --> times the class activation map of x under the classifier's own weights --> logits (B, classes)

Widths and order are those of the authors' code (version 3 of their attention). Their images give P = 7; ones of 28
pixels leave a map of 6 x 6, which is then not averaged.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

from mer_tf.config import Model
from mer_tf.models.inputs import flow_image, refuse_tail, scaled

FILTERS = 64
POOLED = 7


@keras.saving.register_keras_serializable("mer_tf")
class AttendedLogits(layers.Layer):
    """Dense classifier of `late` (B, P, P, C), weighted by where `early` (B, P, P, C) speaks for any class.

    For each class, early times the class's weights, averaged over channels, is stretched to 0..1 over the map; the mean
    over classes is the weight of each place.
    """

    def __init__(self, classes: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.classes = classes

    def build(self, input_shape: Any) -> None:
        """Weights (P, P, C, classes) and biases."""
        normal = keras.initializers.RandomNormal(stddev=0.01)
        self.kernel = self.add_weight(shape=(*input_shape[0][1:], self.classes), initializer=normal, name="kernel")
        self.bias = self.add_weight(shape=(self.classes,), initializer="zeros", name="bias")

    def call(self, inputs: Any) -> Any:
        """Logits (B, classes) of [early, late]."""
        early, late = inputs
        maps = ops.einsum("bhwc,hwck->bhwk", early, self.kernel) / early.shape[-1]
        low = ops.min(maps, axis=(1, 2), keepdims=True)
        span = ops.max(maps, axis=(1, 2), keepdims=True) - low
        places = ops.mean((maps - low) / (span + 1e-9), axis=-1, keepdims=True)
        return ops.einsum("bhwc,hwck->bk", late * places, self.kernel) + self.bias

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """(B, classes)."""
        return (input_shape[0][0], self.classes)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {**super().get_config(), "classes": self.classes}


def build(config: Model, feature_shape: Any, classes: int, tail: keras.Model | None = None) -> keras.Model:
    """The network. feature_shape: {"flow_image": (S, S, 3)}.

    Input (dict): flow_image (B, S, S, 3), 0..255. Output: float32 logits (B, classes). `config.dropout` follows both
    max-pools (the code: 0.5); `config.width` scales the 64 channels.
    """
    refuse_tail(config, tail)
    image, width = flow_image(feature_shape), scaled(FILTERS, config)
    x = layers.Rescaling(1 / 255, name="scaled")(image["flow_image"])
    x = _Block(width, 5, "first", padding="valid")(x)
    x = layers.Dropout(config.dropout, name="first_dropout")(layers.MaxPooling2D(2, name="first_pool")(x))
    y, again = _Block(width, 1, "forward")(x), _Block(width, 3, "recurrent")
    for _ in range(2):
        y = again(x + y)
    y = layers.Dropout(config.dropout, name="last_dropout")(layers.MaxPooling2D(2, name="last_pool")(y))
    side = min(POOLED, y.shape[1])
    early = layers.AdaptiveAveragePooling2D(side, name="early")(x)
    late = layers.AdaptiveAveragePooling2D(side, name="late")(y)
    logits = AttendedLogits(classes, dtype="float32", name="logits")([early, late])
    return keras.Model(image, logits, name="rcn")


class _Block:
    """Convolution, batch norm, ReLU; calls share their weights."""

    def __init__(self, width: int, size: int, name: str, padding: str = "same") -> None:
        weights = keras.initializers.VarianceScaling(2.0, "fan_out", "untruncated_normal")
        self.conv = layers.Conv2D(width, size, padding=padding, kernel_initializer=weights, name=f"{name}_conv")
        self.norm = layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=f"{name}_norm")

    def __call__(self, x: Any) -> Any:
        return ops.relu(self.norm(self.conv(x)))
