"""Model and weight files that are damaged are a `MerError` that names them."""

from contextlib import suppress

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mer_tf.config import MerError
from mer_tf.models.encoders.weights import load_keras2_h5
from mer_tf.models.stored import FINISH, load_model


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "model.keras"
    keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="head")]).save(path)
    return path


def test_a_whole_model_is_read_and_others_are_named(saved, tmp_path):
    assert load_model(saved, FINISH).output_shape == (None, 2)
    path = tmp_path / "model.keras"
    for data in (b"", b"x" * 100, saved.read_bytes()[:-30], saved.read_bytes()[:900]):
        path.write_bytes(data)
        with pytest.raises(MerError, match=r"model\.keras: cannot be loaded .*; run the experiment"):
            load_model(path, FINISH)
    with pytest.raises(MerError, match=r"none\.keras: no such checkpoint; give another"):
        load_model(tmp_path / "none.keras", "give another")
    with pytest.raises(MerError, match="no such checkpoint"):
        load_model(tmp_path, FINISH)


def test_a_damaged_model_is_read_or_refused(saved, tmp_path):
    data, path = saved.read_bytes(), tmp_path / "harmed.keras"

    @settings(max_examples=25, deadline=None, derandomize=True, database=None)
    @given(st.lists(st.tuples(st.integers(0, len(data) - 1), st.integers(0, 255)), min_size=1, max_size=4))
    def fuzz(changes):
        held = bytearray(data)
        for place, value in changes:
            held[place] = value
        path.write_bytes(held)
        with suppress(MerError):
            load_model(path, FINISH)

    fuzz()


def test_damaged_weights_are_read_or_refused(tmp_path):
    import h5py

    path, model = tmp_path / "w.h5", keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="head")])
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [b"head"]
        group = file.create_group("head")
        group.attrs["weight_names"] = [b"head/kernel:0", b"head/bias:0"]
        group["head/kernel:0"], group["head/bias:0"] = np.ones((3, 2), "f4"), np.zeros(2, "f4")
    data = path.read_bytes()
    load_keras2_h5(model, path)
    assert model.get_weights()[0].tolist() == [[1, 1], [1, 1], [1, 1]]

    @settings(max_examples=60, deadline=None, derandomize=True, database=None)
    @given(
        st.lists(st.tuples(st.integers(0, len(data) - 1), st.integers(0, 255)), min_size=1, max_size=4),
        st.integers(0, len(data)),
    )
    def fuzz(changes, length):
        held = bytearray(data)
        for place, value in changes:
            held[place] = value
        path.write_bytes(held[: max(length, len(data) // 2)])
        with suppress(MerError):
            load_keras2_h5(model, path)

    fuzz()
