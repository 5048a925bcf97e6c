"""Batches reach the training in one order, whoever carries them and however many threads make them."""

import itertools
from collections import Counter

import numpy as np
import pytest

from mer_tf.config import MerError
from mer_tf.datasets.windows import Window
from mer_tf.inputs import stream as stream_module
from mer_tf.inputs.batches import FeatureStore, WindowBatches
from mer_tf.inputs.stream import Arrays, stream

PLAN = [Window(f"c{k % 5}", k % 4, k % 2) for k in range(23)]
STEPS = 2 * 6 + 1
"""Two epochs and the beginning of a third."""


def batches(seed=0, plan=PLAN, **options):
    rng = np.random.default_rng(0)
    plain = {f"c{k}": rng.normal(size=(6 + k, 3)).astype("float32") for k in range(5)}
    store = FeatureStore(plain, {name: -value for name, value in plain.items()})
    return WindowBatches(store, plan, {f"c{k}": k % 2 for k in range(5)}, 4, 4, seed, **options)


def flat(batch):
    inputs, *others = batch
    return b"".join(np.asarray(x).tobytes() for x in [*inputs.values(), *others])


def test_tensors_and_arrays_bring_the_same_batches_epoch_after_epoch(monkeypatch):
    plain = Arrays(batches())
    wanted = [flat(plain[k]) for k in range(STEPS)]
    for together in (1, 8):
        monkeypatch.setattr(stream_module, "TOGETHER", together)
        data = stream(batches())
        for _ in range(2):  # whoever begins again begins with the first epoch
            assert [flat(batch) for batch in itertools.islice(data, STEPS)] == wanted
    assert flat(plain[0]) == wanted[0]


def test_the_seed_draws_each_epoch_as_ever():
    """Changing this changes the numbers of every run."""
    data, rng = batches(seed=7), np.random.default_rng(7)
    rng.permutation(23)
    for places in itertools.islice(data.epochs(), 3):
        order = rng.permutation(23)
        assert places.shape == (6, 4)
        assert places.ravel().tolist() == [*order, order[0]]
    assert not np.array_equal(next(batches(seed=8).epochs()), next(data.epochs()))


def test_an_epoch_fills_one_batch_of_few_windows():
    places = next(batches(plan=PLAN[:3]).epochs())
    assert places.shape == (1, 4)
    assert Counter(places[0, :3].tolist()) == Counter(range(3))


@pytest.mark.parametrize(
    ("plan", "labels", "reason"), [([], {"c0": 0}, "no window"), (PLAN[:2], {"c0": 0}, "clip c1 .* has no label")]
)
def test_a_plan_that_cannot_be_trained_on_is_refused(plan, labels, reason):
    with pytest.raises(MerError, match=reason):
        WindowBatches(FeatureStore({}, {}), plan, labels, 4, 4, 0)


def test_windows_are_cut_filled_up_and_mirrored_as_planned():
    """Against plain indexing, as they reach the training."""
    plan = [Window("c0", 4), Window("c1", 0, 1, 2), Window("c2", -2, 1), Window("c3", 1)]
    data = batches(plan=plan)
    inputs, labels = next(iter(stream(data)))
    for row, place in enumerate(next(data.epochs())[0]):
        window = plan[place]
        clip = data.store.clip(window.clip_id, window.copy)
        places = window.start + window.step * np.arange(4)
        np.testing.assert_array_equal(inputs["frames"][row], clip[np.clip(places, 0, len(clip) - 1)])
        np.testing.assert_array_equal(inputs["onset"][row], clip[:1])
        assert np.asarray(inputs["mask"][row]).tolist() == (places < len(clip)).tolist()
        assert int(labels[row]) == int(window.clip_id[1]) % 2


def test_windows_weigh_as_their_class_says():
    data = batches(class_weights={0: 0.5, 1: 2.0})
    *_, labels, weights = data.take(np.arange(4))
    assert weights.tolist() == [{0: 0.5, 1: 2.0}[k] for k in labels.tolist()]


def test_images_have_their_sizes_before_a_model_is_traced():
    """Only the number of windows of a batch stays open."""
    inputs, labels = stream(batches()).element_spec
    assert {name: tuple(spec.shape) for name, spec in inputs.items()} == {
        "frames": (None, 4, 3),
        "onset": (None, 1, 3),
        "mask": (None, 4),
    }
    assert tuple(labels.shape) == (None,)
