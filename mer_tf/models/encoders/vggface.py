"""VGGFace networks: VGG16 (VGGFace), ResNet-50 and SENet-50 (VGGFace2), as keras-vggface 0.6 builds them.

Layer names are keras-vggface's with "/", which Keras 3 refuses, written "__" (`original_name` maps back). Every
residual block ends in a ReLU named after it, so `model.get_layer("conv4_3").output` is the output of block conv4_3.

Sources: Parkhi et al., BMVC 2015 (VGG16); Cao et al., FG 2018 (VGGFace2); geometry and constants from
rcmalli/keras-vggface 0.6 (MIT).
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from mer_tf.config import MerError
from mer_tf.models.encoders.names import VGG16
from mer_tf.models.encoders.weight_files import WEIGHTS

NATIVE_SIZE = 224
_MINIMUM_SIZE = 32
_STAGES = ((2, 64, 3), (3, 128, 4), (4, 256, 6), (5, 512, 3))  # stage, width, blocks
_SE_RATIO = 16
# keras-vggface leaves Keras' default for ResNet-50 and sets its own for SENet-50.
_BN_EPSILON = {"resnet50": 1e-3, "senet50": 1e-4, "resnet50_torch": 1e-5, "senet50_torch": 1e-5}
TORCH = "_torch"
"""Behind a network's name: padding and epsilon as in the PyTorch networks of Oxford's VGG."""


def original_name(name: str) -> str:
    """Name of a layer in keras-vggface: "conv1__7x7_s2__bn" -> "conv1/7x7_s2/bn"."""
    return name.replace("__", "/")


def build_vggface(network: str, *, pooling: str | None = "avg", input_size: int = NATIVE_SIZE) -> keras.Model:
    """Build a VGGFace network, without its classifier of identities, with random weights.

    Args:
        network: `vgg16` | `resnet50` | `senet50`; with `_torch` behind the name in the geometry of PyTorch's networks.
        pooling: `avg` gives (B, D) and None the last feature map (B, h, w, D). D = 2048, or 512 for VGG16.
            keras-vggface averages windows of 7x7 instead, the same at 224 but impossible on a smaller face.
        input_size: side of the input (B, S, S, 3), at least 32; preprocessed by `layers.Preprocess`.
    """
    if input_size < _MINIMUM_SIZE:
        raise MerError(f"{network}: needs images of at least {_MINIMUM_SIZE} pixels a side, got {input_size}")
    inputs = keras.Input((input_size, input_size, 3))
    return keras.Model(inputs, vggface_layers(inputs, network, pooling), name=f"vggface_{network}")


def vggface_layers(x: Any, network: str, pooling: str | None = "avg") -> Any:
    """Lay a VGGFace network onto a preprocessed image tensor (B, S, S, 3), in the caller's own graph."""
    if network.removesuffix(TORCH) not in WEIGHTS:
        raise MerError(f"unknown VGGFace network {network!r}; one of {', '.join(WEIGHTS)}")
    x = _vgg16(x) if network.startswith("vgg16") else _residual(x, network)
    return layers.GlobalAveragePooling2D(name="avg_pool")(x) if pooling == "avg" else x


def _vgg16(x: Any) -> Any:
    for block, (width, depth) in enumerate(VGG16, start=1):
        for index in range(1, depth + 1):
            x = layers.Conv2D(width, 3, padding="same", activation="relu", name=f"conv{block}_{index}")(x)
        x = layers.MaxPooling2D(2, name=f"pool{block}")(x)
    return x


def _residual(x: Any, network: str) -> Any:
    torch = network.endswith(TORCH)
    if torch:  # even on both sides: Keras' own padding has a row and a column more below and to the right
        x = layers.ZeroPadding2D(3, name="padded")(x)
    x = _conv_bn(x, 64, 7, "conv1__7x7_s2", network, strides=2, padding="valid" if torch else "same")
    x = layers.ReLU(name="conv1")(x)
    whole = torch and x.shape[1] % 2 == 0  # PyTorch's pools reach beyond the edge ("ceil_mode"): 112 -> 56
    x = layers.MaxPooling2D(3, strides=2, padding="same" if whole else "valid", name="pool1")(x)  # else 112 -> 55
    for stage, width, blocks in _STAGES:
        for block in range(1, blocks + 1):
            x = _block(x, width, f"conv{stage}_{block}", network, strides=2 if stage > 2 and block == 1 else 1)
    return x


def _block(x: Any, width: int, name: str, network: str, strides: int) -> Any:
    """Bottleneck block; the stride sits on the first 1x1 convolution and on the projection, as in Caffe's ResNet."""
    shortcut = x
    if x.shape[-1] != 4 * width:
        shortcut = _conv_bn(x, 4 * width, 1, f"{name}_1x1_proj", network, strides=strides)
    x = layers.ReLU(name=f"{name}_reduce_relu")(_conv_bn(x, width, 1, f"{name}_1x1_reduce", network, strides=strides))
    x = layers.ReLU(name=f"{name}_3x3_relu")(_conv_bn(x, width, 3, f"{name}_3x3", network))
    x = _conv_bn(x, 4 * width, 1, f"{name}_1x1_increase", network)
    if network.startswith("senet50"):
        x = _squeeze_excite(x, name)
    return layers.ReLU(name=name)(layers.Add(name=f"{name}_add")([x, shortcut]))


def _conv_bn(
    x: Any, filters: int, kernel: int, name: str, network: str, strides: int = 1, padding: str = "same"
) -> Any:
    x = layers.Conv2D(filters, kernel, strides=strides, padding=padding, use_bias=False, name=name)(x)
    return layers.BatchNormalization(momentum=0.99, epsilon=_BN_EPSILON[network], name=f"{name}__bn")(x)


def _squeeze_excite(x: Any, name: str) -> Any:
    channels = x.shape[-1]
    gate = layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}_squeeze")(x)
    gate = layers.ReLU(name=f"{name}_down_relu")(layers.Conv2D(channels // _SE_RATIO, 1, name=f"{name}_1x1_down")(gate))
    gate = layers.Activation("sigmoid", name=f"{name}_gate")(layers.Conv2D(channels, 1, name=f"{name}_1x1_up")(gate))
    return layers.Multiply(name=f"{name}_scale")([x, gate])
