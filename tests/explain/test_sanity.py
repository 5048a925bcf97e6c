"""Maps follow the weights (Adebayo et al., NeurIPS 2018) and lie where the signal is."""

from functools import cache

import keras
import numpy as np
import pytest
from keras import layers
from scipy.stats import spearmanr

from mer_tf.config import Model
from mer_tf.explain.gradcam import GradCam, grad_cam
from mer_tf.models.vggface_lstm import build, end_to_end

SIZE, FRAMES = 16, 4
UPPER, LOWER = (4, 4, 11), (11, 4, 11)
"""Row, and the columns between which the patch lies that the class depends on."""


def blobs(count, rows, seed):
    """Noise with a bright patch in a row of the picture, left or right by class, and one anywhere in the other row."""
    rng = np.random.default_rng(seed)
    images, labels = rng.normal(0, 0.3, (count, SIZE, SIZE, 3)), rng.integers(0, 2, count)
    other = UPPER if rows == LOWER else LOWER
    for image, label in zip(images, labels, strict=True):
        for (row, *columns), side in ((rows, label), (other, rng.integers(0, 2))):
            image[row - 1 : row + 2, columns[side] - 1 : columns[side] + 2] += 2.0
    return images.astype("float32"), labels


def network():
    inputs = keras.Input((SIZE, SIZE, 3))
    x = layers.Conv2D(8, 3, padding="same", activation="relu", name="conv1")(inputs)
    x = layers.Conv2D(8, 3, padding="same", activation="relu", name="conv2")(x)
    return keras.Model(inputs, layers.Dense(8, activation="relu", name="fc")(layers.Flatten()(x)))


@cache
def trained_image_model(rows):
    keras.utils.set_random_seed(3)
    encoder = network()
    model = keras.Model(encoder.input, layers.Dense(2, name="logits")(encoder.output))
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(*blobs(256, rows, seed=0), epochs=12, batch_size=32, verbose=0)
    return model


def share(maps, rows):
    """Share of the heat in the rows about the patch, over their share of the picture."""
    band = slice(rows[0] - 2, rows[0] + 3)
    return maps[..., band, :].sum() / maps.sum() / (5 / SIZE)


@pytest.mark.parametrize(("rows", "other"), [(LOWER, UPPER), (UPPER, LOWER)])
def test_heat_lies_where_the_classes_differ(rows, other):
    model = trained_image_model(rows)
    images, labels = blobs(64, rows, seed=1)
    assert (np.asarray(model.predict(images, verbose=0)).argmax(-1) == labels).mean() > 0.95
    maps = grad_cam(model, images, "conv2", labels, local=True)
    assert share(maps, rows) > 2
    assert share(maps, other) < 1


def test_random_weights_from_the_head_down_change_the_map():
    images = blobs(32, LOWER, seed=2)[0]
    model = keras.models.clone_model(trained_image_model(LOWER))
    model.set_weights(trained_image_model(LOWER).get_weights())
    trained = grad_cam(model, images, "conv2", 0, local=True)
    rng, alike = np.random.default_rng(0), []
    for name in ("logits", "fc", "conv2", "conv1"):
        layer = model.get_layer(name)
        layer.set_weights([rng.normal(0, w.std() + 1e-3, w.shape) for w in layer.get_weights()])
        maps = grad_cam(model, images, "conv2", 0, local=True)
        pairs = zip(trained.reshape(32, -1), maps.reshape(32, -1), strict=True)
        alike.append(np.nanmean([spearmanr(a, b).statistic for a, b in pairs if b.any()]))
    assert alike[0] < 0.9
    assert max(alike[1:]) < 0.6


def moving(count, rows, seed):
    """Clips of a still picture in which one of two patches of a row grows; a patch of the other row does not move."""
    images, _ = blobs(count, rows, seed)
    rng = np.random.default_rng(seed + 100)
    labels = rng.integers(0, 2, count)
    clips = np.repeat(images[:, None], FRAMES, axis=1)
    for clip, label in zip(clips, labels, strict=True):
        row, column = rows[0], rows[1 + label]
        clip[:, row - 1 : row + 2, column - 1 : column + 2] += np.linspace(0, 2, FRAMES)[:, None, None, None]
    inputs = {"frames": clips, "onset": clips[:, :1], "mask": np.ones((count, FRAMES), bool)}
    return inputs, labels


def test_heat_of_a_clip_model_lies_where_it_moves():
    keras.utils.set_random_seed(4)
    encoder = network()
    config = Model(embedding=(8,), lstm_units=8, lstm_layers=1, head_units=8, center="onset")
    model = end_to_end(encoder, build(config, encoder.output_shape[1:], 2))
    encoder.trainable = True
    model.compile(keras.optimizers.Adam(0.01), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(*moving(128, LOWER, seed=0), epochs=8, batch_size=32, verbose=0)
    inputs, labels = moving(32, LOWER, seed=1)
    assert (model.predict(inputs, verbose=0).argmax(-1) == labels).mean() > 0.9
    tapped = GradCam(model, ["conv2"])(inputs, labels)["conv2"]
    plain, motion = tapped.cam(local=True), tapped.cam(local=True, minus_onset=True)
    assert share(motion, LOWER) > 2.5
    assert share(plain, LOWER) < share(motion, LOWER)
    assert motion[:, -1].sum() > motion[:, 1].sum()
    assert share(motion, UPPER) < 0.5
