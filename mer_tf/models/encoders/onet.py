"""ONet, the last network of MTCNN: a small CNN trained on real faces to place five landmarks.

The weights come with the mtcnn package (MIT), so this encoder is always there. Source: Zhang et al., IEEE SPL 2016;
geometry from mtcnn 1.0.0, mtcnn/network/onet.py.
"""

from __future__ import annotations

import re
from typing import Any

import keras
from keras import layers

from mer_tf.preprocessing.mtcnn_files import checked_weights

NATIVE_SIZE = 48
# kernel, bias and slope of conv1..conv4 and fc5 in the package's list; the heads for box, landmarks and score follow.
_LAYERS = ("conv1", "prelu1", "conv2", "prelu2", "conv3", "prelu3", "conv4", "prelu4", "fc5", "prelu5")


def onet_layers(x: Any, layer: str) -> Any:
    """Lay ONet onto an image tensor (B, 48, 48, 3) of `layers.Preprocess("mtcnn")`, in the caller's own graph.

    layer: `fc5`: (B, 256), what the heads read; `conv4`: the last feature map (B, 3, 3, 128).
    """
    x = layers.MaxPooling2D(3, strides=2, padding="same", name="pool1")(_conv_prelu(x, 32, 3, 1))
    x = layers.MaxPooling2D(3, strides=2, name="pool2")(_conv_prelu(x, 64, 3, 2))
    x = layers.MaxPooling2D(2, padding="same", name="pool3")(_conv_prelu(x, 64, 3, 3))
    x = _conv_prelu(x, 128, 2, 4)
    if layer == "conv4":
        return x
    # The published weights are MATLAB's, column-major: the map is transposed before it is flattened.
    x = layers.Flatten(name="flatten")(layers.Permute((2, 1, 3), name="permute")(x))
    return layers.PReLU(name="prelu5")(layers.Dense(256, name="fc5")(x))


def stands_for(name: str) -> str:
    """The map of ONet taken for one of VGG16: of as many poolings before it, or its last (conv4_2 -> conv3)."""
    found = re.fullmatch(r"(conv|pool)([2-5])(_\d)?", name)
    return f"conv{int(found[2]) - 1}" if found else name


def _conv_prelu(x: Any, filters: int, kernel: int, index: int) -> Any:
    x = layers.Conv2D(filters, kernel, name=f"conv{index}")(x)
    return layers.PReLU(shared_axes=[1, 2], name=f"prelu{index}")(x)


def load_onet(model: keras.Model) -> None:
    """Copy mtcnn's weights into the layers of `onet_layers` that `model` holds; `MerError` if mtcnn's file changed."""
    from mtcnn.utils.tensorflow import load_weights

    # The file is a joblib pickle, so it is read only at its own path and when its bytes are known: never a user's file.
    arrays = list(load_weights(str(checked_weights("onet"))))
    present = {layer.name: layer for layer in model.layers}
    for name in _LAYERS:
        count = 1 if name.startswith("prelu") else 2
        values, arrays = arrays[:count], arrays[count:]
        if name in present:
            present[name].set_weights(values)
