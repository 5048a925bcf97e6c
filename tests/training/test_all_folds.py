"""All folds in one program against each fold by itself, on the same batches without its held-out clips."""

import random

import keras
import numpy as np
import pytest

from mer_tf.config import Train
from mer_tf.models.ststnet import StstNet
from mer_tf.training.all_folds.folds import AllFolds, batch_orders
from mer_tf.training.all_folds.shallow_stem import cut_patches, make_grid
from mer_tf.training.trainer import compile_model

SIDE, CLIPS, FOLDS = 8, 22, 3
CONFIG = Train(epochs=2, batch_size=12, learning_rate=3e-3, jit_compile=False)


def drawn():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (CLIPS, SIDE, SIDE, 3)).astype("uint8")
    images[:3, 2:7, 2:7] = 200  # equal patches: several maxima in a window
    held = rng.integers(0, FOLDS, CLIPS)
    return images, rng.integers(0, 3, CLIPS), held[:, None] != np.arange(FOLDS)


def networks():
    models = []
    for fold in range(FOLDS):
        random.seed(fold)
        models.append(StstNet().build({"flow_image": (SIDE, SIDE, 3)}, 3))
    stream = models[1].get_layer("stream5_norm")
    gamma, *others = stream.get_weights()
    stream.set_weights([gamma * np.array([1, -1, 1, -1, 1], "float32"), *others])  # least, not greatest, of a window
    return models


def alone(model, images, labels, seen):
    compile_model(model, CONFIG)
    model.run_eagerly = True  # batches of many sizes, each of which would be traced
    for order in batch_orders(CLIPS, CONFIG, seed=5):
        for rows in order:
            rows = rows[seen[rows]]
            model.train_on_batch({"flow_image": images[rows].astype("float32")}, labels[rows])


def logits(model, images):
    return np.asarray(keras.ops.convert_to_numpy(model({"flow_image": images.astype("float32")})))


@pytest.fixture(scope="module")
def together():
    images, labels, seen = drawn()
    models = networks()
    training = AllFolds(models, images, np.where(seen, labels[:, None], -1), CONFIG, 5, group=2)
    losses = [training.epoch() for _ in range(CONFIG.epochs)]
    training.give()
    return images, labels, seen, models, losses


@pytest.mark.slow
def test_predictions_are_those_of_separate_training(together):
    images, labels, seen, models, losses = together
    assert losses[-1] < losses[0]
    for fold, model in enumerate(networks()):
        before = logits(model, images)
        alone(model, images, labels, seen[:, fold])
        found, wanted = logits(models[fold], images), logits(model, images)
        assert np.abs(wanted - before).max() > 0.05
        np.testing.assert_allclose(found, wanted, rtol=2e-3, atol=2e-3)


def test_patches_are_those_of_the_convolution():
    images = drawn()[0]
    grid = make_grid(SIDE)
    model = networks()[0]
    kernel, bias = model.get_layer("stream3_conv").get_weights()
    flat = np.concatenate([kernel.reshape(27, -1), bias[None]])
    conv = keras.Model(model.input, model.get_layer("stream3_conv").output)
    wanted = np.asarray(keras.ops.convert_to_numpy(conv({"flow_image": images.astype("float32")})))
    found = np.maximum(cut_patches(images, grid) @ flat, 0)
    np.testing.assert_allclose(found, wanted.reshape(CLIPS, -1, 3)[:, grid.places], rtol=1e-4, atol=1e-2)
    assert grid.counts.sum() == grid.side**2
    assert sorted(set(grid.places)) == list(range(grid.side**2))
