"""The named baselines: parameters, shapes, what their parts compute, what they refuse."""

from functools import partial

import keras
import numpy as np
import pytest
from helpers.weightless import weightless

from mer_tf.changes import changed
from mer_tf.config import Experiment, MerError
from mer_tf.model import check_model, models
from mer_tf.models import elrcn
from mer_tf.models.elrcn import ElrcnSe, scaled_strain, vgg16
from mer_tf.models.encoders import build
from mer_tf.models.htnet import parts
from mer_tf.models.layers.shared import AttendedLogits
from mer_tf.models.micro_exp_stcnn import MicroExpStcnn, volume_features
from mer_tf.models.presets import PUBLISHED
from mer_tf.preprocessing.strain import optical_strain

RNG = np.random.default_rng(0)
FLOW_IMAGE = {"flow_image": (28, 28, 3)}


def made(name, **settings):
    one = models()[name].takes == "flow image"
    shapes = FLOW_IMAGE if one else {"frames": (32, 32, 3), "flow": (32, 32, 3), "images": (17,)}
    return models()[name](dropout=0.5, **settings).build(shapes, 3)


def batch(model, clips=2):
    return {t.name: RNG.integers(0, 256, (clips, *t.shape[1:])).astype("uint8") for t in model.inputs}


def logits(model, inputs):
    return np.asarray(keras.ops.convert_to_numpy(model(inputs)))


def trained(model):
    return sum(int(np.prod(v.shape)) for v in model.trainable_variables)


def test_parameters_of_the_published_sizes():
    sizes = {name: trained(weightless(partial(made, name))) for name in ("ststnet", "off_apexnet", "rcn")}
    vgg = trained(weightless(lambda: vgg16((32, 32, 3), ElrcnSe(), "vgg")))
    grey = {"frames": (64, 64, 3), "images": (18,)}
    stcnn = trained(weightless(lambda: MicroExpStcnn().build(grey, 3)))
    assert sizes["ststnet"] == 9 * 3 * 16 + 16 + 2 * 16 + 400 * 3 + 3 == 1683
    assert sizes["off_apexnet"] == 2_664_475
    stem = 25 * 3 * 64 + 64
    assert sizes["rcn"] == stem + (64 * 64 + 64) + (9 * 64 * 64 + 64) + 3 * 2 * 64 + 6 * 6 * 64 * 3 + 3
    whole, classifier, narrower = 138_357_544, 4_097_000, (512 * 49 - 512) * 4096  # VGG16 of 224 pixels, here of 32
    assert vgg == whole - classifier - narrower
    assert stcnn == (15 * 9 * 32 + 32) + (20 * 20 * 32 * 128 + 128) + (128 * 3 + 3)


@pytest.mark.parametrize(("side", "flat"), [(64, 345_600), (32, 172_800 // 2)])
def test_volumes_of_96_images_have_the_flat_features_of_the_code(side, flat):
    assert volume_features(keras.Input((96, side, side, 1)), "volume", MicroExpStcnn()).shape == (None, flat)


@pytest.mark.parametrize("name", [name for name in sorted(PUBLISHED) if name.startswith("micro_exp")])
def test_grey_levels_of_reddys_networks_are_centred(name):
    model = made(name, width=0.03)
    scaled = keras.Model(model.inputs, model.get_layer("scaled").output)
    for level, wanted in ((0, -1), (255, 1)):
        images = np.full((1, *model.inputs[0].shape[1:]), level, "uint8")
        assert (keras.ops.convert_to_numpy(scaled({"frames": images})) == wanted).all()


def test_attention_is_that_of_the_formula():
    early, late = (RNG.normal(size=(2, 3, 3, 4)).astype("float32") for _ in range(2))
    layer = AttendedLogits(5)
    found = np.asarray(keras.ops.convert_to_numpy(layer([early, late])))
    kernel = np.asarray(keras.ops.convert_to_numpy(layer.kernel))
    for clip in range(2):
        maps = [(early[clip] * kernel[..., k]).mean(axis=-1) for k in range(5)]
        places = np.mean([(m - m.min()) / (m.max() - m.min()) for m in maps], axis=0)
        wanted = [(late[clip] * places[..., None] * kernel[..., k]).sum() for k in range(5)]
        np.testing.assert_allclose(found[clip], wanted, rtol=1e-4, atol=1e-6)


def test_facial_parts_are_cut_as_the_code_reads_its_centres():
    rows, columns = np.mgrid[:28, :28]
    image = np.stack([rows, columns], axis=-1)[None].astype("float32")
    as_code, as_drawn = (np.asarray(keras.ops.convert_to_numpy(parts(image, swap)))[0] for swap in (True, False))
    assert as_code.shape == (28, 28, 2)
    assert as_code[0, 0].tolist() == [9 - 7, 11 - 7]  # left eye (9.5, 11.1), x as row
    assert as_drawn[0, 0].tolist() == [11 - 7, 9 - 7]
    assert as_drawn[0, 14].tolist() == [21 - 7, 10 - 7]  # left mouth corner (10.3, 22.1), kept inside
    assert as_drawn[14, 0].tolist() == [10 - 7, 21 - 7]  # right eye


def test_strain_inside_the_network_is_the_one_outside():
    flow = RNG.normal(size=(1, 2, 9, 9, 2)).astype("float32")
    found = np.asarray(keras.ops.convert_to_numpy(scaled_strain(keras.ops.convert_to_tensor(flow))))[..., 0]
    np.testing.assert_allclose(found, optical_strain(flow), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["elrcn_se", "elrcn_te"])
def test_elrcn_trains_its_images_before_its_lstm(name):
    model = made(name, width=0.02)
    first, second = models()[name]().stages(model)
    assert (first.name, first.last, second.name) == ("vgg", False, "lstm")
    inputs = batch(model)
    features = second.trunk(inputs)
    assert first.model(inputs).shape == (2, 3)
    np.testing.assert_allclose(logits(second.model, features), logits(model, inputs), rtol=1e-5, atol=1e-6)


def test_elrcn_starts_from_faces_with_as_many_channels_as_it_has(monkeypatch):
    kernel = RNG.normal(size=(3, 3, 3, 64)).astype("float32")
    monkeypatch.setattr(elrcn, "_faces", lambda weights: {"conv1_1": [kernel, np.ones(64, "float32")]})
    monkeypatch.setattr(elrcn, "VGG16", ((64, 1),))
    monkeypatch.setattr(elrcn, "FC", 2)
    for channels in (3, 4):
        network = vgg16((8, 8, channels), ElrcnSe(), "vgg")
        elrcn.begin_from_faces(network, "auto")
        found, bias = network.get_layer("conv1_1").get_weights()
        np.testing.assert_allclose(found.sum(axis=2), kernel.sum(axis=2), rtol=1e-4, atol=1e-5)
        assert bias.all()
    with pytest.raises(MerError, match="have width 1"):
        check_model(Experiment("demo", model=ElrcnSe(weights="auto", width=0.5)), False)


@pytest.mark.parametrize(("found", "rate"), [("vggface-vgg16", 1e-5), ("mtcnn-onet", 1e-4)])
@pytest.mark.parametrize("name", ["elrcn_se", "elrcn_te"])
def test_elrcns_learning_rate_is_the_published_one_with_face_weights_alone(name, found, rate, monkeypatch, caplog):
    monkeypatch.setattr(build, "resolve_encoder", lambda config: (found, "a test"))
    declared = changed(Experiment("demo"), {"model.name": name, **PUBLISHED[name]})
    with caplog.at_level("INFO", "mer_tf"):
        assert declared.model.settled(declared).train.learning_rate == pytest.approx(rate)
    assert f"{rate:g}" in caplog.text
    assert ("no face weights were found" in caplog.text) == (found == "mtcnn-onet")
    for given in ({"model.random_rate": 0.0}, {"model.weights": "random"}):
        own = changed(declared, given)
        assert own.model.settled(own) == own


def test_htnets_blocks_are_placed_on_images_of_28_pixels():
    with pytest.raises(MerError, match="placed on 28 pixels"):
        models()["htnet"](width=0.02).build({"flow_image": (32, 32, 3)}, 3)
