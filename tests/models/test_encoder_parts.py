"""Maps of an encoder as features: the trunk that gives them, the tail that follows, and what stands for a lost map."""

import numpy as np
import pytest

from mer_tf.config import MerError
from mer_tf.models.encoders import build as encoders
from mer_tf.models.encoders.build import build_encoder
from mer_tf.models.encoders.parts import encoder_parts, map_layer
from mer_tf.models.vggface_lstm import VggFaceLstm


@pytest.fixture(scope="module")
def vgg():
    return build_encoder(VggFaceLstm(encoder="vggface-vgg16", weights="random", features_at="pool5"), input_size=224)


def images(size, count=2):
    return np.random.default_rng(0).uniform(0, 255, (count, size, size, 3)).astype("float32")


def test_vgg16_gives_the_maps_of_the_papers(vgg):
    shapes = {at: encoder_parts(vgg.model, None, at)[0].output_shape[1:] for at in ("pool5", "conv5_3", "conv4_2")}
    assert shapes == {"pool5": (7, 7, 512), "conv5_3": (14, 14, 512), "conv4_2": (28, 28, 512)}
    assert vgg.features_at == "pool5"


def test_an_unknown_map_is_refused_with_those_there_are(vgg):
    with pytest.raises(MerError, match="conv5_3, pool1"):
        map_layer(vgg.model, "conv6_1")
    with pytest.raises(MerError, match="fc5"):
        build_encoder(VggFaceLstm(encoder="mtcnn-onet", features_at="fc5"), input_size=96)


@pytest.fixture(scope="module")
def onet():
    return build_encoder(VggFaceLstm(encoder="mtcnn-onet", features_at="conv3"), input_size=96)


def test_trunk_then_tail_is_the_encoder_and_both_are_frozen(onet):
    trunk, tail = encoder_parts(onet.model, None, "conv3")
    assert trunk.output_shape == (None, 20, 20, 64)
    assert not trunk.trainable_variables
    assert not tail.trainable_variables
    shown = images(96)
    np.testing.assert_allclose(
        tail.predict_on_batch(trunk.predict_on_batch(shown)), onet.model.predict_on_batch(shown), atol=1e-5
    )


def test_a_retrained_tail_ends_at_the_map(onet):
    trunk, tail = encoder_parts(onet.model, "conv3", "conv4")
    assert tail.output_shape == (None, 9, 9, 128)
    assert {v.path.split("/")[0] for v in tail.trainable_variables} == {"conv3", "prelu3", "conv4", "prelu4"}
    whole, _ = encoder_parts(onet.model, None, "conv4")
    shown = images(96)
    np.testing.assert_allclose(
        tail.predict_on_batch(trunk.predict_on_batch(shown)), whole.predict_on_batch(shown), atol=1e-5
    )
    with pytest.raises(MerError, match="no block 'conv4' to retrain from"):
        encoder_parts(onet.model, "conv4", "conv3")


@pytest.mark.parametrize(("size", "side"), [(48, 3), (96, 9), (64, 5)])
def test_larger_frames_give_larger_onet_maps(size, side):
    model = build_encoder(VggFaceLstm(encoder="mtcnn-onet", features_at="conv4"), input_size=size).model
    assert encoder_parts(model, None, "conv4")[0].output_shape == (None, side, side, 128)


def test_at_48_pixels_onets_map_is_that_of_its_flat_encoder():
    maps = build_encoder(VggFaceLstm(encoder="mtcnn-onet", features_at="conv4"), input_size=48)
    flat = build_encoder(VggFaceLstm(encoder="mtcnn-onet-conv4"), input_size=48)
    shown = images(48)
    found = encoder_parts(maps.model, None, "conv4")[0].predict_on_batch(shown).reshape(2, -1)
    np.testing.assert_allclose(found, flat.model.predict_on_batch(shown), atol=1e-5)


def test_onet_by_name_gives_its_own_maps_and_what_stands_for_others():
    given = [
        build_encoder(VggFaceLstm(encoder="mtcnn-onet", features_at=at), input_size=96) for at in ("conv4", "pool5")
    ]
    assert [encoder.features_at for encoder in given] == ["conv4", "conv4"]


@pytest.mark.parametrize(("asked", "given"), [("pool5", "conv4"), ("conv5_3", "conv4"), ("conv4_2", "conv3")])
def test_auto_without_weights_takes_onets_map_and_says_so(asked, given, tmp_path, monkeypatch, caplog):
    def unreachable(name, **_):
        raise MerError(f"{name}: no network")

    monkeypatch.setenv("MER_TF_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(encoders, "download_weights", unreachable)
    encoder = build_encoder(VggFaceLstm(encoder="auto", features_at=asked), input_size=96)
    assert (encoder.name, encoder.features_at) == ("mtcnn-onet", given)
    assert "vggface-vgg16 has no weights" in caplog.text
    assert f"features_at={asked}: mtcnn-onet gives its map {given}" in caplog.text
