"""Features once a frame: equal to the plain computation, kept on disk, resumed chunk by chunk."""

import keras
import numpy as np
import pytest

from mer_tf.config import MerError
from mer_tf.training import feature_cache
from mer_tf.training.feature_cache import encode_clips, weights_digest


@pytest.fixture(scope="module")
def encoder():
    keras.utils.set_random_seed(0)
    image = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(4, 3, activation="relu")(image)
    return keras.Model(image, keras.layers.Dense(5)(keras.layers.Flatten()(x)))


CLIPS = {f"c{k:02d}": np.random.default_rng(k).integers(0, 255, (3 + k, 8, 8, 3), dtype=np.uint8) for k in range(10)}
LENGTHS = {k: len(v) for k, v in CLIPS.items()}


def test_equals_the_uncached_computation_mirrors_too(encoder, tmp_path):
    store = encode_clips(lambda: iter(CLIPS.items()), LENGTHS, encoder, tmp_path, mirror=True, batch=4)
    for name, frames in CLIPS.items():
        assert store.clip(name) == pytest.approx(
            encoder.predict(frames.astype("float32"), verbose=0), rel=1e-5, abs=1e-4
        )
        mirrored = encoder.predict(frames[:, :, ::-1].astype("float32"), verbose=0)
        assert store.clip(name, mirror=True) == pytest.approx(mirrored, rel=1e-5, abs=1e-4)


def test_second_run_reads_the_disk_alone(encoder, tmp_path):
    first = encode_clips(lambda: iter(CLIPS.items()), LENGTHS, encoder, tmp_path, mirror=False)

    def never():
        raise AssertionError("frames were read again")

    second = encode_clips(never, LENGTHS, encoder, tmp_path, mirror=False)
    assert all((first.clip(k) == second.clip(k)).all() for k in CLIPS)


def test_a_stopped_run_computes_only_what_is_missing(encoder, tmp_path, monkeypatch):
    whole = encode_clips(lambda: iter(CLIPS.items()), LENGTHS, encoder, tmp_path, mirror=False)
    sorted(tmp_path.glob("*.npz"))[-1].unlink()
    computed = []
    original = feature_cache._predict
    monkeypatch.setattr(
        feature_cache, "_predict", lambda m, x, b, bar: computed.append(len(x)) or original(m, x, b, bar)
    )
    again = encode_clips(lambda: iter(CLIPS.items()), LENGTHS, encoder, tmp_path, mirror=False)
    assert computed == [LENGTHS["c08"] + LENGTHS["c09"]]
    assert all((whole.clip(k) == again.clip(k)).all() for k in CLIPS)


def test_frames_in_another_order_are_refused(encoder, tmp_path):
    with pytest.raises(MerError, match="'c00'.* are next"):
        encode_clips(lambda: reversed(CLIPS.items()), LENGTHS, encoder, tmp_path, mirror=False)


def test_digest_follows_the_weights(encoder):
    before = weights_digest(encoder)
    assert before == weights_digest(encoder)
    encoder.set_weights([w + 1 for w in encoder.get_weights()])
    assert before != weights_digest(encoder)
