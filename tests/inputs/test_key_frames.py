"""Key frames of stored features: which ones models get, the onset beside them, short clips padded and masked."""

import numpy as np
import pytest

from mer_tf.config import Clip
from mer_tf.datasets.windows import Window, plan_windows
from mer_tf.inputs.batches import FeatureStore
from mer_tf.inputs.key_frames import key_frame_store

LENGTHS = {"long": 40, "short": 3}
CONFIG = Clip(frames=5, keyframes="phases", step=2)


@pytest.fixture(scope="module")
def store():
    """Features of frame t are t in every cell, in the mirror -t; the apex of `long` is the file's number 130."""
    plain = {name: np.ones((n, 2, 2, 3), "float32") * np.arange(n)[:, None, None, None] for name, n in LENGTHS.items()}
    features = FeatureStore(plain, {name: -value for name, value in plain.items()}).every(CONFIG.step)
    frames = {name: np.zeros((n, 8, 8, 3), np.uint8) for name, n in LENGTHS.items()}
    frames["long"][22] = 255
    items = [(name, value, np.arange(100, 100 + len(value))) for name, value in frames.items()]
    return key_frame_store(features, items, {"long": 130, "short": None}, CONFIG)


def test_places_are_among_every_second_frame_and_hold_the_annotated_apex(store):
    assert store.places["long"].tolist() == [0, 8, 15, 17, 19]
    assert store.places["short"].tolist() == [0, 1]
    assert (store.longest, store.length("long"), store.length("short"), store.shape) == (5, 5, 2, (2, 2, 3))


def test_windows_are_the_key_frames_the_onset_and_a_mask(store):
    plan = plan_windows({"long": 0}, store.length, CONFIG, ("a",), 0)
    assert {(w.start, w.copy) for w in plan} == {(0, 0), (0, 1)}
    found = store.inputs([Window("long", 0, 1), Window("short", 0)], 5)
    assert found["frames"][:, :, 0, 0, 0].tolist() == [[0, -16, -30, -34, -38], [0, 2, 2, 2, 2]]
    assert found["mask"].tolist() == [[True] * 5, [True, True, False, False, False]]
    assert found["onset"].shape == (2, 1, 2, 2, 3)
    assert not found["onset"].any()


def test_the_onset_is_the_clips_even_where_it_is_no_key_frame(store):
    chosen = type(store)(store.features, {"long": np.array([4, 9])})
    assert not chosen.inputs([Window("long", 0)], 2)["onset"].any()
    assert chosen.vectors("long", slice(1)).tolist() == [[0, 0, 0]]


def test_an_apex_that_is_not_annotated_is_found_in_the_frames():
    features = FeatureStore({"c": np.zeros((30, 4), "float32")}, {})
    frames = np.zeros((30, 8, 8, 3), np.uint8)
    frames[7] = 255
    store = key_frame_store(features, [("c", frames, np.arange(30))], {"c": None}, Clip(frames=3, keyframes="phases"))
    assert store.places["c"].tolist() == [0, 7, 29]


def test_clusters_are_those_of_the_features():
    features = FeatureStore({"c": np.repeat(np.eye(3, 6), [4, 20, 6], axis=0).astype("float32")}, {})
    items = [("c", np.zeros((30, 8, 8, 3), np.uint8), np.arange(30))]
    store = key_frame_store(features, items, {"c": None}, Clip(frames=3, keyframes="cluster"))
    assert features.plain["c"][store.places["c"]].argmax(axis=1).tolist() == [0, 1, 2]
