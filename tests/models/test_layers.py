import keras
import numpy as np
import pytest
from keras import ops

from mer_tf.models.layers.shared import FoldTime, Preprocess, Resize


def small_cnn() -> keras.Model:
    inputs = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(4, 3, activation="relu")(inputs)
    x = keras.layers.BatchNormalization()(x)
    return keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(x))


def frames(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0, 255, shape).astype("float32")


@pytest.mark.parametrize("batch_shape", [(2, 5), (None, 5), (2, None), (None, None)])
def test_fold_time_equals_a_loop_over_time(batch_shape):
    cnn, clips = small_cnn(), frames(2, 5, 8, 8, 3)
    inputs = keras.Input(batch_shape=(*batch_shape, 8, 8, 3))
    folded = keras.Model(inputs, FoldTime(cnn)(inputs))
    looped = np.stack([np.asarray(cnn(clips[:, t])) for t in range(5)], axis=1)
    assert folded.output_shape == (*batch_shape, 4)
    np.testing.assert_allclose(folded.predict_on_batch(clips), looped, rtol=1e-5, atol=1e-5)


def test_fold_time_takes_clips_of_any_length_and_keeps_maps():
    layer = FoldTime(keras.layers.Conv2D(4, 3))
    assert layer(frames(2, 5, 8, 8, 3)).shape == (2, 5, 6, 6, 4)
    assert layer(frames(1, 9, 8, 8, 3)).shape == (1, 9, 6, 6, 4)


def test_fold_time_normalises_over_all_frames_and_so_keeps_motion():
    layer = FoldTime(keras.layers.BatchNormalization())
    drift = np.broadcast_to(10.0 * np.arange(5, dtype="float32")[None, :, None], (4, 5, 3))
    np.testing.assert_allclose(np.asarray(layer(drift, training=False)), drift, rtol=1e-2)  # statistics still 0 and 1
    means = np.asarray(layer(drift, training=True)).mean(axis=(0, 2))
    assert means[-1] - means[0] > 2


def test_fold_time_passes_a_mask_on_and_trains_the_wrapped_model():
    inputs = keras.Input((5, 8, 8, 3))
    x = FoldTime(small_cnn())(inputs)
    model = keras.Model(inputs, keras.layers.Dense(2)(keras.layers.LSTM(3)(x)))
    model.compile(optimizer="sgd", loss="mse", run_eagerly=True)
    before = [np.array(w) for w in model.get_weights()]
    model.fit(frames(4, 5, 8, 8, 3) / 255, np.ones((4, 2)), verbose=0)
    assert all((a != b).any() for a, b in zip(before, model.get_weights(), strict=True))
    masked = keras.layers.Masking()(np.zeros((2, 5, 3), "float32"))
    assert not np.asarray(FoldTime(keras.layers.Dense(2))(masked)._keras_mask).any()


def test_fold_time_survives_saving_in_safe_mode(tmp_path):
    inputs = keras.Input((None, 16, 16, 3))
    images = keras.Input((16, 16, 3))
    encoder = keras.Model(images, small_cnn()(Preprocess("vggface2")(Resize(8)(images))))
    model = keras.Model(inputs, FoldTime(encoder)(inputs))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    clips = frames(2, 3, 16, 16, 3)
    np.testing.assert_allclose(loaded.predict_on_batch(clips), model.predict_on_batch(clips), rtol=1e-6)


@pytest.mark.parametrize(("source", "target"), [(96, 48), (96, 224), (50, 48), (48, 48), (33, 16)])
def test_resize_equals_keras_antialiased_bilinear(source, target):
    images = frames(2, source, source + 4, 3)
    expected = ops.image.resize(images, (target, target), interpolation="bilinear", antialias=True)
    np.testing.assert_allclose(np.asarray(Resize(target)(images)), np.asarray(expected), atol=2e-3)


def test_preprocessing_matches_the_published_constants():
    red = np.zeros((1, 1, 1, 3), "uint8")
    red[..., 0] = 255

    def scaled(mode: str) -> np.ndarray:
        return np.asarray(Preprocess(mode)(red)).ravel()

    np.testing.assert_allclose(scaled("vggface1"), [-93.5940, -104.7624, 255 - 129.1863], rtol=1e-6)
    np.testing.assert_allclose(scaled("vggface2"), [-91.4953, -103.8827, 255 - 131.0912], rtol=1e-6)
    np.testing.assert_allclose(scaled("paper_code"), [1, 0, 0])
    np.testing.assert_allclose(scaled("centred"), [1, -1, -1])
    np.testing.assert_allclose(scaled("mtcnn"), [127.5 / 128, -127.5 / 128, -127.5 / 128], rtol=1e-6)
    np.testing.assert_allclose(scaled("imagenet"), [0.515 / 0.229, -0.456 / 0.224, -0.406 / 0.225], rtol=1e-5)
    with pytest.raises(ValueError, match="vggface2"):
        Preprocess("vggface3")


def test_scaling_stays_in_float32_under_mixed_precision():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        images = frames(1, 2, 8, 8, 3)
        out = FoldTime(Preprocess("paper_code"))(images)
    finally:
        keras.config.set_dtype_policy("float32")
    np.testing.assert_allclose(np.asarray(out), images / 255, rtol=1e-6)
