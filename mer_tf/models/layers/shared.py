"""Layers of ours: time folded into the batch, resizing and input scaling inside the graph, parts of single networks."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

_VGGFACE1_BGR = (93.5940, 104.7624, 129.1863)
_VGGFACE2_BGR = (91.4953, 103.8827, 131.0912)
_IMAGENET_MEAN = (0.485, 0.456, 0.406)
_IMAGENET_STD = (0.229, 0.224, 0.225)

# mode: (channels reversed to BGR, mean, divisor); output = (input - mean) / divisor
_SCALING: dict[str, tuple[bool, tuple[float, ...], tuple[float, ...]]] = {
    "vggface1": (True, _VGGFACE1_BGR, (1.0,)),
    "vggface2": (True, _VGGFACE2_BGR, (1.0,)),
    "paper_code": (False, (0.0,), (255.0,)),
    "centred": (False, (127.5,), (127.5,)),
    "mtcnn": (False, (127.5,), (128.0,)),
    "raw": (False, (0.0,), (1.0,)),
    "flow": (False, (128.0, 128.0, 0.0), (127.5, 127.5, 255.0)),
    "imagenet": (False, tuple(255 * m for m in _IMAGENET_MEAN), tuple(255 * s for s in _IMAGENET_STD)),
}


@keras.saving.register_keras_serializable("mer_tf")
class FoldTime(keras.layers.Wrapper):
    """Apply a layer or model to every time step of (B, T, ...), as (B * T, ...) in one call.

    The same meaning as `keras.layers.TimeDistributed`, with two differences that matter here. Keras 3 unrolls a Python
    loop over a static time axis, which compiles and runs several times slower for a deep network. And its loop
    normalises every time step by that step's own batch statistics in training, which erases a motion common to the
    batch; here all frames share one set of statistics.

    Args:
        layer: layer or model with one input (N, ...) and one output (N, ...).

    Input (B, T, ...), output (B, T, ...); B and T may be unknown, the rest may not. A mask (B, T) is passed on.
    Inputs are not cast: the wrapped layer casts as its own dtype policy says.
    """

    def __init__(self, layer: Any, **kwargs: Any) -> None:
        super().__init__(layer, **{"autocast": False, **kwargs})
        self.supports_masking = True

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        super().build((None, *input_shape[2:]))

    def compute_output_spec(self, inputs: Any, training: bool | None = None) -> Any:
        step = keras.KerasTensor((None, *inputs.shape[2:]), dtype=inputs.dtype)
        spec = self.layer.compute_output_spec(step)
        return keras.KerasTensor((*inputs.shape[:2], *spec.shape[1:]), dtype=spec.dtype)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (*input_shape[:2], *self.layer.compute_output_shape((None, *input_shape[2:]))[1:])

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Fold time into the batch, apply the wrapped layer, unfold; Keras' call context hands `training` on."""
        batch, time = inputs.shape[:2]
        steps = self.layer(ops.reshape(inputs, (-1, *inputs.shape[2:])))
        if time is None and batch is None:
            time = ops.shape(inputs)[1]
        lead = (batch if batch is not None else -1, time if time is not None else -1)
        return ops.reshape(steps, (*lead, *steps.shape[1:]))


@keras.saving.register_keras_serializable("mer_tf")
class Preprocess(keras.layers.Layer):
    """RGB images 0..255 (B, H, W, 3) to what a network was trained on, always in float32.

    Args:
        mode: `vggface1` | `vggface2`: BGR minus the mean of keras-vggface 0.6, version 1 (VGG16) or 2 (ResNet-50,
            SENet-50); `paper_code`: RGB / 255; `centred`: RGB to -1 .. 1; `mtcnn`: (RGB - 127.5) / 128, as mtcnn
            1.0.0 feeds its networks; `imagenet`: RGB / 255 minus the ImageNet mean, over its standard deviation;
            `raw`: RGB 0..255; `flow`: (dx, dy, dz) of `preprocessing.stacks.quantised` to -1 .. 1, -1 .. 1, 0 .. 1,
            rest to 0.
    """

    def __init__(self, mode: str, **kwargs: Any) -> None:
        if mode not in _SCALING:
            raise ValueError(f"unknown preprocessing {mode!r}; one of {', '.join(_SCALING)}")
        # Half precision would round the interpolated pixels, the signal of a micro-expression.
        super().__init__(**{"dtype": "float32", **kwargs})
        self.mode = mode

    def call(self, images: Any) -> Any:
        bgr, mean, divisor = _SCALING[self.mode]
        images = ops.cast(images, "float32")
        images = ops.flip(images, axis=-1) if bgr else images
        return (images - ops.convert_to_tensor(mean, "float32")) / ops.convert_to_tensor(divisor, "float32")

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape


@keras.saving.register_keras_serializable("mer_tf")
class Resize(keras.layers.Layer):
    """Antialiased bilinear resize of (B, H, W, C) to (B, size, size, C), in float32; H and W must be known.

    Equal to `keras.ops.image.resize(..., "bilinear", antialias=True)`, but as two matrix products: TensorFlow has no
    XLA kernel for its antialiased resize, so that one cannot be compiled.
    """

    def __init__(self, size: int, **kwargs: Any) -> None:
        super().__init__(**{"dtype": "float32", **kwargs})
        self.size = size

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        height, width = input_shape[1:3]
        if height is None or width is None:
            raise ValueError(f"Resize needs a known height and width, got the input shape {tuple(input_shape)}")
        self._rows, self._columns = bilinear(height, self.size), bilinear(width, self.size)
        self.built = True

    def call(self, images: Any) -> Any:
        images = ops.cast(images, "float32")
        images = ops.einsum("oh,bhwc->bowc", ops.convert_to_tensor(self._rows), images)
        return ops.einsum("pw,bowc->bopc", ops.convert_to_tensor(self._columns), images)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (input_shape[0], self.size, self.size, input_shape[3])


@keras.saving.register_keras_serializable(package="mer_tf")
class OnsetDifference(keras.layers.Layer):
    """Embeddings minus that of the clip's first frame: (B, T, D), (B, 1, D) -> (B, T, D). Identity cancels."""

    def call(self, frames: Any, onset: Any) -> Any:
        return ops.subtract(frames, onset)


class Unmasked(keras.layers.Layer):
    """A layer that is told by an argument which frames count: Keras' implicit masks end here."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def compute_mask(self, *_: Any) -> None:
        """The output has no mask."""


@keras.saving.register_keras_serializable(package="mer_tf")
class LastStep(Unmasked):
    """(B, T, D) at the last step that mask (B, T) keeps: (B, D)."""

    def call(self, steps: Any, mask: Any) -> Any:
        """Take the step by a product with its one-hot position, which every backend compiles."""
        last = ops.sum(ops.cast(mask, "int32"), axis=1) - 1
        chosen = ops.one_hot(last, ops.shape(steps)[1], dtype=steps.dtype)
        return ops.einsum("bt,btd->bd", chosen, steps)


@keras.saving.register_keras_serializable("mer_tf")
class Places(keras.layers.Layer):
    """Adds one learned number to each place of maps (B, H, W, C), as HTNet's position embedding does."""

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        normal = keras.initializers.RandomNormal(stddev=1.0)
        self.places = self.add_weight(shape=(1, *input_shape[1:3], 1), initializer=normal, name="places")

    def call(self, maps: Any) -> Any:
        return maps + self.places


@keras.saving.register_keras_serializable("mer_tf")
class AttendedLogits(keras.layers.Layer):
    """Dense classifier of `late` (B, P, P, C), weighted by where `early` (B, P, P, C) speaks for any class.

    For each class, early times the class's weights, averaged over channels, is stretched to 0..1 over the map; the mean
    over classes is the weight of each place.
    """

    def __init__(self, classes: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.classes = classes

    def build(self, input_shape: Any) -> None:
        normal = keras.initializers.RandomNormal(stddev=0.01)
        self.kernel = self.add_weight(shape=(*input_shape[0][1:], self.classes), initializer=normal, name="kernel")
        self.bias = self.add_weight(shape=(self.classes,), initializer="zeros", name="bias")

    def call(self, inputs: Any) -> Any:
        early, late = inputs
        maps = ops.einsum("bhwc,hwck->bhwk", early, self.kernel) / early.shape[-1]
        low = ops.min(maps, axis=(1, 2), keepdims=True)
        span = ops.max(maps, axis=(1, 2), keepdims=True) - low
        places = ops.mean((maps - low) / (span + 1e-9), axis=-1, keepdims=True)
        return ops.einsum("bhwc,hwck->bk", late * places, self.kernel) + self.bias

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return (input_shape[0][0], self.classes)


@keras.saving.register_keras_serializable("mer_tf")
class ResponseNorm(keras.layers.Layer):
    """AlexNet's local response normalisation over 5 neighbouring channels: x / (2 + 1e-4 sum x^2)^.75, in float32."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"dtype": "float32", **kwargs})

    def call(self, images: Any) -> Any:
        channels = images.shape[-1]
        squares = ops.pad(ops.square(images), [[0, 0], [0, 0], [0, 0], [2, 2]])
        near = sum(squares[..., k : k + channels] for k in range(5))
        return images * ops.power(2.0 + 1e-4 * near, -0.75)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape


def bilinear(source: int, target: int) -> np.ndarray:
    """Weights (target, source) float32 of a triangle filter at half-pixel centres, widened when shrinking."""
    centres = (np.arange(target) + 0.5) * source / target - 0.5
    distance = np.abs(np.arange(source)[None, :] - centres[:, None]) / max(source / target, 1.0)
    weights = np.maximum(0.0, 1.0 - distance)
    return (weights / weights.sum(axis=1, keepdims=True)).astype("float32")
