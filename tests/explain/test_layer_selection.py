import random

import numpy as np
import pandas as pd
import pytest
from helpers.weightless import weightless

from mer_tf.config import MerError
from mer_tf.explain.layer_selection import COLUMNS, choose_layer, layer_maps, layer_table, measure
from mer_tf.explain.regions import aligned_landmarks, face_mask, features_mask
from mer_tf.models.encoders.build import build_encoder
from mer_tf.models.encoders.parts import block_outputs, encoder_blocks
from mer_tf.models.encoders.vggface import build_vggface
from mer_tf.models.vggface_lstm import VggFaceLstm

SIZE = 48
FEATURES, FACE = features_mask(aligned_landmarks(SIZE), SIZE), face_mask(aligned_landmarks(SIZE), SIZE)


def aligned(frames):
    """Landmarks of that many aligned frames."""
    return np.repeat(aligned_landmarks(SIZE)[None], frames, axis=0)


@pytest.fixture(scope="module")
def onet():
    random.seed(0)
    return build_encoder(VggFaceLstm(encoder="mtcnn-onet", weights="random"), input_size=SIZE).model


@pytest.fixture(scope="module")
def frames():
    return np.random.default_rng(0).integers(0, 256, (3, SIZE, SIZE, 3)).astype("uint8")


def test_blocks_end_in_their_activation_before_pooling(onet):
    assert block_outputs(onet) == {f"conv{i}": f"prelu{i}" for i in (1, 2, 3, 4)}


@pytest.mark.parametrize(("network", "count"), [("resnet50", 17), ("senet50", 17), ("vgg16", 13)])
def test_blocks_of_vggface_are_named_by_their_output(network, count):
    model = weightless(lambda: build_vggface(network, input_size=64))
    found = block_outputs(model)
    assert len(found) == count
    assert all(block == layer for block, layer in found.items())
    assert list(found) == list(encoder_blocks(model))


def test_a_map_on_the_features_alone_is_perfect():
    energy, lift, iou, spill = measure(FEATURES.astype("float32"), FEATURES, FACE)
    assert (energy, iou, spill) == (1, 1, 0)
    assert lift == pytest.approx(FEATURES.size / FEATURES.sum())


def test_an_even_map_has_lift_one():
    energy, lift, _, spill = measure(np.ones((SIZE, SIZE), "float32"), FEATURES, FACE)
    assert lift == pytest.approx(1)
    assert energy == pytest.approx(FEATURES.mean())
    assert spill == pytest.approx(1 - FACE.mean())


def test_a_map_beside_the_face_has_nothing():
    energy, lift, iou, spill = measure((~FACE).astype("float32"), FEATURES, FACE)
    assert (energy, lift, spill) == (0, 0, 1)
    assert iou == 0


def test_table_of_every_block(onet, frames):
    maps = layer_maps(onet, frames, batch=2)
    table = layer_table(onet, maps, aligned(3))
    assert tuple(table.columns) == COLUMNS
    assert table["layer"].tolist() == ["conv1", "conv2", "conv3", "conv4"]
    assert table[["height", "channels"]].to_numpy().tolist() == [[46, 32], [21, 64], [8, 64], [3, 128]]
    assert (table["frames"] <= 3).all()
    heat = [one for one in maps["conv2"] if one.any()]
    expected = np.mean([one[FEATURES].sum() / one.sum() for one in heat])
    assert table["energy"][1] == pytest.approx(expected, rel=1e-5)
    np.testing.assert_allclose(maps["conv1"], layer_maps(onet, frames, batch=3)["conv1"], rtol=1e-3, atol=1e-6)


def test_maps_of_zeros_are_not_counted(onet):
    maps = {"conv1": np.stack([np.zeros((SIZE, SIZE)), FEATURES]).astype("float32")}
    row = layer_table(onet, maps, aligned(2)).iloc[0]
    assert row["frames"] == 1
    assert row["energy"] == 1


def test_landmarks_of_each_frame_move_its_mask(onet):
    shifted = aligned(2) + np.array([[[0, 0]], [[0, 6]]])
    maps = {"conv1": np.stack([FEATURES, features_mask(shifted[1], SIZE)]).astype("float32")}
    assert layer_table(onet, maps, shifted)["iou"][0] == 1
    assert layer_table(onet, maps, aligned(2))["iou"][0] < 0.95
    with pytest.raises(ValueError, match="shorter"):
        layer_table(onet, maps, shifted[:1])


def selection(**lifts):
    return pd.DataFrame({"layer": list(lifts), "lift": list(lifts.values())})


def test_the_greatest_lift_wins_and_ties_go_deep():
    assert choose_layer(selection(a=1.0, b=2.0, c=1.5)) == "b"
    assert choose_layer(selection(a=1.0, b=2.0, c=1.97, d=1.9)) == "c"
    assert choose_layer(selection(a=1.0, b=float("nan"))) == "a"


def test_no_map_at_all_is_said():
    with pytest.raises(MerError, match="every Grad-CAM map is zero"):
        choose_layer(selection(a=float("nan")))
