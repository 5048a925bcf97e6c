"""Run in a process of its own: keras-vggface's own code, on tf-keras, writes weights and every named layer's output.

python original_vggface.py FOLDER NAME:NETWORK:TOP:SIZE ...
Each writes FOLDER/NAME.h5 (random weights, batch statistics included) and FOLDER/NAME.npz (input, outputs by layer).
"""

import os
import sys
import types
from pathlib import Path

os.environ["TF_USE_LEGACY_KERAS"] = "1"

import numpy as np
import tf_keras
from tf_keras.src.applications import imagenet_utils
from tf_keras.src.utils import layer_utils


def module(name, **names):
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__dict__.update(names)


def stand_in_for_keras_2():
    """The modules keras-vggface 0.6 imports and today's Keras no longer has."""
    for name in ("", ".layers", ".models", ".backend", ".utils"):
        sys.modules[f"keras{name}"] = sys.modules.get(f"tf_keras{name}") or getattr(tf_keras, name[1:])
    module("keras_applications")
    module("keras_applications.imagenet_utils", _obtain_input_shape=imagenet_utils.obtain_input_shape)
    module("keras.utils.data_utils", get_file=tf_keras.utils.get_file)
    module("keras.engine")
    module("keras.engine.topology", get_source_inputs=layer_utils.get_source_inputs)
    tf_keras.utils.layer_utils = layer_utils


def randomise(model, rng):
    """Weights that keep activations near 1, and batch variances small enough for the epsilon beside them to be seen."""
    for layer in model.layers:
        layer.set_weights([draw(weight.name, weight.shape, rng) for weight in layer.weights])


def draw(name, shape, rng):
    if "kernel" in name:
        return rng.normal(0, 0.2 * np.sqrt(2 / np.prod(shape[:-1])), shape)
    if "variance" in name:
        return rng.uniform(0.01, 0.1, shape)
    return rng.uniform(0.5, 1.5, shape) if "gamma" in name else rng.normal(0, 0.1, shape)


def dump(folder, name, network, top, size):
    from keras_vggface import VGGFace

    tf_keras.backend.clear_session()
    model = VGGFace(include_top=top, model=network, weights=None, input_shape=(size, size, 3))
    rng = np.random.default_rng(7)
    randomise(model, rng)
    model.save_weights(folder / f"{name}.h5")
    images = rng.uniform(-2, 2, (1, size, size, 3)).astype("float32")
    layers = model.layers[1:]
    outputs = tf_keras.Model(model.input, [layer.output for layer in layers])(images, training=False)
    named = {layer.name.replace("/", "__"): output.numpy() for layer, output in zip(layers, outputs, strict=True)}
    np.savez(folder / f"{name}.npz", images=images, **named)


if __name__ == "__main__":
    stand_in_for_keras_2()
    for case in sys.argv[2:]:
        name, network, top, size = case.split(":")
        dump(Path(sys.argv[1]), name, network, top == "1", int(size))
