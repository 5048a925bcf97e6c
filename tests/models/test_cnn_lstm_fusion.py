"""The fused network of paper A: widths layer by layer, every variant saved and reloaded, half precision, stages."""

from dataclasses import replace

import keras
import numpy as np
import pytest
from helpers.weightless import weightless

from mer_tf.models.cnn_lstm_fusion import CnnLstmFusion, Fusion, trunk
from mer_tf.models.layers.shared import ResponseNorm

SMALL = Fusion(channels=(4, 6, 8, 8, 6), stem_stride=2, fc_units=10, fc8_units=7)
SHAPES = {"frames": (32, 32, 3), "flow": (32, 32, 3)}
RNG = np.random.default_rng(0)
VARIANTS = [
    {"mode": "trained", "after": "fc6", "response_norm": True},
    {"mode": "untrained", "after": "fc7", "join": "sum", "lstm": "peephole"},
    {"mode": "framewise_lstm", "after": "fc7", "lstm": "coupled"},
    {"streams": "temporal", "after": "fc6"},
]
MORE = [{"mode": m, "after": a} for m in ("trained", "untrained", "random", "framewise_lstm") for a in ("fc6", "fc7")]
MORE += [{"mode": "random", "after": "fc6", "join": "max"}, {"streams": "spatial"}]
MORE += [{"streams": "temporal"}, {"join": "max"}, {"response_norm": True}, {"lstm": "peephole"}]
VARIANTS += [pytest.param(changes, marks=pytest.mark.slow) for changes in MORE if changes not in VARIANTS]
"""The others have every part of these; tests/models/test_contract.py tries them as declared."""


def small(lstm="plain", **changes):
    return CnnLstmFusion(lstm_units=10, lstm=lstm, dropout=0.2, fusion=replace(SMALL, **changes))


def batch(clips=3, frames=3):
    return {name: RNG.integers(0, 256, (clips, frames, *shape)).astype("uint8") for name, shape in SHAPES.items()}


def run(model, arrays):
    """Outputs as arrays, without the seconds that tracing takes, of the inputs that a model has."""
    return keras.ops.convert_to_numpy(model({tensor.name: arrays[tensor.name] for tensor in model.inputs}))


def test_trunk_has_the_shapes_and_parameters_of_alexnet_at_96_pixels():
    cnn = weightless(lambda: trunk((96, 96, 3), CnnLstmFusion(dropout=0.5), "spatial_trunk"))
    expected = {
        "conv1": ((24, 24, 96), 96 * (11 * 11 * 3 + 1)),
        "pool1": ((11, 11, 96), 0),
        "conv2": ((11, 11, 256), 256 * (5 * 5 * 96 + 1)),
        "pool2": ((5, 5, 256), 0),
        "conv3": ((5, 5, 384), 384 * (9 * 256 + 1)),
        "conv4": ((5, 5, 384), 384 * (9 * 384 + 1)),
        "conv5": ((5, 5, 256), 256 * (9 * 384 + 1)),
        "pool5": ((2, 2, 256), 0),
        "flat": ((1024,), 0),
        "fc6": ((4096,), 4096 * 1025),
        "fc7": ((4096,), 4096 * 4097),
    }
    found = {name: (cnn.get_layer(name).output.shape[1:], cnn.get_layer(name).count_params()) for name in expected}
    assert found == expected
    kinds = [type(layer).__name__ for layer in cnn.layers]
    assert (kinds.count("Conv2D"), kinds.count("MaxPooling2D"), kinds.count("Dense")) == (5, 3, 2)


def test_stem_stride_2_leaves_6400_numbers():
    cnn = weightless(lambda: trunk((96, 96, 3), CnnLstmFusion(fusion=Fusion(stem_stride=2)), "t"))
    assert cnn.get_layer("flat").output.shape == (None, 6400)


def test_paper_widths_of_lstm_fusion_and_classifier():
    shapes = {"frames": (96, 96, 3), "flow": (96, 96, 3)}
    config = CnnLstmFusion(lstm_units=512, dropout=0.5)
    model = weightless(lambda: config.build(shapes, 3))
    fc6 = weightless(lambda: replace(config, fusion=Fusion(after="fc6")).build(shapes, 3))
    head = model.get_layer("head")
    assert model.get_layer("temporal_features").count_params() == 4 * 512 * (4096 + 512 + 1)
    widths = {name: head.get_layer(name).count_params() for name in ("fusion", "fc8", "fc9")}
    assert widths == {"fusion": 4096 * (4096 + 512 + 1), "fc8": 1024 * 4097, "fc9": 3 * 1025}
    assert model.output_shape == (None, 3)
    assert fc6.get_layer("head").get_layer("fc7").count_params() == 4096 * 4097
    assert "fc7" not in {layer.name for layer in fc6.get_layer("spatial_frames").layer.layers}


@pytest.mark.parametrize("changes", VARIANTS, ids=str)
def test_every_variant_is_saved_reloaded_in_safe_mode_and_predicts_the_same(changes, tmp_path):
    model, arrays = small(**changes).build(SHAPES, 3), batch()
    logits = run(model, arrays)
    assert logits.shape == (3, 3)
    assert np.isfinite(logits).all()
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    assert run(again, arrays) == pytest.approx(logits, abs=1e-5)


def test_each_stream_sees_its_own_input():
    arrays = batch()
    for stream, seen in (("spatial", "frames"), ("temporal", "flow")):
        assert [t.name for t in small(streams=stream).build(SHAPES, 3).inputs] == [seen]
    model = small().build(SHAPES, 3)
    before = run(model, arrays)
    for name in SHAPES:
        changed = arrays | {name: arrays[name][:, ::-1, ::2].repeat(2, axis=2)}
        assert np.abs(run(model, changed) - before).max() > 1e-4


def test_order_of_frames_matters_to_the_temporal_stream_alone():
    arrays = batch()
    for stream, told in (("spatial", False), ("temporal", True)):
        model = small(streams=stream).build(SHAPES, 3)
        name = model.inputs[0].name
        there, back = (run(model, {name: arrays[name][:, ::way]}) for way in (1, -1))
        assert (np.abs(there - back).max() > 1e-4) == told


@pytest.mark.parametrize(("lstm", "gates", "peepholes"), [("plain", 4, 0), ("peephole", 4, 3), ("coupled", 3, 0)])
def test_every_reading_of_the_improved_lstm_has_its_gates(lstm, gates, peepholes):
    found = weightless(lambda: small(lstm=lstm).build(SHAPES, 3)).get_layer("temporal_features").count_params()
    assert found == gates * 10 * (10 + 10 + 1) + peepholes * 10


def test_untrained_fusion_holds_no_weights_and_random_ones_stay():
    untrained = small(mode="untrained").build(SHAPES, 3).get_layer("head")
    assert {w.path.split("/")[-2] for w in untrained.weights} == {"fc8", "fc9"}
    head = small(mode="random").build(SHAPES, 3).get_layer("head")
    assert head.get_layer("fusion").count_params() == 10 * 21
    assert not any("fusion" in w.path for w in head.trainable_weights)


def test_untrained_fusion_forgets_how_large_features_are():
    head = small(mode="untrained").build(SHAPES, 3).get_layer("head")
    features = {name: RNG.normal(size=(2, 10)).astype("float32") for name in ("spatial", "temporal")}
    louder = {name: value * k for (name, value), k in zip(features.items(), (3, 50), strict=True)}
    assert run(head, louder) == pytest.approx(run(head, features), abs=1e-5)


@pytest.mark.parametrize(
    ("finetune", "mode", "frozen"), [(True, "trained", False), (False, "trained", True), (True, "untrained", True)]
)
def test_stages_are_the_streams_and_then_the_fusion(finetune, mode, frozen):
    config = small(finetune_streams=finetune, mode=mode)
    model = config.build(SHAPES, 3)
    found = config.stages(model)
    assert [(s.name, s.last) for s in found] == [("spatial", False), ("temporal", False), ("fusion", True)]
    assert (found[-1].trunk is not None) == frozen
    streams = {id(v) for v in found[0].model.variables} & {id(v) for v in model.variables}
    assert len(streams) >= 14  # seven layers of kernel and bias are the whole model's own
    assert [s.name for s in small(streams="spatial").stages(small(streams="spatial").build(SHAPES, 3))] == ["spatial"]


def test_half_precision_keeps_the_answer_and_finite_gradients():
    arrays, labels = batch(), np.array([0, 1, 2])
    full = small(response_norm=True).build(SHAPES, 3)
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        half = small(response_norm=True).build(SHAPES, 3)
    finally:
        keras.config.set_dtype_policy("float32")
    half.set_weights(full.get_weights())
    wanted, found = (run(m, arrays) for m in (full, half))
    assert found.dtype == np.float32
    assert found == pytest.approx(wanted, abs=float(0.05 * np.abs(wanted).max()))
    half.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True), run_eagerly=True)
    # flow that is all rest gives features of length 0, which must not be divided by
    still = arrays | {"flow": np.full_like(arrays["flow"], 128) * np.array([1, 1, 0], "uint8")}
    assert np.isfinite(half.train_on_batch(still, labels))
    assert all(np.isfinite(w).all() for w in half.get_weights())


def test_response_norm_is_alexnets():
    images = RNG.normal(size=(1, 2, 2, 7)).astype("float32") * 30
    found = np.asarray(ResponseNorm()(images))
    for c in range(7):
        near = (images[..., max(c - 2, 0) : c + 3] ** 2).sum(axis=-1)
        assert found[..., c] == pytest.approx(images[..., c] / (2 + 1e-4 * near) ** 0.75, rel=1e-4)
