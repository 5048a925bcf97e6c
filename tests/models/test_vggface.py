import io
import shutil
import subprocess
import sys
from pathlib import Path
from unittest.mock import Mock

import h5py
import keras
import numpy as np
import pytest
from helpers.weightless import weightless

from mer_tf.config import MerError
from mer_tf.models.encoders.vggface import build_vggface, original_name
from mer_tf.models.encoders.weight_files import WEIGHTS, download_weights, find_weights, weight_folders, weight_url
from mer_tf.models.encoders.weights import load_keras2_h5

CASES = {  # name: network, top, input size (vgg16 has no 7x7 pool, so a small image will do)
    "resnet50": ("resnet50", False, 224),
    "senet50": ("senet50", False, 224),
    "vgg16": ("vgg16", False, 64),
    "resnet50_top": ("resnet50", True, 224),
}


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    """Weights and outputs made by keras-vggface's own code, about 0.7 GB: removed afterwards."""
    folder = tmp_path_factory.mktemp("originals")
    script = Path(__file__).parents[1] / "helpers" / "original_vggface.py"
    cases = [f"{name}:{network}:{int(top)}:{size}" for name, (network, top, size) in CASES.items()]
    done = subprocess.run([sys.executable, script, folder, *cases], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]
    yield folder
    shutil.rmtree(folder)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["resnet50", "senet50", "vgg16"])
def test_every_layer_equals_keras_vggface(originals, name):
    network, _, size = CASES[name]
    model = build_vggface(network, input_size=size, pooling="avg" if network != "vgg16" else None)
    load_keras2_h5(model, originals / f"{name}.h5")
    with np.load(originals / f"{name}.npz") as original:
        compared = [layer for layer in model.layers if layer.name in original.files]
        outputs = keras.Model(model.input, [layer.output for layer in compared]).predict_on_batch(original["images"])
        errors = {}
        for layer, output in zip(compared, outputs, strict=True):
            expected = original[layer.name].reshape(output.shape)
            errors[layer.name] = float(np.abs(output - expected).max() / np.abs(expected).max())
    worst = max(errors, key=errors.__getitem__)
    assert {layer.name for layer in model.layers if layer.weights} <= set(errors)
    assert model.output_names[0] in errors
    assert errors[worst] < 1e-4, f"{worst}: {errors[worst]:.1e}"


@pytest.mark.slow
def test_a_file_of_another_network_or_top_is_refused_and_changes_nothing(originals, tmp_path):
    model = build_vggface("resnet50", input_size=64)
    before = model.get_weights()[0].copy()
    with pytest.raises(MerError, match=r"resnet50_top.h5: holds 1 layers .* first 'classifier'.*notop"):
        load_keras2_h5(model, originals / "resnet50_top.h5")
    with pytest.raises(MerError, match=r"senet50.h5: holds 32 layers that vggface_resnet50 has not"):
        load_keras2_h5(model, originals / "senet50.h5")
    with pytest.raises(MerError, match=r"vgg16.h5: lacks 106 layers of .* first 'conv1/7x7_s2' .*7, 7, 3, 64"):
        load_keras2_h5(model, originals / "vgg16.h5")
    cut = tmp_path / "cut.h5"
    cut.write_bytes((originals / "resnet50.h5").read_bytes()[: 50 << 20])
    with pytest.raises(MerError, match=r"cut.h5: not a whole HDF5 weight file"):
        load_keras2_h5(model, cut)
    np.testing.assert_array_equal(model.get_weights()[0], before)


@pytest.mark.parametrize(
    ("network", "count"), [("resnet50", 23_561_152), ("vgg16", 14_714_688), ("senet50", 26_092_144)]
)
def test_parameter_counts_are_the_published_ones(network, count):
    assert weightless(lambda: build_vggface(network, input_size=64)).count_params() == count


def test_geometry():
    model = weightless(lambda: build_vggface("resnet50", pooling=None))
    assert model.get_layer("pool1").output.shape == (None, 55, 55, 64)
    assert model.get_layer("conv4_6").output.shape == (None, 14, 14, 1024)
    assert model.output_shape == (None, 7, 7, 2048)
    assert weightless(lambda: build_vggface("vgg16", input_size=32)).output_shape == (None, 512)
    assert weightless(lambda: build_vggface("senet50", input_size=32)).output_shape == (None, 2048)
    assert original_name("conv1__7x7_s2__bn") == "conv1/7x7_s2/bn"
    with pytest.raises(MerError, match="at least 32"):
        build_vggface("resnet50", input_size=31)
    with pytest.raises(MerError, match="vgg16, resnet50, senet50"):
        build_vggface("resnet101")


def tiny(width: int = 2) -> keras.Model:
    inputs = keras.Input((4, 4, 3))
    x = keras.layers.Conv2D(width, 1, name="conv1__1x1")(inputs)
    return keras.Model(inputs, keras.layers.BatchNormalization(name="conv1__1x1__bn")(x), name="tiny")


def write_h5(path: Path, layers: dict[str, dict[str, np.ndarray]], root: str | None = None) -> Path:
    """A file as Keras 2 writes it; a layer without weights is listed too."""
    with h5py.File(path, "w") as file:
        group = file.create_group(root) if root else file
        group.attrs["layer_names"] = [name.encode() for name in (*layers, "activation_1")]
        for name, arrays in {**layers, "activation_1": {}}.items():
            layer = group.require_group(name)  # names nest: conv1/1x1 and conv1/1x1/bn
            layer.attrs["weight_names"] = np.array([f"{name}/{key}:0".encode() for key in arrays], dtype="S")
            for key, value in arrays.items():
                layer[f"{name}/{key}:0"] = value
    return path


def tiny_layers(width: int = 2) -> dict[str, dict[str, np.ndarray]]:
    conv = {"kernel": np.full((1, 1, 3, width), 2.0), "bias": np.full(width, 3.0)}
    norm = {key: np.full(width, i) for i, key in enumerate(("gamma", "beta", "moving_mean", "moving_variance"), 4)}
    return {"conv1/1x1": conv, "conv1/1x1/bn": norm}


@pytest.mark.parametrize("root", [None, "model_weights"])
def test_keras2_weights_load_by_name_whatever_their_order(tmp_path, root):
    layers = tiny_layers()
    layers["conv1/1x1/bn"] = dict(reversed(layers["conv1/1x1/bn"].items()))
    model = tiny()
    load_keras2_h5(model, write_h5(tmp_path / "w.h5", dict(reversed(layers.items())), root))
    assert [float(np.ravel(w)[0]) for w in model.get_weights()] == [2, 3, 4, 5, 6, 7]


def test_weights_that_do_not_fit_are_refused_by_name(tmp_path):
    model = tiny()
    before = [w.copy() for w in model.get_weights()]
    lacking = {"conv1/1x1": tiny_layers()["conv1/1x1"]}
    with pytest.raises(MerError, match=r"lack.h5: lacks 1 layers of tiny, first 'conv1/1x1/bn' with shapes"):
        load_keras2_h5(model, write_h5(tmp_path / "lack.h5", lacking))
    extra = {**tiny_layers(), "fc8": {"kernel": np.zeros((2, 2))}}
    with pytest.raises(MerError, match=r"extra.h5: holds 1 layers that tiny has not, first 'fc8'.*notop"):
        load_keras2_h5(model, write_h5(tmp_path / "extra.h5", extra))
    with pytest.raises(MerError, match=r"wide.h5: layer 'conv1/1x1' holds .*expected .*\(1, 1, 3, 2\)"):
        load_keras2_h5(model, write_h5(tmp_path / "wide.h5", tiny_layers(width=5)))
    biasless = tiny_layers()
    del biasless["conv1/1x1"]["bias"]
    with pytest.raises(MerError, match=r"'conv1/1x1'.*bias"):
        load_keras2_h5(model, write_h5(tmp_path / "biasless.h5", biasless))
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_files_that_are_no_weight_files_are_refused(tmp_path):
    page = tmp_path / "page.h5"
    page.write_text("<html>404</html>")
    with pytest.raises(MerError, match=r"page.h5: not a whole HDF5"):
        load_keras2_h5(tiny(), page)
    with h5py.File(tmp_path / "data.h5", "w") as file:
        file["x"] = np.zeros(3)
    with pytest.raises(MerError, match=r"data.h5: not a Keras-2 weight file"):
        load_keras2_h5(tiny(), tmp_path / "data.h5")
    with pytest.raises(MerError, match="no such weight file"):
        load_keras2_h5(tiny(), tmp_path / "absent.h5")


def test_weights_are_searched_in_three_folders(tmp_path, monkeypatch):
    monkeypatch.setenv("MER_TF_WEIGHTS", str(tmp_path / "own"))
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    name = "rcmalli_vggface_tf_notop_resnet50.h5"
    assert find_weights(name) is None
    for folder in reversed(weight_folders()):
        folder.mkdir(parents=True)
        (folder / name).touch()
        assert find_weights(name) == folder / name
    assert weight_folders()[0] == tmp_path / "own"
    assert WEIGHTS["resnet50"] == name
    assert weight_url(name).endswith(f"/v2.0/{name}")


class Response(io.BytesIO):
    def __init__(self, body: bytes, size: int) -> None:
        super().__init__(body)
        self.headers = {"Content-Length": str(size)}


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Response(b"weights", 7), None),
        (Response(b"weig", 7), "4 of 7 bytes"),
        (TimeoutError("timed out"), "timed out"),
    ],
)
def test_a_download_is_whole_or_absent(tmp_path, monkeypatch, answer, error):
    monkeypatch.setenv("MER_TF_WEIGHTS", str(tmp_path))
    monkeypatch.setattr("urllib.request.urlopen", Mock(side_effect=[answer]))
    name = "rcmalli_vggface_tf_notop_vgg16.h5"
    if error is None:
        assert download_weights(name).read_bytes() == b"weights"
    else:
        with pytest.raises(MerError, match=rf"{name}: download .*{error}"):
            download_weights(name)
        assert not list(tmp_path.iterdir())
