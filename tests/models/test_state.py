"""PyTorch's VGGFace weights, as .safetensors or .npz, and encoders in .keras files that must say how they are fed."""

import logging

import keras
import numpy as np
import pytest
from helpers.weightless import weightless
from safetensors.numpy import save_file
from scipy.signal import correlate

from mer_tf.changes import changed, migrated
from mer_tf.config import Experiment, MerError
from mer_tf.models.encoders.build import build_encoder
from mer_tf.models.encoders.names import BLOCKS, check_encoder
from mer_tf.models.encoders.parts import encoder_blocks
from mer_tf.models.encoders.state import load_state
from mer_tf.models.encoders.vggface import build_vggface, original_name
from mer_tf.models.vggface_lstm import VggFaceLstm

KINDS = {"gamma": "weight", "beta": "bias", "moving_mean": "running_mean", "moving_variance": "running_var"}
SIDE = 32


def randomised(model: keras.Model, seed: int) -> keras.Model:
    """The model with weights and statistics of which no two are equal."""
    rng = np.random.default_rng(seed)
    weights = [np.asarray(w) for w in model.get_weights()]
    model.set_weights(
        [rng.uniform(0.5, 1.5, w.shape) if w.ndim == 1 else rng.normal(0, 0.05, w.shape) for w in weights]
    )
    return model


def small(seed: int) -> keras.Model:
    """The first layers of a ResNet-50 with few channels, by its names; two of one shape stand side by side."""
    entering = keras.Input((None, None, 3))

    def convolved(x, width, kernel, name):
        x = keras.layers.Conv2D(width, kernel, padding="same", use_bias=False, name=name)(x)
        return keras.layers.BatchNormalization(name=f"{name}__bn")(x)

    x = convolved(entering, 4, 7, "conv1__7x7_s2")
    beside = convolved(x, 8, 1, "conv2_1_1x1_proj")
    x = convolved(convolved(x, 4, 1, "conv2_1_1x1_reduce"), 4, 3, "conv2_1_3x3")
    model = keras.Model(
        entering, keras.layers.Add()([convolved(x, 8, 1, "conv2_1_1x1_increase"), beside]), name="small"
    )
    return randomised(model, seed)


def state_of(model: keras.Model) -> dict[str, np.ndarray]:
    """Its weights as PyTorch has them: RGB, channels first, names with "_"."""
    state = {}
    for layer in (layer for layer in model.layers if layer.weights):
        name = original_name(layer.name).replace("/", "_")
        for weight in layer.weights:
            value = np.asarray(keras.ops.convert_to_numpy(weight))
            if weight.name == "kernel":
                value = (value[:, :, ::-1] if value.shape[2] == 3 else value).transpose(3, 2, 0, 1)
            state[f"{name}.{KINDS.get(weight.name, 'weight' if weight.name == 'kernel' else weight.name)}"] = value
        if "bn" in name:
            state[f"{name}.num_batches_tracked"] = np.array(7)
    return {name: np.ascontiguousarray(value) for name, value in state.items()}


@pytest.fixture(scope="module")
def source() -> keras.Model:
    return small(1)


@pytest.fixture(scope="module")
def files(source, tmp_path_factory):
    folder, state = tmp_path_factory.mktemp("state"), state_of(source)
    heads = {"classifier.weight": np.zeros((8, 8, 1, 1), "float32"), "classifier.bias": np.zeros(8, "float32")}
    save_file({f"module.{name}": value for name, value in (state | heads).items()}, folder / "named.safetensors")
    np.savez(folder / "named.npz", **state)
    return folder


@pytest.mark.parametrize("name", ["named.safetensors", "named.npz"])
def test_every_weight_comes_to_its_layer(source, files, name, caplog):
    model = small(2)
    with caplog.at_level(logging.INFO, "mer_tf"):
        load_state(model, files / name, "names")
    for wanted, found in zip(source.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(wanted, found)
    assert ("classifier stand behind the features and are left out" in caplog.text) == (name == "named.safetensors")


def in_pytorch_order(state: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Entries in the order in which PyTorch's files hold them: a block's projection behind its other layers."""
    names = list(dict.fromkeys(name.rpartition(".")[0] for name in state))
    blocks = sorted(names, key=lambda n: (n[4], n.split("_")[1] if n[4] != "1" else "", "proj" in n))
    return {key: state[key] for name in blocks for key in state if key.rpartition(".")[0] == name}


def test_other_names_are_taken_by_order_only_when_asked_for(source, files, tmp_path, caplog):
    state = in_pytorch_order(state_of(source))
    numbers = {name: k for k, name in enumerate(dict.fromkeys(key.rpartition(".")[0] for key in state))}
    foreign = {f"features.{numbers[k.rpartition('.')[0]]}.{k.rpartition('.')[2]}": v for k, v in state.items()}
    np.savez(tmp_path / "foreign.npz", **foreign)
    model = small(3)
    before = model.get_weights()
    with pytest.raises(
        MerError, match=r"foreign.npz: lacks 10 layers .*model.weights_by=order takes its layers in turn"
    ):
        load_state(model, tmp_path / "foreign.npz", "names")
    assert all(map(np.array_equal, before, model.get_weights()))
    load_state(model, tmp_path / "foreign.npz", "order")
    assert all(map(np.array_equal, source.get_weights(), model.get_weights()))
    assert "loaded by the order of its layers, conv1_7x7_s2 first, as RGB" in caplog.text
    np.savez(tmp_path / "short.npz", **dict(list(foreign.items())[:-2]))
    for path in (tmp_path / "short.npz", files / "named.safetensors"):
        with pytest.raises(MerError, match="model.weights_by=order: its layers are not those of .* in turn"):
            load_state(model, path, "order")


def test_the_first_layers_have_pytorchs_padding_and_epsilon():
    """Against the definition: 3 zeros on every side, stride 2, then a pool whose last windows reach beyond the edge."""
    network = weightless(lambda: build_vggface("resnet50_torch", input_size=SIDE))
    part = randomised(
        keras.Model.from_config(keras.Model(network.input, network.get_layer("pool1").output).get_config()), 0
    )
    state = state_of(part)
    image = np.random.default_rng(0).uniform(-100, 100, (3, SIDE, SIDE))
    padded, kernel = np.pad(image, ((0, 0), (3, 3), (3, 3))), state["conv1_7x7_s2.weight"]
    maps = np.stack([correlate(padded, k.astype("float64"), mode="valid")[0, ::2, ::2] for k in kernel])
    gamma, beta, mean, variance = (
        state[f"conv1_7x7_s2_bn.{name}"][:, None, None] for name in ("weight", "bias", "running_mean", "running_var")
    )
    maps = np.maximum(gamma * (maps - mean) / np.sqrt(variance + 1e-5) + beta, 0)
    reach = np.pad(maps, ((0, 0), (0, 1), (0, 1)))
    pooled = np.stack([reach[:, y : y + 3, x : x + 3].max((1, 2)) for y in range(0, 16, 2) for x in range(0, 16, 2)], 1)
    found = part.predict_on_batch(image.transpose(1, 2, 0)[None, :, :, ::-1])  # ours sees BGR
    np.testing.assert_allclose(found[0].transpose(2, 0, 1).reshape(64, -1), pooled, rtol=1e-4, atol=1e-4)


@pytest.mark.slow
def test_a_whole_network_is_loaded_and_equals_pytorchs(tmp_path):
    """The second half is left out where there is no PyTorch."""
    source = randomised(build_vggface("resnet50_torch", input_size=SIDE), 1)
    np.savez(tmp_path / "w.npz", **state_of(source))
    encoder = build_encoder(VggFaceLstm(encoder="vggface2-resnet50", weights=str(tmp_path / "w.npz")), input_size=224)
    assert encoder.name == "vggface2-resnet50-torch"
    assert encoder.weights["source"] == str(tmp_path / "w.npz")
    assert encoder.model.get_layer("pool1").output.shape[1:3] == (56, 56)
    assert list(encoder_blocks(encoder.model)) == ["conv1", *BLOCKS["vggface2-resnet50"][1:]]
    rgb = np.random.default_rng(0).integers(0, 256, (2, 224, 224, 3)).astype("float32")
    found = encoder.model.predict_on_batch(rgb)
    assert np.isfinite(found).all()
    torch = pytest.importorskip("torch")
    from helpers.torch_resnet import ResNet50

    network = ResNet50()
    network.load_state_dict({k: torch.tensor(v) for k, v in state_of(source).items()}, strict=True)
    centred = (rgb - np.array([131.0912, 103.8827, 91.4953], "float32")).transpose(0, 3, 1, 2)
    with torch.no_grad():
        expected = network.eval()(torch.tensor(centred)).numpy()
    assert np.abs(found - expected).max() < 1e-4 * np.abs(expected).max()


@pytest.mark.parametrize("suffix", [".pth", ".pkl", ".pt"])
def test_a_pickle_is_refused_with_the_line_that_rewrites_it(tmp_path, suffix):
    path = tmp_path / f"resnet50_ft{suffix}"
    path.write_bytes(b"\x80\x02")
    with pytest.raises(MerError, match=r"may be a pickle, which is not loaded; .*save_file\(torch.load\('resnet50_ft"):
        check_encoder(VggFaceLstm(encoder="vggface2-resnet50", weights=str(path)))


@pytest.mark.parametrize("name", ["cut.safetensors", "cut.npz", "object.npz"])
def test_damaged_and_pickled_arrays_are_one_line(files, tmp_path, name):
    if name == "object.npz":
        np.savez(tmp_path / name, x=np.array([{}], dtype=object))
    else:
        (tmp_path / name).write_bytes((files / f"named{name[3:]}").read_bytes()[:1000])
    with pytest.raises(MerError, match=rf"{name}: not a whole .* file of arrays"):
        load_state(small(0), tmp_path / name, "names")


def saved(path, *first):
    layers = [*first, keras.layers.Conv2D(4, 3), keras.layers.GlobalAveragePooling2D()]
    model = keras.Sequential([keras.Input((16, 16, 3)), *layers])
    model.save(path)
    return model


def test_a_keras_encoder_says_how_it_is_fed_or_is_told(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (2, 16, 16, 3)).astype("float32")
    plain, scaling = tmp_path / "plain.keras", tmp_path / "scaling.keras"
    network, scaled = saved(plain), saved(scaling, keras.layers.Rescaling(1 / 255))
    with pytest.raises(MerError, match=r"plain.keras: does not say how it wants its input.*set model.preproc=imagenet"):
        check_encoder(VggFaceLstm(encoder=str(plain)))
    told = build_encoder(VggFaceLstm(encoder=str(plain), preproc="vggface2-mean"), input_size=16)
    expected = network.predict_on_batch(images[..., ::-1] - np.array([91.4953, 103.8827, 131.0912], "float32"))
    np.testing.assert_allclose(told.model.predict_on_batch(images), expected, rtol=1e-4, atol=1e-4)
    assert told.weights["note"] == "fed vggface2"
    own = build_encoder(VggFaceLstm(encoder=str(scaling)), input_size=16)
    np.testing.assert_allclose(
        own.model.predict_on_batch(images), scaled.predict_on_batch(images), rtol=1e-5, atol=1e-6
    )
    nested = tmp_path / "nested.keras"
    keras.Sequential([keras.Input((16, 16, 3)), scaled, keras.layers.Dense(3)]).save(nested)
    check_encoder(VggFaceLstm(encoder=str(nested)))


def test_older_runs_mean_what_they_did():
    for encoder, meant in (("auto", "own"), ("vggface-vgg16", "own"), ("mine.keras", "imagenet")):
        old = {"model.name": "vggface_lstm", "model.preproc": "vggface2", "model.encoder": encoder}
        assert changed(Experiment(""), migrated(old)).model.preproc == meant
