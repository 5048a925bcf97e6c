import keras
import numpy as np
import pytest
from keras import layers, ops

from mer_tf.config import MerError
from mer_tf.explain.gradients import tapped_gradients

VALUES = np.array([[1.0, -2.0, 3.0]], "float32")


def numpy(tensors):
    return [ops.convert_to_numpy(t) for t in tensors]


def test_gradients_of_two_taps_come_in_order():
    def total(tap, x):
        squared = tap(x * 1.0) ** 2
        return ops.sum(3.0 * tap(squared))

    taken, gradients = map(numpy, tapped_gradients(total, [])(VALUES))
    np.testing.assert_allclose(taken[0], VALUES)
    np.testing.assert_allclose(taken[1], VALUES**2)
    np.testing.assert_allclose(gradients[0], 6 * VALUES, rtol=1e-6)
    np.testing.assert_allclose(gradients[1], np.full((1, 3), 3.0))


def test_what_the_number_does_not_depend_on_has_gradient_zero():
    def total(tap, x):
        tap(x * 2.0)
        return ops.sum(tap(x * 1.0))

    _, gradients = map(numpy, tapped_gradients(total, [])(VALUES))
    np.testing.assert_array_equal(gradients[0], np.zeros((1, 3)))


def test_weights_set_after_compilation_count():
    dense = layers.Dense(1, use_bias=False)
    dense.build((None, 3))
    run = tapped_gradients(lambda tap, x: ops.sum(dense(tap(x * 1.0))), dense.variables)
    run(VALUES)
    dense.set_weights([np.array([[5.0], [6.0], [7.0]])])
    _, gradients = map(numpy, run(VALUES))
    np.testing.assert_allclose(gradients[0], [[5, 6, 7]])


def test_an_unknown_backend_is_named(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "numpy")
    with pytest.raises(MerError, match="not numpy"):
        tapped_gradients(lambda tap, x: x, [])
