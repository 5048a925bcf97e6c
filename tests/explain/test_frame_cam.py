"""Maps of single frames behind a frozen encoder are those of the whole network, whatever is computed once."""

import itertools
import random

import keras
import numpy as np
import pytest
from helpers.grad_cam import grad_cam
from helpers.small_networks import clip_head, frame_encoder, image_model
from keras import layers

from mer_tf.explain.frame_cam import FrameCam, filled
from mer_tf.models.vggface_lstm import end_to_end

RNG = np.random.default_rng(5)
IMAGES = RNG.uniform(0, 1, (3, 4, 12, 12, 3)).astype("float32")
MASK = np.array([[True] * 4, [True, True, True, False], [True] * 4])
TARGETS = [2, 0, 1]


@pytest.fixture(scope="module")
def networks():
    """A frozen encoder, and a head that takes the onset's features off."""
    random.seed(0)
    encoder = frame_encoder()
    return encoder, clip_head(encoder.output_shape[1:])


def given(encoder, head):
    """What the whole network is given of all clips, and what the head is."""
    features = encoder.predict(IMAGES.reshape(-1, 12, 12, 3), verbose=0).reshape(3, 4, -1)
    whole = {"frames": IMAGES, "onset": IMAGES[:, :1], "mask": MASK}
    return end_to_end(encoder, head), whole, {"frames": features, "onset": features[:, :1], "mask": MASK}


@pytest.mark.parametrize(
    ("layer", "local", "minus_onset"),
    [
        pytest.param(*case, marks=[pytest.mark.slow] * (case != ("conv2", True, True)))
        for case in itertools.product(("conv1", "conv2"), (False, True), (False, True))
    ],
)
def test_equals_the_whole_network(networks, layer, local, minus_onset):
    """To 1e-5 of the greatest value: the same sums in another order."""
    encoder, head = networks
    model, whole, behind = given(encoder, head)
    expected = grad_cam(model, whole, layer, TARGETS, minus_onset=minus_onset, local=local)
    assert expected.max() > 0
    cam, places = FrameCam(encoder, head, layer, 4), [3, 2, 0]
    less = cam.maps(IMAGES[:, 0]) if minus_onset else None
    found = cam(cam.maps(IMAGES[[0, 1, 2], places]), places, behind, TARGETS, less=less, local=local)
    np.testing.assert_allclose(found, expected[[0, 1, 2], places], rtol=0, atol=1e-5 * expected.max())


@pytest.mark.slow
def test_new_weights_of_the_head_count(networks):
    encoder, head = networks
    model, whole, behind = given(encoder, head)
    cam = FrameCam(encoder, head, "conv2", 4)
    maps, places, kept = cam.maps(IMAGES[:, 1]), [1, 1, 1], head.get_weights()
    head.set_weights([np.abs(w) + RNG.uniform(0, 0.3, w.shape) for w in kept])
    found, expected = cam(maps, places, behind, TARGETS), grad_cam(model, whole, "conv2", TARGETS)[:, 1]
    head.set_weights(kept)
    assert expected.max() > 0
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * expected.max())
    assert not np.allclose(cam(maps, places, behind, TARGETS), expected)


def test_a_map_that_the_features_go_past_is_refused():
    """`branch` is one of two ways: the map alone does not tell the features."""
    whole = image_model()
    encoder = keras.Model(whole.inputs[0], whole.get_layer("pool").output)
    with pytest.raises(ValueError, match="is not connected to `inputs`"):
        FrameCam(encoder, clip_head((6,)), "branch", 4)


@pytest.mark.slow
def test_an_encoder_that_ends_at_the_map(networks):
    encoder = keras.Model(networks[0].input, networks[0].get_layer("conv2").output)
    flat = keras.Sequential([keras.Input(encoder.output_shape[1:]), layers.GlobalAveragePooling2D()])
    head = clip_head(encoder.output_shape[1:], tail=flat)
    cam, features = FrameCam(encoder, head, "conv2", 4), encoder.predict(IMAGES[0], verbose=0)[None]
    inputs = {"frames": features, "onset": features[:, :1], "mask": MASK[:1]}
    whole = {"frames": IMAGES[:1], "onset": IMAGES[:1, :1], "mask": MASK[:1]}
    expected = grad_cam(end_to_end(encoder, head), whole, "conv2", 1)
    np.testing.assert_allclose(cam.maps(IMAGES[0, 2:3]), features[0, 2:3], rtol=1e-5, atol=1e-6)
    found = cam(cam.maps(IMAGES[0, 2:3]), [2], inputs, [1])
    np.testing.assert_allclose(found, expected[0, 2:3], rtol=0, atol=1e-5 * max(expected.max(), 1e-3))


def test_batches_are_filled_by_their_last_entry():
    np.testing.assert_array_equal(filled(np.array([4, 5]), 4), [4, 5, 5, 5])
    np.testing.assert_array_equal(filled(np.array([4, 5]), 2), [4, 5])
