"""The cost of a training is told from its first steps."""

import logging

import keras
import pytest

from mer_tf.training import estimate
from mer_tf.training.estimate import FirstSteps


@pytest.fixture
def first(monkeypatch):
    """A callback of a training of 10 epochs of 20 steps and 5 models, whose every look at the clock comes 2 s later."""
    clock = iter(range(0, 100, 2))
    monkeypatch.setattr(estimate.time, "monotonic", lambda: next(clock))
    callback = FirstSteps(epochs=10, models=5)
    callback.set_params({"steps": 20})
    callback.set_model(keras.Sequential([keras.Input((2**18,)), keras.layers.Dense(1, use_bias=False)]))
    return callback


def test_the_clock_starts_after_the_step_that_compiles_and_all_folds_are_counted(first, caplog):
    with caplog.at_level(logging.INFO, "mer_tf"):
        for batch in range(20):
            first.on_train_batch_end(batch)
    [said] = [r.getMessage() for r in caplog.records]
    # Looked at after steps 1, 2 and 6: 2 s for four steps; 0.5 s x 20 x 10 = 100 s. 2^18 float32 are 1 MiB.
    assert "0.5 s a step, 20 steps an epoch, 10 epochs in all: 01:40" in said
    assert "checkpoints: 5.0 MiB" in said
    assert float(said.split("memory so far ")[1].split(" GiB")[0]) > 0


@pytest.mark.parametrize("steps", [1, 2])
def test_nothing_is_estimated_from_the_step_that_compiles_alone(first, caplog, steps):
    first.set_params({"steps": steps})
    with caplog.at_level(logging.INFO, "mer_tf"):
        for batch in range(steps):
            first.on_train_batch_end(batch)
    assert not caplog.records
