"""Exp-II as a functional model: widths, the onset difference, and the same answer cached and end to end."""

from dataclasses import replace

import keras
import numpy as np
import pytest
from helpers.weightless import weightless

from mer_tf.config import MerError
from mer_tf.model import model_named
from mer_tf.models.vggface_frames import VggFaceFrames, images_to_logits
from mer_tf.models.vggface_lstm import VggFaceLstm, end_to_end

SMALL = VggFaceLstm(center="onset", embedding=(16, 12, 8), lstm_units=8, lstm_layers=3, head_units=8)
RNG = np.random.default_rng(0)


def inputs(frames):
    return {"frames": frames, "onset": frames[:, :1], "mask": np.ones(frames.shape[:2], bool)}


def run(model, given):
    """Outputs as arrays, without the time that tracing takes."""
    return keras.ops.convert_to_numpy(model(given))


def test_paper_widths_and_parameters():
    """fc 1024, 768, 512 and 3 LSTM layers of 512 on 2048 features, dense 256, 4 classes (Bai & Goecke's code)."""
    model = weightless(lambda: VggFaceLstm().build((2048,), 4))
    lstm = 3 * 4 * (512 * 512 + 512 * 512 + 512)
    dense = 2048 * 1024 + 1024 + 1024 * 768 + 768 + 768 * 512 + 512
    norm = 4 * (1024 + 768)
    assert model.count_params() == lstm + dense + norm + 512 * 256 + 256 + 256 * 4 + 4
    assert model.output_shape == (None, 4)


def test_centred_on_the_onset_identity_cancels():
    model = SMALL.build((6,), 3)
    frames = RNG.normal(size=(2, 5, 6)).astype("float32")
    moved = frames + RNG.normal(size=(2, 1, 6)).astype("float32")
    assert run(model, inputs(frames)) == pytest.approx(run(model, inputs(moved)), abs=1e-5)
    plain = VggFaceLstm(center="none", embedding=(16, 8), lstm_units=8, head_units=8).build((6,), 3)
    assert np.abs(run(plain, inputs(frames)) - run(plain, inputs(moved))).max() > 1e-4


def encoder():
    image = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(4, 3, activation="relu")(keras.layers.Rescaling(1 / 255)(image))
    return keras.Model(image, keras.layers.Dense(6)(keras.layers.Flatten()(x)))


def test_end_to_end_equals_cached_features():
    trunk, images = encoder(), RNG.integers(0, 255, (2, 5, 8, 8, 3)).astype("float32")
    head = SMALL.build((6,), 3)
    features = run(trunk, images.reshape(-1, 8, 8, 3)).reshape(2, 5, 6)
    whole = run(end_to_end(trunk, head), inputs(images))
    assert whole == pytest.approx(run(head, inputs(features)), abs=1e-5)


def test_retrained_tail_is_trained_and_saved(tmp_path):
    model = replace(SMALL, lstm_layers=1).build((8, 8, 3), 3, tail=encoder())
    images = RNG.integers(0, 255, (4, 5, 8, 8, 3)).astype("float32")
    kernel = model.get_layer("retrained").layer.layers[2].kernel
    before = keras.ops.convert_to_numpy(kernel).copy()
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True), run_eagerly=True)
    model.fit(inputs(images), np.array([0, 1, 2, 0]), verbose=0)
    assert np.abs(keras.ops.convert_to_numpy(kernel) - before).max() > 0
    model.save(tmp_path / "m.keras")
    again = keras.saving.load_model(tmp_path / "m.keras", safe_mode=True)
    assert run(again, inputs(images)) == pytest.approx(run(model, inputs(images)), abs=1e-5)


def test_unknown_model_lists_the_known():
    with pytest.raises(MerError, match="known: .*vggface_frames, vggface_lstm"):
        model_named("vgg")


@pytest.mark.parametrize("merge", ["last_step", "last_of_each_direction"])
def test_bidirectional_ignores_masked_frames_and_keeps_width(merge):
    config = replace(SMALL, bidirectional=True, lstm_layers=1, merge=merge)
    model = config.build((6,), 3)
    assert model.get_layer("head").kernel.shape[0] == 16
    frames = RNG.normal(size=(2, 7, 6)).astype("float32")
    short = run(model, inputs(frames[:, :4]))
    padded = inputs(frames) | {"mask": np.arange(7)[None].repeat(2, 0) < 4}
    assert run(model, padded) == pytest.approx(short, abs=1e-5)


def test_at_the_last_step_the_backward_direction_has_seen_one_frame():
    """The difference between the released code's reading and the usual one."""
    rng = np.random.default_rng(3)
    frames = rng.normal(size=(1, 5, 6)).astype("float32")
    other = frames.copy()
    other[:, 0] += 1  # the first frame: the backward pass reaches it last
    for merge, sees in (("last_step", False), ("last_of_each_direction", True)):
        config = replace(SMALL, center="none", bidirectional=True, lstm_layers=1, merge=merge)
        model = config.build((6,), 3)
        layer = model.get_layer("bilstm1")
        probe = keras.Model(model.input, model.get_layer("last_step").output if merge == "last_step" else layer.output)
        backward = [run(probe, inputs(x))[:, 8:] for x in (frames, other)]
        assert (np.abs(backward[0] - backward[1]).max() > 1e-6) == sees


def test_published_bi_lstm_widths():
    """One layer of 512 per direction, dense 256 on 1024 (Bai & Goecke's code)."""
    model = weightless(lambda: VggFaceLstm(bidirectional=True, lstm_layers=1).build((2048,), 4))
    assert model.get_layer("bilstm1").count_params() == 2 * 4 * (512 * 512 + 512 * 512 + 512)
    assert model.get_layer("head").kernel.shape == (1024, 256)


def test_frames_model_classifies_single_frames(tmp_path):
    config = VggFaceFrames(embedding=SMALL.embedding)
    model = config.build((6,), 3)
    frames = RNG.normal(size=(4, 1, 6)).astype("float32")
    assert run(model, inputs(frames)).shape == (4, 3)
    assert not any("lstm" in layer.name for layer in model.layers)
    model.save(tmp_path / "m.keras")
    again = keras.saving.load_model(tmp_path / "m.keras", safe_mode=True)
    trunk, images = encoder(), RNG.integers(0, 255, (4, 8, 8, 3)).astype("float32")
    expected = run(model, inputs(run(trunk, images)[:, None]))
    assert run(images_to_logits(trunk, again), images) == pytest.approx(expected, abs=1e-5)
