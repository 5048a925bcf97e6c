import logging
from functools import cache

import keras
import numpy as np
import pytest
from helpers.weightless import weightless

from mer_tf.config import MerError
from mer_tf.models.encoders import build as encoders
from mer_tf.models.encoders import onet
from mer_tf.models.encoders.build import build_encoder, resolve_encoder
from mer_tf.models.encoders.parts import encoder_blocks, split_encoder
from mer_tf.models.layers.shared import FoldTime
from mer_tf.models.vggface_lstm import VggFaceLstm


@pytest.fixture(autouse=True)
def no_weights(tmp_path, monkeypatch):
    """Folders without weights, and no network."""
    monkeypatch.setenv("MER_TF_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setenv("HOME", str(tmp_path))

    def unreachable(name: str, **_: float) -> None:
        raise MerError(f"{name}: no network")

    monkeypatch.setattr(encoders, "download_weights", unreachable)


@cache
def encoder_of(name: str) -> encoders.Encoder:
    """One with weights of its own or random ones, made once: no test asks for what another has changed."""
    return build_encoder(VggFaceLstm(encoder=name, weights=None if "onet" in name else "random"), input_size=64)


def run(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """Outputs as arrays, without the seconds that tracing takes."""
    return keras.ops.convert_to_numpy(model(images))


def faces(count: int = 2, size: int = 48) -> np.ndarray:
    return np.random.default_rng(0).uniform(0, 255, (count, size, size, 3)).astype("float32")


def onet_up_to(layer: str) -> keras.Model:
    inputs = keras.Input((48, 48, 3))
    model = keras.Model(inputs, onet.onet_layers(inputs, layer))
    onet.load_onet(model)
    return model


def test_onet_equals_mtcnns_own_network():
    from mtcnn.stages.stage_onet import StageONet

    original = StageONet()._model
    patches = ((faces(8) - 127.5) / 128).astype("float32")
    features = onet_up_to("fc5").predict_on_batch(patches)
    _, landmarks, score = original(patches)
    ours = np.asarray(original.fc6_2(features)), np.asarray(original.fc6_3(features))
    np.testing.assert_allclose(ours[0], landmarks, atol=1e-5)
    np.testing.assert_allclose(ours[1], score, atol=1e-5)
    conv4 = onet_up_to("conv4").predict_on_batch(patches)
    np.testing.assert_allclose(
        original.prelu5(original.fc5(original.flatten(original.permute(conv4)))), features, atol=1e-4
    )


def test_onet_scores_a_face_above_noise():
    """The whole path, colour order included: mtcnn's head reads our encoder's features of a real face."""
    from mtcnn.stages.stage_onet import StageONet
    from skimage.data import astronaut

    encoder = build_encoder(VggFaceLstm(encoder="mtcnn-onet"), input_size=140)
    images = np.stack([astronaut()[25:165, 155:295], faces(1, 140)[0]]).astype("float32")
    score = np.asarray(StageONet()._model.fc6_3(encoder.model.predict_on_batch(images)))[:, 1]
    assert score[0] > 0.99
    assert score[1] < 0.5


@pytest.mark.parametrize(("name", "width"), [("mtcnn-onet", 256), ("mtcnn-onet-conv4", 3 * 3 * 128)])
def test_onet_encoders_are_frozen_finite_and_say_their_weights(name, width):
    encoder = build_encoder(VggFaceLstm(encoder=name), input_size=96)
    assert encoder.model.output_shape == (None, width)
    assert encoder.size == 48
    assert encoder.weights["source"].startswith("mtcnn ")
    assert len(encoder.weights["sha256"]) == 64
    assert not encoder.model.trainable_variables
    for value in (0, 128, 255):
        assert np.isfinite(encoder.model.predict_on_batch(np.full((2, 96, 96, 3), value, "uint8"))).all()


@pytest.mark.parametrize(
    "name",
    [*(pytest.param(f"vggface2-{name}", marks=pytest.mark.slow) for name in ("resnet50", "senet50")), "vggface-vgg16"],
)
def test_random_vggface_encoders_say_so_and_stay_finite(name):
    encoder = encoder_of(name)
    assert encoder.weights["source"] == "random"
    assert encoder.size == 224
    assert np.isfinite(run(encoder.model, np.full((1, 64, 64, 3), 90.0))).all()


def test_preprocessing_is_inside_the_model():
    config = VggFaceLstm(encoder="vggface-vgg16", weights="random", preproc="paper_code")
    own, paper = encoder_of("vggface-vgg16"), weightless(lambda: build_encoder(config, input_size=64))
    assert own.model.get_layer("preprocess").mode == "vggface1"
    assert paper.model.get_layer("preprocess").mode == "paper_code"


def test_published_weights_are_loaded_from_the_given_file(tmp_path):
    """A file of our own making, in Keras-2 layout; files of keras-vggface are tested in test_vggface.py."""
    import h5py

    from mer_tf.models.encoders.vggface import build_vggface

    source = build_vggface("vgg16", input_size=32)
    path = tmp_path / "vgg16.h5"
    with h5py.File(path, "w") as file:
        weighted = [layer for layer in source.layers if layer.weights]
        file.attrs["layer_names"] = [layer.name.encode() for layer in weighted]
        for layer in weighted:
            names = [f"{layer.name}/{weight.name}:0" for weight in layer.weights]
            group = file.create_group(layer.name)
            group.attrs["weight_names"] = [name.encode() for name in names]
            for name, value in zip(names, layer.get_weights(), strict=True):
                group[name] = value
    encoder = build_encoder(VggFaceLstm(encoder="vggface-vgg16", weights=str(path)), input_size=32)
    assert encoder.weights["source"] == str(path)
    np.testing.assert_array_equal(encoder.model.get_layer("conv5_3").kernel, source.get_layer("conv5_3").kernel)


def test_missing_weights_name_file_url_and_folders(tmp_path):
    name = "rcmalli_vggface_tf_notop_resnet50.h5"
    with pytest.raises(MerError) as error:
        resolve_encoder(VggFaceLstm(encoder="vggface2-resnet50"))
    for part in (
        name,
        f"/releases/download/v2.0/{name}",
        str(tmp_path / "weights"),
        "models/vggface",
        "weights=random",
    ):
        assert part in str(error.value)
    with pytest.raises(MerError, match=r"absent.h5: no such weight file"):
        build_encoder(VggFaceLstm(encoder="vggface2-resnet50", weights="absent.h5"), input_size=64)


def test_auto_falls_back_once_and_says_why(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        name, reason = resolve_encoder(VggFaceLstm())
    assert name == "mtcnn-onet"
    assert "no network" in reason
    assert reason in caplog.text
    # Weights that appear in the middle of a run must not change the encoder between two folds.
    weights = tmp_path / "weights" / "rcmalli_vggface_tf_notop_resnet50.h5"
    weights.parent.mkdir()
    weights.touch()
    assert resolve_encoder(VggFaceLstm())[0] == "mtcnn-onet"
    encoders.auto_encoder.cache_clear()
    assert resolve_encoder(VggFaceLstm()) == ("vggface2-resnet50", f"weights found: {weights}")
    encoder = build_encoder(VggFaceLstm(encoder="mtcnn-onet"), input_size=48)
    assert (encoder.name, encoder.requested) == ("mtcnn-onet", "mtcnn-onet")


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (VggFaceLstm(encoder="vggface3"), "unknown encoder 'vggface3'; one of vggface2-resnet50.* auto, or the path"),
        (VggFaceLstm(encoder="nowhere/face.keras"), "no such .keras encoder"),
        (VggFaceLstm(encoder="mtcnn-onet", weights="x.h5"), "takes no weight file"),
    ],
)
def test_wrong_configurations_are_refused(config, message):
    with pytest.raises(MerError, match=message):
        resolve_encoder(config)


def save_cnn(path, shape=(32, 32, 3), extra=()):
    inputs = keras.Input(shape)
    x = keras.layers.Conv2D(5, 3, name="conv")(inputs)
    for layer in extra:
        x = layer(x)
    model = keras.Model(inputs, x)
    model.save(path)
    return model


def test_a_keras_file_is_an_encoder(tmp_path):
    path = tmp_path / "face net.keras"
    network = save_cnn(path)
    config = VggFaceLstm(encoder=str(path), preproc="imagenet")
    encoder = build_encoder(config, input_size=32)
    assert (encoder.name, encoder.requested, encoder.size) == ("face net.keras", str(path), 32)
    images = faces(2, 32)
    scaled = (images / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    expected = network.predict_on_batch(scaled.astype("float32")).mean(axis=(1, 2))
    np.testing.assert_allclose(encoder.model.predict_on_batch(images), expected, atol=1e-4)
    assert build_encoder(config, input_size=96).model.input_shape == (None, 96, 96, 3)


def test_keras_files_that_cannot_be_encoders_are_refused(tmp_path):
    broken, grey, code = tmp_path / "broken.keras", tmp_path / "grey.keras", tmp_path / "code.keras"
    broken.write_bytes(b"not an archive")
    save_cnn(grey, shape=(32, 32, 1))
    save_cnn(code, extra=[keras.layers.Lambda(lambda x: x * 2, output_shape=(30, 30, 5))])
    for path, message in ((broken, "cannot be loaded"), (grey, "square RGB"), (code, "cannot be loaded")):
        with pytest.raises(MerError, match=rf"{path.name}: .*{message}"):
            build_encoder(VggFaceLstm(encoder=str(path), preproc="imagenet"), input_size=32)


@pytest.mark.parametrize(
    ("name", "block"),
    [
        ("mtcnn-onet", "conv3"),
        ("mtcnn-onet", "fc5"),
        pytest.param("vggface2-resnet50", "conv4_3", marks=pytest.mark.slow),
        pytest.param("vggface2-senet50", "conv2_1", marks=pytest.mark.slow),
        ("vggface-vgg16", "conv1_1"),
    ],
)
def test_trunk_and_tail_together_are_the_encoder(name, block):
    model = encoder_of(name).model
    trunk, tail = split_encoder(model, block)
    images = faces(1, 64)
    whole = run(model, images)
    np.testing.assert_allclose(run(tail, run(trunk, images)), whole, rtol=1e-4, atol=1e-5 * np.abs(whole).max())
    assert not trunk.trainable_variables
    assert tail.trainable_variables


def test_retraining_starts_at_the_block_and_leaves_batch_statistics_alone():
    model = encoder_of("vggface2-resnet50").model
    blocks = list(encoder_blocks(model))
    assert blocks[:2] == ["conv1", "conv2_1"]
    assert len(blocks) == 17
    trunk, tail = split_encoder(model, "conv5_3")
    assert trunk.output.name == model.get_layer("conv5_2").output.name
    assert sorted({v.path.split("/")[0] for v in tail.trainable_variables}) == [
        "conv5_3_1x1_increase",
        "conv5_3_1x1_reduce",
        "conv5_3_3x3",
    ]
    inputs = keras.Input((2, *trunk.output.shape[1:]))
    head = keras.Model(inputs, FoldTime(tail)(inputs))
    head.compile(optimizer=keras.optimizers.SGD(1e-3), loss="mse", run_eagerly=True)
    statistics = [w.copy() for w in tail.get_layer("conv5_3_3x3__bn").get_weights()]
    kernel = np.array(tail.get_layer("conv5_3_3x3").kernel)
    head.fit(np.random.default_rng(0).uniform(0, 1, (2, *inputs.shape[1:])), np.zeros((2, 2, 2048)), verbose=0)
    for old, new in zip(statistics, tail.get_layer("conv5_3_3x3__bn").get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    assert (np.array(tail.get_layer("conv5_3_3x3").kernel) != kernel).any()
    with pytest.raises(MerError, match=r"no block 'conv9' .* valid: conv1, conv2_1, .*conv5_3$"):
        split_encoder(model, "conv9")


def test_a_keras_encoder_can_be_cut_at_its_own_blocks(tmp_path):
    """Its layers stand in the encoder's own graph: split_encoder and Grad-CAM reach them."""
    image = keras.Input((16, 16, 3))
    x = keras.layers.Conv2D(4, 3, name="conv1")(image)
    x = keras.layers.Add(name="sum")([x, keras.layers.Conv2D(4, 1, name="conv2")(x)])
    path = tmp_path / "branching.keras"
    keras.Model(image, x).save(path)
    model = build_encoder(VggFaceLstm(encoder=str(path), preproc="imagenet"), input_size=24).model
    assert list(encoder_blocks(model)) == ["conv1", "conv2"]
    trunk, tail = split_encoder(model, "conv2")
    frames = np.random.default_rng(0).integers(0, 255, (3, 24, 24, 3)).astype("float32")
    assert tail.output_shape == (None, 4)
    cut = keras.ops.convert_to_numpy(tail(trunk(frames)))
    np.testing.assert_allclose(cut, model.predict_on_batch(frames), atol=1e-5)
