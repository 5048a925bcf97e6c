"""LSTM cells of our own against NumPy loops over the published equations; saved, in half precision, trained."""

import keras
import numpy as np
import pytest

from mer_tf.models.layers.recurrent import CoupledCell, PeepholeCell

RNG = np.random.default_rng(0)
UNITS, CELLS = 4, [PeepholeCell, CoupledCell]


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def peephole(x, kernel, recurrent, bias, peepholes):
    """Greff et al. 2017, section II, of Gers & Schmidhuber 2000, gate by gate: (B, T, D) -> every h (B, T, units)."""
    (w_i, w_f, w_g, w_o), (r_i, r_f, r_g, r_o) = (np.split(m, 4, axis=1) for m in (kernel, recurrent))
    (b_i, b_f, b_g, b_o), (p_i, p_f, p_o) = np.split(bias, 4), peepholes
    h = c = np.zeros((len(x), UNITS))
    steps = []
    for now in x.swapaxes(0, 1):
        i = sigmoid(now @ w_i + h @ r_i + p_i * c + b_i)
        f = sigmoid(now @ w_f + h @ r_f + p_f * c + b_f)
        c = f * c + i * np.tanh(now @ w_g + h @ r_g + b_g)
        o = sigmoid(now @ w_o + h @ r_o + p_o * c + b_o)
        h = o * np.tanh(c)
        steps.append(h)
    return np.stack(steps, axis=1)


def coupled(x, kernel, recurrent, bias):
    """Greff et al. 2017, CIFG without peepholes: an LSTM whose forget gate is 1 minus its input gate."""
    (w_i, w_g, w_o), (r_i, r_g, r_o) = (np.split(m, 3, axis=1) for m in (kernel, recurrent))
    b_i, b_g, b_o = np.split(bias, 3)
    h = c = np.zeros((len(x), UNITS))
    steps = []
    for now in x.swapaxes(0, 1):
        i = sigmoid(now @ w_i + h @ r_i + b_i)
        c = (1 - i) * c + i * np.tanh(now @ w_g + h @ r_g + b_g)
        h = sigmoid(now @ w_o + h @ r_o + b_o) * np.tanh(c)
        steps.append(h)
    return np.stack(steps, axis=1)


def clips(steps=6):
    return RNG.normal(size=(3, steps, 5)).astype("float32")


def of_any_length(cell, **options):
    """A model of clips (B, T, 5), weights drawn so that no gate is idle."""
    inputs = keras.Input((None, 5))
    model = keras.Model(inputs, keras.layers.RNN(cell(UNITS), **options)(inputs))
    model.set_weights([RNG.normal(size=w.shape) for w in model.get_weights()])
    return model


@pytest.mark.parametrize(("cell", "reference"), [(PeepholeCell, peephole), (CoupledCell, coupled)])
def test_every_step_is_that_of_the_published_equations(cell, reference):
    model, x = of_any_length(cell, return_sequences=True), clips()
    wanted = reference(x.astype(float), *(w.astype(float) for w in model.get_weights()))
    np.testing.assert_allclose(model.predict_on_batch(x), wanted, atol=1e-5)
    np.testing.assert_allclose(model.predict_on_batch(x[:, :2]), wanted[:, :2], atol=1e-5)


def test_closed_peepholes_leave_keras_lstm():
    x = clips()
    plain, ours = keras.layers.LSTM(UNITS), keras.layers.RNN(PeepholeCell(UNITS))
    assert plain(x).shape == ours(x).shape == (3, UNITS)
    *others, peepholes = ours.get_weights()
    assert peepholes.shape == (3, UNITS)
    assert not peepholes.any()
    plain.set_weights(others)
    np.testing.assert_allclose(np.asarray(ours(x)), np.asarray(plain(x)), atol=1e-6)


def test_a_coupled_cell_starts_as_forgetful_as_keras_lstm():
    cell = CoupledCell(UNITS)
    cell.build((None, 5))
    assert [w.shape for w in cell.get_weights()] == [(5, 12), (4, 12), (12,)]
    assert cell.get_weights()[-1].tolist() == [-1] * UNITS + [0] * 2 * UNITS


@pytest.mark.parametrize("cell", CELLS)
def test_a_cell_is_saved_and_learns(cell, tmp_path):
    model, x = of_any_length(cell), clips()
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_allclose(again.predict_on_batch(x), model.predict_on_batch(x), atol=1e-6)
    model.compile("sgd", "mse", run_eagerly=True)
    before = model.get_weights()
    model.train_on_batch(x, np.ones((3, UNITS)))
    assert all((a != b).any() for a, b in zip(before, model.get_weights(), strict=True))


@pytest.mark.parametrize("cell", CELLS)
def test_half_precision_keeps_the_answer(cell):
    x, full = clips(), of_any_length(cell)
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        half = of_any_length(cell)
    finally:
        keras.config.set_dtype_policy("float32")
    half.set_weights(full.get_weights())
    assert half.compute_dtype == "bfloat16"
    np.testing.assert_allclose(half.predict_on_batch(x).astype("float32"), full.predict_on_batch(x), atol=0.1)
