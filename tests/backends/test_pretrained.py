"""The network that ships with the package: it is the one of its card, on every backend, without a download."""

import base64
import json
import shutil
from dataclasses import replace
from importlib.resources import files

import keras
import numpy as np
import pytest

from mer_tf.au_flow.drawn_training import kept_out_groups, train_network, uf1
from mer_tf.au_flow.settings import Pretraining
from mer_tf.config import MerError
from mer_tf.models import PRETRAINED, load_pretrained
from mer_tf.models.au_flow import AuFlow
from mer_tf.models.pretrained import card, load_checked, probabilities
from mer_tf.preprocessing.augment import mirrored_flow_image
from mer_tf.synthetic.action_units.rendered import draw_kind

NAME = "au-flow-3"
WEIGHTS = files("mer_tf.models").joinpath("weights_files")
FILE = WEIGHTS.joinpath(f"{NAME}.keras")


@pytest.fixture(scope="module")
def network():
    return load_pretrained(NAME)


@pytest.mark.parametrize("name", PRETRAINED)
def test_it_gives_the_recorded_probabilities(name):
    said, network = card(name), load_pretrained(name)
    image = np.frombuffer(base64.b64decode(said["recorded_input"]), np.uint8).reshape(1, 28, 28, 3)
    np.testing.assert_allclose(probabilities(network, image)[0], said["recorded_probabilities"], atol=1e-5)
    assert np.ptp(said["recorded_probabilities"]) > 0.1
    assert (said["parameters"], WEIGHTS.joinpath(f"{name}.keras").stat().st_size) < (1_000_000, 4_000_000)
    assert network.count_params() == said["parameters"] < 1_000_000


@pytest.mark.parametrize("name", PRETRAINED)
def test_kinds_are_recognised_as_the_card_says(name):
    """Images of a seed that nothing was trained on or scored with. The card's figures are of 240 images."""
    network, said = load_pretrained(name), card(name)
    for kind, count, seed in (("bell", 240, 91), ("tail", 240, 92), ("painted-farneback", 120, 93)):
        drawn = draw_kind(kind, count, seed, crop=said["settings"].get("crop", "tight"))
        assert uf1(network, drawn) == pytest.approx(said["UF1"]["known kinds, new images"][kind], abs=0.09)


def test_cards_say_on_what_their_crop_was_chosen():
    tight, published = (" ".join(card(name)["limits"]) for name in PRETRAINED)
    assert "tuned on the test set" in tight
    assert "no image of the MEGC 2019 composite entered its training" in published


def test_kinds_kept_out_are_recognised():
    """All above .8, each group of them looked at once, by a network that saw none of it."""
    kept = card(NAME)["UF1_kept_out"]
    assert {row["left_out"] for row in kept} == set(kept_out_groups())
    assert min(row["UF1"] for row in kept) > 0.8
    assert min(card(NAME)["UF1"]["kinds in no training"].values()) > 0.8


def test_a_mirrored_image_has_the_same_answer(network):
    images = draw_kind("patch", 30, 94).images
    mirrored = mirrored_flow_image(images)
    np.testing.assert_allclose(probabilities(network, images), probabilities(network, mirrored), atol=1e-5)
    core = network.get_layer("core")
    one, other = (keras.ops.convert_to_numpy(core.predict_on_batch(x.astype("float32"))) for x in (images, mirrored))
    assert np.abs(one - other).max() > 1e-2, "one side alone is not symmetric, else the test above says nothing"


def test_scaling_by_somebody_else_changes_little(network):
    images = draw_kind("bell", 60, 95).images
    darker = (images * 0.6 + 40).round().astype(np.uint8)
    assert (probabilities(network, images).argmax(1) == probabilities(network, darker).argmax(1)).mean() > 0.95


def test_other_bytes_are_refused(tmp_path):
    copy = tmp_path / "x.keras"
    shutil.copy(FILE, copy)
    data = bytearray(copy.read_bytes())
    data[len(data) // 2] ^= 1
    copy.write_bytes(data)
    with pytest.raises(MerError, match="SHA-256 is"):
        load_checked(copy, card(NAME)["sha256"])
    with pytest.raises(MerError, match="known: au-flow-3"):
        load_pretrained("au-flow-9")


def test_it_begins_a_training_with_its_weights_and_frozen_statistics(network):
    model = AuFlow(weights=NAME).build({"flow_image": (28, 28, 3)}, 3)
    images = {"flow_image": draw_kind("bell", 6, 96).images.astype("float32")}
    np.testing.assert_allclose(model.predict_on_batch(images), network.predict_on_batch(images), atol=1e-5)
    norms = [x for x in model.get_layer("core").layers if isinstance(x, keras.layers.BatchNormalization)]
    assert norms
    assert not any(n.trainable for n in norms)
    five = AuFlow(weights=NAME).build({"flow_image": (28, 28, 3)}, 5)
    assert five.output_shape == (None, 5)
    with pytest.raises(MerError, match="known: au-flow-3"):
        AuFlow(weights="other").build({"flow_image": (28, 28, 3)}, 3)


@pytest.mark.slow
def test_the_same_seed_trains_the_same_network(tmp_path):
    config = Pretraining(epochs=1, direct=32, rendered=8, batch_size=32, width=0.2, cache=str(tmp_path))
    found = [train_network(replace(config, seed=s))[0].get_weights() for s in (0, 0, 1)]
    assert all((a == b).all() for a, b in zip(found[0], found[1], strict=True))
    assert any((a != b).any() for a, b in zip(found[0], found[2], strict=True))


def test_the_card_is_plain_json():
    text = json.dumps(card(NAME))
    assert "/tmp" not in text
    assert card(NAME)["limits"]
