"""Features once a frame and copy: equal to the plain computation, kept on disk by content, resumed, shared."""

import hashlib
import random
from collections import namedtuple

import keras
import numpy as np
import pytest

from mer_tf.config import MerError
from mer_tf.inputs import feature_cache
from mer_tf.inputs.feature_cache import copy_frames, encode_clips, weights_digest
from mer_tf.inputs.prepare import features_key
from mer_tf.records.index import IndexedClip


@pytest.fixture(scope="module")
def encoder():
    random.seed(0)
    image = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(4, 3, activation="relu")(image)
    return keras.Model(image, keras.layers.Dense(5)(keras.layers.Flatten()(x)))


FRAMES = {f"c{k:02d}": np.random.default_rng(k).integers(0, 255, (3 + k, 8, 8, 3), dtype=np.uint8) for k in range(10)}


def clips(copies=1, names=FRAMES):
    return dict.fromkeys((stored_clip(n) for n in names), copies)


def stored_clip(name, content=None):
    content = content or hashlib.sha256(name.encode()).hexdigest()
    return IndexedClip(name, "toy", "toy/s1", "", len(FRAMES.get(name, FRAMES["c03"])), 100.0, "", content)


def frames(names=FRAMES):
    return lambda: ((n, FRAMES[n]) for n in names)


def never():
    raise AssertionError("frames were read again")


@pytest.mark.parametrize("copies", [1, 2, 4])
def test_equals_the_uncached_computation_of_every_copy(encoder, tmp_path, copies):
    store = encode_clips(frames(), clips(copies), encoder, tmp_path, batch=4)
    for clip in clips(copies):
        for copy in range(copies):
            plain = copy_frames(FRAMES[clip.clip_id], clip, copy).astype("float32")
            expected = keras.ops.convert_to_numpy(encoder(plain))
            assert store.clip(clip.clip_id, copy) == pytest.approx(expected, rel=1e-5, abs=1e-4)


def test_copies_are_the_mirror_and_frames_turned_each_by_its_own_angle():
    clip = stored_clip("c05")
    shown = FRAMES[clip.clip_id]
    assert (copy_frames(shown, clip, 1) == shown[:, :, ::-1]).all()
    still = np.repeat(shown[:1], 6, axis=0)
    turned = copy_frames(still, clip, 2)
    assert turned.shape == still.shape
    assert len({frame.tobytes() for frame in turned}) == 6
    assert (turned == copy_frames(still, clip, 2)).all()
    assert (turned != copy_frames(still, clip, 3)).any()


def test_second_run_reads_the_disk_alone_and_other_subsets_share_it(encoder, tmp_path):
    first = encode_clips(frames(), clips(), encoder, tmp_path)
    some = ["c07", "c02"]
    second = encode_clips(never, clips(names=some), encoder, tmp_path)
    assert all((first.clip(k) == second.clip(k)).all() for k in some)


def test_the_same_content_under_another_name_is_found(encoder, tmp_path):
    encode_clips(frames(), clips(), encoder, tmp_path)
    other = stored_clip("c03")
    renamed = stored_clip("elsewhere", other.content_sha256)
    assert len(encode_clips(never, {renamed: 1}, encoder, tmp_path).clip("elsewhere")) == other.n_frames


def test_a_stopped_run_computes_only_what_is_missing(encoder, tmp_path, monkeypatch):
    whole = encode_clips(frames(), clips(2), encoder, tmp_path)
    (tmp_path / f"{stored_clip('c04').content_sha256}-1.npy").unlink()
    computed = []
    predict = encoder.predict_on_batch

    def counted(batch):
        computed.append(len(np.unique(batch, axis=0)))  # the last image is repeated to fill it
        return predict(batch)

    monkeypatch.setattr(encoder, "predict_on_batch", counted)
    again = encode_clips(frames(), clips(2), encoder, tmp_path)
    assert computed == [len(FRAMES["c04"])]
    assert all((whole.clip(k, 1) == again.clip(k, 1)).all() for k in FRAMES if k != "c04")
    # computed in another batch, which some processors round otherwise
    assert again.clip("c04", 1) == pytest.approx(whole.clip("c04", 1), rel=1e-5, abs=1e-4)


def test_many_features_stay_on_disk(encoder, tmp_path, monkeypatch):
    plain = encode_clips(frames(), clips(), encoder, tmp_path)
    monkeypatch.setattr(feature_cache.shelf, "IN_MEMORY", 100)
    mapped = encode_clips(never, clips(), encoder, tmp_path)
    assert isinstance(mapped.clip("c03"), np.memmap)
    assert (mapped.clip("c03") == plain.clip("c03")).all()


def test_a_full_disk_is_said_before_anything_is_computed(encoder, tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")(1, 1, 10)
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    with pytest.raises(MerError, match="features need .* are free"):
        encode_clips(never, clips(), encoder, tmp_path)


def test_frames_in_another_order_are_refused(encoder, tmp_path):
    with pytest.raises(MerError, match="'c00'.* are next"):
        encode_clips(frames(list(FRAMES)[::-1]), clips(), encoder, tmp_path)


def test_digest_follows_the_weights(encoder):
    before = weights_digest(encoder)
    assert before == weights_digest(encoder)
    encoder.set_weights([w + 1 for w in encoder.get_weights()])
    assert before != weights_digest(encoder)


def test_features_of_a_compiled_trunk_are_kept_apart(encoder):
    keys = []
    for jit in (True, False):
        encoder.compile(jit_compile=jit)
        keys += [features_key(encoder, "x", 96), features_key(encoder, "x", 224), features_key(encoder, "y", 96)]
    assert len(set(keys)) == len(keys)
    encoder.compile(jit_compile=False)
    assert features_key(encoder, "x", 96) == keys[3]


@pytest.mark.parametrize("harm", ["cut", "flip", "swap", "empty"])
def test_features_that_are_damaged_are_made_again(encoder, tmp_path, harm, caplog):
    whole = encode_clips(frames(), clips(2), encoder, tmp_path)
    values = {k: np.array(whole.clip(k, 1)) for k in FRAMES}
    path, other = (tmp_path / f"{stored_clip(k).content_sha256}-1.npy" for k in ("c04", "c05"))
    data = bytearray(path.read_bytes())
    data[-40] ^= 1
    harmed = {"cut": path.read_bytes()[:-60], "flip": bytes(data), "swap": other.read_bytes(), "empty": b""}
    path.write_bytes(harmed[harm])
    again = encode_clips(frames(), clips(2), encoder, tmp_path)
    assert all((values[k] == again.clip(k, 1)).all() for k in FRAMES)
    assert f"{path.name}: is cut or changed, and is made again" in caplog.text
