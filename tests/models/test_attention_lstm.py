"""The attention LSTM against its equations: counts, masks, penalties, a pass in numpy, stages, what it learns."""

import importlib.util
import subprocess
import sys
from dataclasses import replace

import keras
import numpy as np
import pytest

from mer_tf.config import MerError
from mer_tf.models.attention_lstm import Attention, AttentionLstm, attention_maps
from mer_tf.models.layers.attention import FixedTimeWeights, FrameGate

H, A, C, SHAPE, R, CLASSES = 5, 4, 6, (2, 3, 6), 6, 3
EVERY = {"use": "both", "pool": False, "temporal": "relu", "learned_keyframes": True}
VARIANTS = [
    {"use": "plain", "without_temporal": "mean", "pool": False},
    {"use": "spatial", "state": "own", "pool": False},
    EVERY,
]
MORE = [{"use": use} for use in ("plain", "spatial", "temporal", "both")]
MORE += [{"use": "temporal", "state": "own", "temporal": "relu"}, {"use": "both", "state": "own"}]
VARIANTS += [pytest.param(changes, marks=pytest.mark.slow) for changes in MORE]
"""The others have every part of these; tests/models/test_contract.py tries "both"."""


def config(**changes):
    how = replace(Attention(units=A), **changes)
    return AttentionLstm(lstm_units=H, lstm_layers=1, center="onset", dropout=0.5, attention=how)


def inputs(clips=3, frames=3, shape=SHAPE, seed=0):
    rng = np.random.default_rng(seed)
    values = {"frames": rng.normal(size=(clips, frames, *shape)), "onset": rng.normal(size=(clips, 1, *shape))}
    lengths = np.array([frames, 2, 1])[:clips, None]
    return {k: v.astype("float32") for k, v in values.items()} | {"mask": np.arange(frames) < lengths}


def shaken(model, seed=0):
    """Every weight drawn anew: attention begins at zero, where little of it can be seen."""
    rng = np.random.default_rng(seed)
    model.set_weights([rng.uniform(0.1, 1, w.shape) * rng.choice([-1, 1], w.shape) for w in model.get_weights()])
    bn = model.get_layer("features_bn")
    bn.set_weights([np.abs(w) + 0.5 for w in bn.get_weights()])
    for layer in model.layers:
        if layer.name == "when":
            layer.bias.assign(8.0)  # a ReLU that is off would show nothing
    return model


def numbers(value):
    return keras.ops.convert_to_numpy(value)


@pytest.fixture(scope="module", params=VARIANTS, ids=str)
def variant(request):
    """Settings, and a model of them that no test changes."""
    return request.param, shaken(config(**request.param).build(SHAPE, CLASSES))


# ------------------------------------------------------------------ size and shape


def lstm(width, units=H):
    return 4 * units * (width + units + 1)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"use": "plain"}, lstm(C)),
        ({"use": "plain", "pool": False}, lstm(R * C)),
        ({"use": "spatial"}, lstm(C) + C * A + H * A + 2 * A),
        ({"use": "spatial", "state": "own"}, lstm(C) + lstm(C, A) + C * A + A * A + 2 * A),
        ({"use": "temporal"}, lstm(C) + C + H + 1),
        ({"use": "both"}, lstm(C) + C * A + H * A + 2 * A + C + H + 1),
        ({"use": "both", "learned_keyframes": True}, lstm(C) + C * A + H * A + 2 * A + C + H + 1 + C + 1),
    ],
    ids=str,
)
def test_parameters_are_those_of_the_equations(changes, expected):
    model = config(**changes).build(SHAPE, CLASSES)
    assert model.count_params() == expected + 4 * C + CLASSES * (H + 1)


def test_more_layers_are_stacked_upon_the_attentive_one():
    model = replace(config(), lstm_layers=3).build(SHAPE, CLASSES)
    assert [model.get_layer(f"lstm{k}").count_params() for k in (2, 3)] == [lstm(H), lstm(H)]


def test_a_vector_is_gated_number_by_number():
    with pytest.raises(MerError, match="features_at"):
        config().build((7,), CLASSES)
    model = shaken(config(pool=False).build((7,), CLASSES))
    values = inputs(shape=(7,))
    assert model(values).shape == (3, CLASSES)
    assert attention_maps(model)(values)["alpha"].shape == (3, 3, 7)


# ------------------------------------------------------------------ the equations


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def by_hand(model, values):
    """alpha, beta and logits of clip 0, which is not padded, of `both` with the main state and softmax."""
    layer = model.get_layer
    gamma, offset, mean, variance = layer("features_bn").get_weights()
    x = (values["frames"] - values["onset"])[0].reshape(-1, R, C)
    x = (x - mean) / np.sqrt(variance + 1e-3) * gamma + offset
    cell = layer("lstm1").cell
    of_region, of_state, bias, score = (numbers(w) for w in cell.attend.weights)
    kernel, recurrent, lstm_bias = (numbers(w) for w in cell.lstm.weights)
    h = c = np.zeros(H)
    alphas, seen, before, steps = [], [], [], []
    for regions in x:
        s = np.tanh(regions @ of_region + h @ of_state + bias) @ score
        alpha = np.exp(s) / np.exp(s).sum()
        z = alpha @ regions
        i, f, g, o = np.split(z @ kernel + h @ recurrent + lstm_bias, 4)
        before.append(h)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        alphas, seen, steps = [*alphas, alpha], [*seen, z], [*steps, h]
    of_seen, of_state, bias = (numbers(w) for w in layer("when").weights)
    e = np.array(seen) @ of_seen + np.array(before) @ of_state + bias
    beta = np.exp(e) / np.exp(e).sum()
    kernel, bias = layer("logits_of_steps").get_weights()
    return np.array(alphas), beta, beta @ (np.array(steps) @ kernel + bias)


def test_a_forward_pass_is_that_of_the_equations():
    model, values = shaken(config().build(SHAPE, CLASSES)), inputs()
    alpha, beta, logits = by_hand(model, values)
    found = attention_maps(model)(values)
    np.testing.assert_allclose(numbers(found["alpha"])[0], alpha, atol=1e-5)
    np.testing.assert_allclose(numbers(found["beta"])[0], beta, atol=1e-5)
    np.testing.assert_allclose(numbers(model(values))[0], logits, atol=1e-5)
    assert alpha.max() > 1.5 / R  # the drawn weights do attend to something


def test_a_padded_clip_is_predicted_as_the_same_clip_alone(variant):
    model, values = variant[1], inputs()
    values["frames"][~values["mask"]] = 1e3  # what stands where it is padded must not be seen
    together = numbers(model(values))
    for k, length in enumerate(values["mask"].sum(axis=1)):
        alone = {"frames": values["frames"][k : k + 1, :length], "onset": values["onset"][k : k + 1]}
        alone["mask"] = np.ones((1, length), bool)
        np.testing.assert_allclose(together[k : k + 1], numbers(model(alone)), atol=1e-5)


@pytest.mark.parametrize("temporal", ["softmax", "relu"])
def test_an_untrained_model_attends_evenly(temporal):
    model, values = config(temporal=temporal).build(SHAPE, CLASSES), inputs()
    found = {name: numbers(value) for name, value in attention_maps(model)(values).items()}
    np.testing.assert_allclose(found["alpha"], (values["mask"] / R)[..., None].repeat(R, axis=-1), atol=1e-6)
    share = 1 / values["mask"].sum(axis=1, keepdims=True) if temporal == "softmax" else 1
    np.testing.assert_allclose(found["beta"], values["mask"] * share, atol=1e-6)


def test_penalties_are_those_of_the_equations():
    changes = {"temporal": "relu", "spread": 0.3, "length": 0.2, "weight_l1": 0.01}
    model, values = shaken(config(**changes).build(SHAPE, CLASSES)), inputs()
    found = {name: numbers(value) for name, value in attention_maps(model)(values).items()}
    mask = values["mask"]
    over_time = (found["alpha"] * mask[..., None]).sum(axis=1) / mask.sum(axis=1, keepdims=True)
    spread = 0.3 * ((1 - R * over_time) ** 2).mean()
    length = 0.2 * (np.abs(found["beta"]).sum(axis=1) / mask.sum(axis=1)).mean()
    cell, when = model.get_layer("lstm1").cell, model.get_layer("when")
    weighed = [*cell.attend.weights[:2], cell.attend.score, *cell.lstm.weights[:2], *when.weights[:2]]
    weighed.append(model.get_layer("logits_of_steps").kernel)
    absolute = 0.01 * sum(np.abs(numbers(w)).sum() for w in weighed)
    model(values)
    assert sum(map(float, model.losses)) == pytest.approx(spread + length + absolute, rel=1e-4)


def test_the_last_kept_frame_and_the_mean_of_kept_frames():
    mask = np.array([[True, True, False], [True, False, False], [True, True, True], [False, True, False]])
    assert numbers(FixedTimeWeights("last")(mask)).argmax(axis=1).tolist() == [1, 0, 2, 1]
    assert numbers(FixedTimeWeights("last")(mask)).sum(axis=1).tolist() == [1] * 4
    np.testing.assert_allclose(numbers(FixedTimeWeights("mean")(mask))[0], [0.5, 0.5, 0])


def test_learned_key_frames_are_those_not_below_the_mean():
    gate = FrameGate()
    regions = np.array([0.0, 3, 1, 2, 9], "float32").reshape(1, 5, 1, 1) * np.ones((1, 5, 2, 1), "float32")
    mask = np.array([[True] * 4 + [False]])
    assert numbers(gate(regions, mask)[1]).tolist() == mask.tolist()  # begins with all of them
    gate.set_weights([np.array([1.0]), np.array(0.0)])
    gated, key = (numbers(v) for v in gate(regions, mask))
    assert key.tolist() == [[False, True, False, True, False]]
    np.testing.assert_allclose(gated[0, :4, 0, 0], [0, 3, 0, 2], atol=1e-6)


@pytest.mark.parametrize("changes", [pytest.param(VARIANTS[1], marks=pytest.mark.slow), EVERY], ids=str)
def test_half_precision_says_nearly_the_same(changes):
    model, values = shaken(config(**changes).build(SHAPE, CLASSES)), inputs()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        half = config(**changes).build(SHAPE, CLASSES)
    finally:
        keras.config.set_dtype_policy("float32")
    half.set_weights(model.get_weights())
    logits = numbers(half(values))
    assert logits.dtype == np.float32
    np.testing.assert_allclose(logits, numbers(model(values)), atol=0.1 * np.abs(numbers(model(values))).max())


# ------------------------------------------------------------------ saving


def test_it_is_saved_and_reloaded_in_safe_mode_and_predicts_the_same(variant, tmp_path):
    (changes, model), values = variant, inputs()
    path = tmp_path / "model.keras"
    model.save(path)
    again = keras.saving.load_model(path, safe_mode=True)
    np.testing.assert_allclose(numbers(again(values)), numbers(model(values)), atol=1e-6)
    if changes["use"] == "plain":
        assert attention_maps(again) is None
    else:
        assert set(attention_maps(again)(values)) == set(attention_maps(model)(values))


ON_JAX = """
import sys, keras, numpy as np, mer_tf.models.attention_lstm
assert keras.backend.backend() == "jax" and "tensorflow" not in sys.modules
values = dict(np.load(sys.argv[1] + "/inputs.npz"))
model = keras.saving.load_model(sys.argv[1] + "/model.keras", safe_mode=True)
np.save(sys.argv[1] + "/jax.npy", model.predict_on_batch(values))
model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
model.fit(values, np.array([0, 1, 2]), epochs=1, verbose=0)
"""


@pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="JAX is not installed")
@pytest.mark.parametrize("changes", [{"use": "both"}, EVERY], ids=str)
def test_jax_predicts_the_same(changes, tmp_path, monkeypatch):
    model, values = shaken(config(**changes).build(SHAPE, CLASSES)), inputs()
    model.save(tmp_path / "model.keras")
    np.savez(tmp_path / "inputs.npz", **values)
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    subprocess.run([sys.executable, "-c", ON_JAX, str(tmp_path)], check=True, timeout=300)
    np.testing.assert_allclose(np.load(tmp_path / "jax.npy"), numbers(model(values)), atol=1e-5)


# ------------------------------------------------------------------ training


def moving(clips=64, frames=5, seed=0):
    """Cell 4 tells the class at frame 3, cell 1 moves at random throughout."""
    rng = np.random.default_rng(seed)
    values, labels = inputs(1, frames), rng.integers(0, 2, clips)
    x = rng.normal(0, 0.1, (clips, frames, R, C))
    x[:, :, 1, :3] += rng.normal(0, 1, (clips, frames, 3))
    x[:, 3, 4, 3] += 2 * (2 * labels - 1)
    values = {"frames": x.reshape(clips, frames, *SHAPE), "onset": np.zeros((clips, 1, *SHAPE))}
    return {k: v.astype("float32") for k, v in values.items()} | {"mask": np.ones((clips, frames), bool)}, labels


@pytest.mark.slow
@pytest.mark.parametrize("state", ["main", "own"])
def test_attention_comes_to_lie_where_and_when_the_class_is_told(state):
    keras.utils.set_random_seed(0)
    model = replace(config(state=state), lstm_units=12, dropout=0.0, bn_momentum=0.9).build(SHAPE, 2)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.02), loss, jit_compile=False)
    model.fit(*moving(), epochs=30, batch_size=32, verbose=0)
    values, labels = moving(seed=1)
    assert (numbers(model(values)).argmax(axis=1) == labels).mean() > 0.9
    found = {name: numbers(value) for name, value in attention_maps(model)(values).items()}
    assert found["alpha"][:, 3].mean(axis=0).argmax() == 4
    assert found["alpha"][:, 3, 4].mean() > 1.4 / R
    assert found["beta"].mean(axis=0).argmax() >= 3  # the LSTM may hand it on to the last frame


@pytest.mark.parametrize("state", [pytest.param("main", marks=pytest.mark.slow), "own"])
def test_stages_hold_one_attention_after_the_other(state):
    settings = config(staged=True, state=state)
    model = settings.build(SHAPE, CLASSES)
    found = settings.stages(model)
    assert [s.name for s in found] == ["temporal", "spatial", "joint"]
    assert [s.last for s in found] == [False, False, True]
    parts = {"where": found[0].frozen, "when": found[1].frozen}
    values, labels = inputs(frames=2), np.array([0, 1, 2])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    for stage, moves in zip(found, ({"when"}, {"where"}, {"where", "when"}), strict=True):
        before = {k: [w.copy() for one in layers for w in one.get_weights()] for k, layers in parts.items()}
        with stage.holding():
            stage.model.compile(keras.optimizers.SGD(0.01), loss, run_eagerly=True)
            stage.model.train_on_batch(values, labels)
        after = {k: [w for one in layers for w in one.get_weights()] for k, layers in parts.items()}
        changed = {k for k in parts if any((a != b).any() for a, b in zip(after[k], before[k], strict=True))}
        assert changed == moves, stage.name
    assert all(layer.trainable for layers in parts.values() for layer in layers)


def test_one_attention_alone_has_one_stage():
    assert config(staged=True).first_stages == 2
    assert config(staged=True, use="spatial").first_stages == 0
    assert config().first_stages == 0
