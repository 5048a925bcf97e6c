"""Maps follow the weights (Adebayo et al., NeurIPS 2018) and lie where the model looks.

Where a model looks is built in, not trained: a trained one may tell the classes by another way than was thought.
"""

import random

import keras
import numpy as np
import pytest
from helpers.grad_cam import grad_cam
from keras import layers
from scipy.stats import spearmanr

from mer_tf.explain.gradcam import GradCam
from mer_tf.models.vggface_lstm import VggFaceLstm, end_to_end

pytestmark = pytest.mark.usefixtures("eagerly")

SIZE, FRAMES = 16, 4
UPPER, LOWER = slice(0, 7), slice(9, 16)
"""Rows of the picture."""


def network():
    inputs = keras.Input((SIZE, SIZE, 3))
    x = layers.Conv2D(8, 3, padding="same", activation="relu", name="conv1")(inputs)
    x = layers.Conv2D(8, 3, padding="same", activation="relu", name="conv2")(x)
    return keras.Model(inputs, layers.Dense(8, name="fc")(layers.Flatten()(x)))


def look_at(encoder, rows):
    """Let the features depend on some rows of conv2's map alone."""
    kernel, bias = encoder.get_layer("fc").get_weights()
    kept = np.zeros((SIZE, SIZE, 8, 8))
    kept[rows] = 1
    encoder.get_layer("fc").set_weights([kernel * kept.reshape(kernel.shape), bias])


def share(maps, rows):
    """Share of the heat in some rows."""
    return maps[..., rows, :].sum() / maps.sum()


def noise(*shape):
    return np.random.default_rng(0).normal(0, 1, (*shape, SIZE, SIZE, 3)).astype("float32")


@pytest.mark.parametrize(("rows", "other"), [(LOWER, UPPER), (UPPER, LOWER)])
@pytest.mark.parametrize("seed", [0, 1])
def test_local_heat_lies_where_an_image_model_looks(rows, other, seed):
    random.seed(seed)
    model = network()
    look_at(model, rows)
    maps = grad_cam(model, noise(8), "conv2", "max", local=True)
    assert share(maps, rows) == pytest.approx(1)
    assert not maps[:, other].any()
    assert (
        share(grad_cam(model, noise(8), "conv2", "max"), other) > 0.2
    )  # one weight a channel cannot tell places apart


@pytest.mark.parametrize("seed", [0, 1])
def test_local_heat_lies_where_a_clip_model_looks_though_everything_moves(seed):
    random.seed(seed)
    encoder = network()
    config = VggFaceLstm(embedding=(8,), lstm_units=8, lstm_layers=1, head_units=8, center="onset")
    model = end_to_end(encoder, config.build(encoder.output_shape[1:], 2))
    frames = noise(3, FRAMES)
    inputs = {"frames": frames, "onset": frames[:, :1], "mask": np.ones((3, FRAMES), bool)}
    cam, weights = GradCam(model, ["conv2"]), model.get_weights()
    for rows, other in ((LOWER, UPPER), (UPPER, LOWER)):
        model.set_weights(weights)
        look_at(encoder, rows)
        maps = cam(inputs, "max")["conv2"].cam(local=True, minus_onset=True)
        assert share(maps, rows) == pytest.approx(1)
        assert not maps[:, :, other].any()
        assert not maps[:, 0].any()  # the first frame is the onset


@pytest.mark.parametrize("local", [False, True])
def test_random_weights_from_the_head_down_change_the_map(local):
    random.seed(0)
    encoder = network()
    model = keras.Model(encoder.input, layers.Dense(3, name="logits")(layers.ReLU()(encoder.output)))
    images = noise(16)
    original = grad_cam(model, images, "conv2", 0, local=local).reshape(16, -1)
    again = grad_cam(model, images, "conv2", 0, local=local).reshape(16, -1)
    np.testing.assert_array_equal(again, original)
    rng = np.random.default_rng(1)
    for name in ("logits", "fc", "conv2", "conv1"):
        layer = model.get_layer(name)
        layer.set_weights([rng.normal(0, w.std() + 1e-3, w.shape) for w in layer.get_weights()])
        maps = grad_cam(model, images, "conv2", 0, local=local).reshape(16, -1)
        pairs = [(a, b) for a, b in zip(original, maps, strict=True) if a.any() and b.any()]
        assert len(pairs) > 4
        assert np.mean([spearmanr(a, b).statistic for a, b in pairs]) < 0.7, name
