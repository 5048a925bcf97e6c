"""Global and block attention: crops against plain slices, published shapes, masks, variants, saved and reloaded."""

from dataclasses import replace
from functools import cache

import keras
import numpy as np
import pytest
from helpers.weightless import weightless
from keras import layers, ops

from mer_tf.config import MerError
from mer_tf.models.encoders.parts import encoder_parts
from mer_tf.models.encoders.vggface import build_vggface
from mer_tf.models.gia_bia_bilstm import Blocks, GiaBiaBiLstm, block_weights
from mer_tf.models.layers.block_units import BlockUnits
from mer_tf.models.layers.blocks import BlockCrop, Neighbours

RNG = np.random.default_rng(0)
SMALL = Blocks(window=4, filters=6, units=5, gate_filters=4, gate_units=3, gia_units=7, reduce_units=11)
SHAPE, BLOCKS = (8, 9, 3), 5
VARIANTS = [
    ({"shared": True, "psi": "gap", "over_time": "lstm"}, BLOCKS),
    ({"gia": False, "over_time": "mean"}, BLOCKS),
    ({}, 0),
]
MORE = [({}, BLOCKS), ({"shared": True}, BLOCKS), ({"psi": "gap"}, BLOCKS), ({"shared": True, "psi": "gap"}, BLOCKS)]
MORE += [
    ({"gia": False}, BLOCKS),
    ({"over_time": "lstm"}, BLOCKS),
    ({"over_time": "mean"}, BLOCKS),
    ({"gia": False}, 0),
]
VARIANTS += [pytest.param(*one, marks=pytest.mark.slow) for one in MORE]
"""The others have every part of these."""


@cache
def tail():
    image = keras.Input(SHAPE)
    x = layers.ReLU(name="relu")(layers.Conv2D(6, 3, name="conv")(image))
    model = keras.Model(image, layers.GlobalAveragePooling2D()(layers.MaxPooling2D(name="pool")(x)))
    model.trainable = False
    return model


def small(count=BLOCKS, **changes):
    config = GiaBiaBiLstm(center="onset", lstm_units=4, dropout=0.2, blocks=replace(SMALL, **changes))
    return config, config.build({"frames": SHAPE, "blocks": (count, 2)}, 3, tail())


def batch(count=BLOCKS, clips=2, frames=4):
    values = {
        "frames": RNG.normal(size=(clips, frames, *SHAPE)).astype("float32"),
        "onset": RNG.normal(size=(clips, 1, *SHAPE)).astype("float32"),
        "mask": np.arange(frames) < np.array([[frames], [frames - 2]]),
    }
    if count:
        values["blocks"] = RNG.uniform(0, 8, (clips, count, 2)).astype("float32")
    return values


# ---------------------------------------------------------------------- crops
def plain_crop(maps, centres, window):
    """The same by padding and slicing, block by block."""
    clips, height, width, blocks = len(maps), *maps.shape[2:4], centres.shape[1]
    out = np.empty((*maps.shape[:2], window, window, blocks, maps.shape[-1]), maps.dtype)
    padded = np.pad(maps, ((0, 0), (0, 0), (window, window), (window, window), (0, 0)), mode="reflect")
    for clip in range(clips):
        for block, (x, y) in enumerate(centres[clip]):
            column, row = (
                int(np.clip(np.floor(c - window / 2 + 0.5), -window, size)) + window
                for c, size in ((x, width), (y, height))
            )
            out[clip, ..., block, :] = padded[clip, :, row : row + window, column : column + window]
    return out.reshape(-1, *out.shape[2:])


@pytest.mark.parametrize("window", [1, 4, 5, 6])
def test_crop_equals_padding_and_slicing_within_and_beyond_the_border(window):
    maps = RNG.normal(size=(2, 3, 7, 9, 4)).astype("float32")
    centres = RNG.uniform(-8, 17, (2, 30, 2)).astype("float32")
    found = ops.convert_to_numpy(BlockCrop(window)(maps, centres))
    np.testing.assert_array_equal(found, plain_crop(maps, centres, window))


def test_crop_is_centred():
    maps = np.arange(64, dtype="float32").reshape(1, 1, 8, 8, 1)
    at = np.array([[[4.0, 4.0], [4.4, 4.0], [4.6, 2.0]]], "float32")  # x, y: between cells 3 and 4, ...
    even = ops.convert_to_numpy(BlockCrop(2)(maps, at))[0, ..., 0]
    assert even[..., 0].tolist() == even[..., 1].tolist() == [[27, 28], [35, 36]]
    assert even[..., 2].tolist() == [[12, 13], [20, 21]]
    odd = ops.convert_to_numpy(BlockCrop(3)(maps, at + 0.5))[0, ..., 0, 0]
    assert odd[1, 1] == 4 * 8 + 4


def test_crop_compiles_and_its_windows_lie_by_the_clip_not_by_the_frame():
    centres = RNG.uniform(0, 8, (2, BLOCKS, 2)).astype("float32")
    maps, places = keras.Input((None, *SHAPE)), keras.Input((BLOCKS, 2))
    model = keras.Model([maps, places], BlockCrop(4)(maps, places))
    model.compile(jit_compile=True)
    frames = RNG.normal(size=(2, 3, *SHAPE)).astype("float32")
    found = np.asarray(model.predict_on_batch([frames, centres]))
    np.testing.assert_array_equal(found, plain_crop(frames, centres, 4))


# ---------------------------------------------------------------------- units
def test_units_of_their_own_are_separate_convolutions():
    windows = RNG.normal(size=(3, 4, 4, 2, 5)).astype("float32")
    dense = layers.EinsumDense("nhwkp,kpf->nhwkf", (4, 4, 2, 6), bias_axes="kf")
    found = ops.convert_to_numpy(dense(Neighbours()(windows)))
    for block in range(2):
        conv = layers.Conv2D(6, 3, padding="same")
        conv.build((None, 4, 4, 5))
        conv.set_weights([ops.convert_to_numpy(dense.kernel)[block].reshape(3, 3, 5, 6), dense.get_weights()[1][block]])
        expected = ops.convert_to_numpy(conv(windows[..., block, :]))
        np.testing.assert_allclose(found[..., block, :], expected, atol=1e-5)


@pytest.mark.parametrize("psi", ["flatten", "gap"])
def test_weights_of_their_own_begin_as_large_as_shared_ones(psi):
    spread = []
    for shared in (True, False):
        config = Blocks(window=4, filters=16, units=64, shared=shared, psi=psi)
        windows, mask = keras.Input((4, 4, 8, 16)), keras.Input((1, 1), dtype="bool")
        unit = BlockUnits(8, config, 0.9, mask, "block")
        model = keras.Model([windows, mask], unit.vectors(unit.convolved(windows), 64))
        names = ("block_conv1", "block_conv2", "block_psi")
        spread.append([float(np.std(model.get_layer(name).get_weights()[0])) for name in names])
    assert spread[1] == pytest.approx(spread[0], rel=0.15)


# ---------------------------------------------------------------------- the network
def unit_parameters(filters=512, window=6, vector=64, gate=128, hidden=64):
    """Of one block unit, by hand: two convolutions with batch normalisation, psi, the gate."""
    convs = 2 * (9 * filters * filters + filters + 4 * filters)
    psi = window * window * filters * vector + vector
    return convs + psi + 9 * filters * gate + gate + 4 * gate + gate * hidden + hidden + hidden + 1


def count(model, prefix):
    return sum(layer.count_params() for layer in model.layers if layer.name.startswith(prefix))


def test_shapes_and_parameters_of_gacnn_with_vgg16():
    """28 x 28 x 512 maps of conv4_2, 6 x 6 windows of 24 blocks, conv4_3 to conv5_2 for the whole face."""
    config = GiaBiaBiLstm(lstm_units=256, blocks=Blocks(set="24", shared=True, gia_to="conv5_2"))

    def whole():
        encoder = build_vggface("vgg16")
        encoder.trainable = False
        trunk, rest = encoder_parts(encoder, None, "conv4_2")
        return trunk, config.build({"frames": (28, 28, 512), "blocks": (24, 2)}, 5, rest)

    trunk, model = weightless(whole)
    assert trunk.output_shape[1:] == (28, 28, 512)
    shapes = {name: model.get_layer(name).output.shape[1:] for name in ("block_windows", "vectors", "bilstm")}
    assert shapes == {"block_windows": (6, 6, 24, 512), "vectors": (512 + 64 * 24,), "bilstm": (512,)}
    assert model.get_layer("gia_tail").output.shape[2:] == (14, 14, 512)
    assert model.get_layer("sequence").output.shape[2:] == (1024,)
    assert unit_parameters() == 6_502_209  # 24 of their own: 156 million
    assert count(model, "block_") == unit_parameters()
    assert model.get_layer("reduce").count_params() == 1024 * (2048 + 1)
    assert not model.get_layer("gia_tail").trainable_variables


def test_blocks_of_their_own_have_a_unit_each():
    _, own = small(gia=False)
    _, one = small(gia=False, shared=True)
    by_hand = unit_parameters(filters=6, window=4, vector=5, gate=4, hidden=3) - 9 * 6 * (6 - 3)  # maps of 3 channels
    assert count(one, "block_") == by_hand
    assert count(own, "block_") == BLOCKS * by_hand


def run(model, given):
    """Outputs as arrays, without the seconds that tracing takes."""
    return keras.tree.map_structure(ops.convert_to_numpy, model(given))


@pytest.mark.parametrize(("changes", "blocks"), VARIANTS, ids=str)
def test_every_variant_predicts_ignores_padding_and_reloads(changes, blocks, tmp_path):
    _, model = small(blocks, **changes)
    given = batch(blocks)
    logits = run(model, given)
    assert logits.shape == (2, 3)
    alone = {name: value[1:, :2] if name in ("frames", "mask") else value[1:] for name, value in given.items()}
    np.testing.assert_allclose(run(model, alone), logits[1:], atol=1e-5)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_allclose(run(again, given), logits, atol=1e-6)
    weights = run(block_weights(again), given)
    assert weights["blocks"].shape == (8, max(blocks, 1), 1)
    assert ("face" in weights) == changes.get("gia", True)
    assert all((w > 0).all() and (w < 1).all() for w in weights.values())


def test_padded_frames_move_no_statistic_in_training():
    _, model = small(shared=True, over_time="mean")
    kept, found = model.get_weights(), []
    given = batch()
    for noise in (0, 100):
        model.set_weights(kept)
        padded = dict(given, frames=np.where(given["mask"][..., None, None, None], given["frames"], noise))
        model(padded, training=True)
        norms = [layer for layer in model.layers if isinstance(layer, layers.BatchNormalization)]
        found.append(np.concatenate([w for layer in norms for w in layer.get_weights()]))
    np.testing.assert_allclose(found[0], found[1], atol=1e-5)


def test_a_block_sees_its_window_alone():
    _, model = small(gia=False, psi="gap")
    given = batch()
    given["onset"][:] = 0
    given["blocks"][:] = (2.0, 2.0)
    far = dict(given, frames=given["frames"].copy())
    far["frames"][:, :, 4:] += 5
    near = dict(given, frames=given["frames"].copy())
    near["frames"][:, :, :4] += 5
    probe = block_weights(model)
    before, after, moved = (run(probe, x)["blocks"] for x in (given, far, near))
    np.testing.assert_array_equal(before, after)
    assert np.abs(moved - before).max() > 1e-3


def test_without_blocks_the_whole_map_or_the_face_alone():
    whole = small(0)[1]
    _, face = small(0, none_mode="gia_only")
    assert whole.get_layer("vectors").output.shape[1:] == (7 + 5,)
    assert [layer.name for layer in face.layers if layer.name.startswith("block")] == []
    with pytest.raises(MerError, match="leave nothing without gia"):
        small(0, none_mode="gia_only", gia=False)
    with pytest.raises(MerError, match="gia_to=conv9: behind the map come the maps .*conv, relu, pool"):
        small(gia_to="conv9")


def test_tail_ends_where_it_is_told_to():
    shapes = {to: small(gia_to=to)[1].get_layer("gia_tail").output.shape[2:] for to in ("", "relu")}
    assert shapes == {"": (3, 3, 6), "relu": (6, 7, 6)}


# ---------------------------------------------------------------------- stages
def test_single_frames_are_learned_first_then_all_or_what_runs_over_time():
    config, model = small()
    first, last = config.stages(model)
    assert (first.name, first.last, first.near_apex, last.model) == ("frames", False, True, model)
    assert model.get_layer("bilstm") not in first.model.layers
    fixed = replace(config, blocks=replace(config.blocks, finetune=False))
    _, last = fixed.stages(model)
    assert last.trunk is not None
    given = batch()
    vectors = run(last.trunk, given)
    np.testing.assert_allclose(run(last.model, vectors), run(model, given), atol=1e-5)
    moved = {w.path for w in last.model.trainable_variables}
    assert {path.split("/")[0] for path in moved} == {"bilstm", "logits"}
    mean, whole = small(over_time="mean")
    assert [s.name for s in mean.stages(whole)] == ["clips"]
    assert (config.first_stages, mean.first_stages) == (1, 0)
