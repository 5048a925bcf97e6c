"""What every model keeps: its output, the padded, the saved and the half as precise one, and a step of training.

Each is built once, tiny, and run without being traced.
"""

from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import pytest
from helpers.one_step import drawn
from helpers.small_models import CLASSES, SMALL, STEPS, Small, tried

from mer_tf.config import Train
from mer_tf.inputs.batches import input_names
from mer_tf.training.trainer import compile_model

CLIPS, KEPT = 4, 2


@dataclass(frozen=True)
class Made:
    """A model, its weights, a batch, the logits on it and the losses before and after a step."""

    small: Small
    model: keras.Model
    weights: list[np.ndarray]
    inputs: dict[str, np.ndarray]
    labels: np.ndarray
    logits: np.ndarray
    losses: list[float]


def shaken(model: keras.Model) -> list[np.ndarray]:
    """Weights of which none is as it begins: an activation of exactly 0 would have no gradient to go by."""
    kernels = drawn([weight.shape for weight in model.weights], model.get_weights())
    return [w + np.float32(0.05) if w.ndim == 1 and w.dtype == np.float32 else w for w in kernels]


def logits_of(model: keras.Model, inputs: dict[str, np.ndarray]) -> np.ndarray:
    return keras.ops.convert_to_numpy(model(inputs))


def step(model: keras.Model, inputs: dict[str, np.ndarray], labels: np.ndarray) -> float:
    """The loss before a step of plain gradient descent."""
    return float(model.train_on_batch(inputs, labels)[0])


def loss_of(model: keras.Model, inputs: dict[str, np.ndarray], labels: np.ndarray) -> float:
    """The loss that a step would be taken from."""
    return float(model.compute_loss(inputs, labels, model(inputs, training=True)))


def compiled(model: keras.Model) -> keras.Model:
    compile_model(model, Train(optimizer="sgd", momentum=0.0, learning_rate=1e-3, jit_compile=False))
    model.run_eagerly = True
    return model


@pytest.fixture(scope="module", params=tried(sorted(SMALL)))
def made(request: pytest.FixtureRequest) -> Made:
    small = SMALL[request.param]
    model = compiled(small.model())
    inputs, labels = small.batch(CLIPS, input_names(model))
    model.set_weights(shaken(model))
    weights, logits = model.get_weights(), logits_of(model, inputs)
    losses = [step(model, inputs, labels), loss_of(model, inputs, labels)]
    assert all(np.isfinite(weight).all() for weight in model.get_weights())
    model.set_weights(weights)
    return Made(small, model, weights, inputs, labels, logits, losses)


def test_logits_are_finite_float32_one_a_class(made: Made) -> None:
    assert made.model.output_shape == (None, len(CLASSES))
    assert (made.logits.shape, made.logits.dtype) == ((CLIPS, len(CLASSES)), np.float32)
    assert np.isfinite(made.logits).all()
    assert np.ptp(made.logits, axis=0).max() > 1e-4, "it sees nothing of what it is given"


def test_it_says_whether_batch_normalisation_learns_in_it(made: Made) -> None:
    layers = made.model._flatten_layers()
    found = any(isinstance(layer, keras.layers.BatchNormalization) and layer.trainable for layer in layers)
    assert made.small.config.normalises == found


def test_a_step_of_training_lowers_the_loss(made: Made) -> None:
    assert np.isfinite(made.losses).all()
    assert made.losses[1] < made.losses[0]


def test_saved_and_reloaded_in_safe_mode_it_predicts_the_same(made: Made, tmp_path: Path) -> None:
    made.model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    for old, new in zip(made.weights, again.get_weights(), strict=True):
        np.testing.assert_array_equal(new, old)
    np.testing.assert_allclose(logits_of(again, made.inputs), made.logits, rtol=1e-6, atol=1e-6)


def test_padded_frames_change_nothing(made: Made) -> None:
    if "mask" not in made.inputs or made.small.clip.frames == 1:
        pytest.skip("every window has all its frames")
    frames = made.inputs["frames"].copy()
    frames[:, KEPT:] = 1e3
    mask = np.arange(STEPS)[None].repeat(CLIPS, 0) < KEPT
    padded = logits_of(made.model, made.inputs | {"frames": frames, "mask": mask})
    short = made.inputs | {"frames": frames[:, :KEPT], "mask": mask[:, :KEPT]}
    np.testing.assert_allclose(padded, logits_of(made.model, short), atol=1e-5)


def test_half_precision_says_and_learns_nearly_the_same(made: Made) -> None:
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        half = compiled(made.small.model())
    finally:
        keras.config.set_dtype_policy("float32")
    half.set_weights(made.weights)
    found = logits_of(half, made.inputs)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, made.logits, atol=0.1 * np.abs(made.logits).max())
    assert step(half, made.inputs, made.labels) == pytest.approx(made.losses[0], rel=0.05)
    assert all(np.isfinite(weight).all() for weight in half.get_weights())
