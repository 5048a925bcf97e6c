"""The real train loop on small features: it learns, repeats by seed, starts each fold afresh and compiles once."""

from dataclasses import replace

import keras
import numpy as np
import pandas as pd
import pytest

from mer_tf.config import Clip, Train
from mer_tf.datasets.windows import Window, plan_windows
from mer_tf.inputs.batches import FeatureStore, WindowBatches, fixed_batches, stack
from mer_tf.models.vggface_frames import VggFaceFrames
from mer_tf.models.vggface_lstm import VggFaceLstm
from mer_tf.training.baselines import onset_frame_probabilities
from mer_tf.training.trainer import EarlyEnd, EpochPredictions, FoldTrainer, predict_clips, training_seed

CLASSES = ("negative", "positive", "non-micro")
SMALL = VggFaceLstm(center="onset", embedding=(16, 12, 8), lstm_units=8, lstm_layers=1, head_units=8)
TRAIN = Train(epochs=8, batch_size=16, learning_rate=1e-2, jit_compile=False)
CLIP = Clip(frames=5, stride=2)


def drawn_store(clips=24, seed=0):
    """Features whose class is in their motion away from a random onset, never in the onset itself."""
    rng = np.random.default_rng(seed)
    plain, labelled = {}, {}
    for k in range(clips):
        length, label = int(rng.integers(6, 12)), k % 3
        course = np.sin(np.linspace(0, np.pi, length))[:, None]
        direction = np.eye(3, 6)[label] * 4
        plain[f"c{k:02d}"] = (rng.normal(size=(1, 6)) + course * direction).astype("float32")
        labelled[f"c{k:02d}"] = label
    return FeatureStore(plain, {k: -v for k, v in plain.items()}), labelled


def fit(trainer, store, clips, clip=CLIP, seed=0, **options):
    plan = plan_windows(clips, store.length, clip, CLASSES, seed)
    return trainer.fit(store, plan, clips, clip.frames, seed, **options)


@pytest.fixture(scope="module")
def trained():
    store, clips = drawn_store()
    trainer = FoldTrainer(lambda: SMALL.build(store.shape, 3), TRAIN)
    history = fit(trainer, store, clips, Clip(frames=5, stride=2, mirror=False))
    return trainer, store, clips, history


@pytest.fixture
def trainer(trained):
    """The trained one's trainer, compiled already, for further trainings; its weights are put back."""
    held, kept = trained[0], trained[0].model.get_weights()
    yield held
    held.model.set_weights(kept)


@pytest.mark.parametrize("test", ["whole", "windows"])
def test_learns_motion_and_predicts_new_clips(trained, test):
    trainer, _, _, history = trained
    store, clips = drawn_store(seed=9)
    shares = predict_clips(trainer.model, store, list(clips), Clip(frames=5, test=test))
    assert shares.shape == (24, 3)
    assert shares.sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert np.mean(shares.argmax(1) == list(clips.values())) > 0.8
    assert history["loss"].iloc[-1] < history["loss"].iloc[0] / 2


def test_prediction_does_not_depend_on_batch_or_company(trained):
    trainer, store, clips, _ = trained
    ids = list(clips)
    together = predict_clips(trainer.model, store, ids, CLIP, batch=7)
    shortest = min(ids, key=lambda name: len(store.clip(name)))
    alone = predict_clips(trainer.model, store, [shortest], CLIP)
    assert alone[0] == pytest.approx(together[ids.index(shortest)], abs=1e-5)


def test_each_fold_starts_afresh_and_repeats():
    store, clips = drawn_store(9)
    config = Train(epochs=1, batch_size=16, jit_compile=False)
    small = replace(SMALL, embedding=(8,), dropout=0.5)

    def losses(order):
        trainer = FoldTrainer(lambda: small.build(store.shape, 3), config)
        trainer.model.run_eagerly = True  # a few steps take less time than tracing them
        few = Clip(frames=3, stride=4, mirror=False)
        return {k: fit(trainer, store, clips, few, seed=training_seed(0, k))["loss"].iloc[0] for k in order}

    first, second = losses([0, 1]), losses([1, 0])
    assert first == pytest.approx(second, rel=1e-4)
    assert first[0] != first[1]


def test_stack_pads_with_the_last_frame_and_masks_it():
    store = FeatureStore({"a": np.arange(4.0, dtype="float32")[:, None]}, {"a": -np.ones((4, 1), "float32")})
    inputs = stack(store, [Window("a", 2, False), Window("a", 0, True)], frames=3)
    assert inputs["frames"][0, :, 0].tolist() == [2, 3, 3]
    assert inputs["mask"].tolist() == [[True, True, False], [True, True, True]]
    assert inputs["onset"][:, 0, 0].tolist() == [0, -1]


def test_an_epoch_visits_every_window_in_batches_of_one_shape():
    store, clips = drawn_store()
    plan = [Window(name, 0, False) for name in clips]
    data = WindowBatches(store, plan, clips, frames=5, batch=7, seed=0)
    epochs = data.epochs()
    before, after = next(epochs), next(epochs)
    batches = [data.take(places) for places in before]
    assert len(batches) == len(data)
    assert {x["frames"].shape for x, _ in batches} == {(7, 5, 6)}
    onsets = {tuple(row) for x, _ in batches for row in x["onset"][:, 0].tolist()}
    assert onsets == {tuple(store.clip(name)[0].tolist()) for name in clips}
    orders = [epoch.ravel()[: len(plan)].tolist() for epoch in (before, after)]
    assert sorted(orders[0]) == sorted(orders[1]) == list(range(len(plan)))
    assert orders[0] != orders[1]


def test_fixed_batches_keep_order():
    store, clips = drawn_store()
    windows = [Window(name, 0, False) for name in list(clips)[:5]]
    parts = list(fixed_batches(store, windows, 5, 4))
    onsets = np.concatenate([p["onset"] for p in parts])[:5, 0]
    assert onsets == pytest.approx(np.stack([store.clip(w.clip_id)[0] for w in windows]))


def test_onset_baseline_sees_the_first_frame_only():
    store, clips = drawn_store(60)
    ids, labels = list(clips), list(clips.values())
    shares = onset_frame_probabilities(store, ids[:40], labels[:40], ids[40:], 3)
    changed = FeatureStore({k: np.concatenate([v[:1], v[1:] * 9]) for k, v in store.plain.items()}, {})
    assert shares == pytest.approx(onset_frame_probabilities(changed, ids[:40], labels[:40], ids[40:], 3))
    assert np.mean(shares.argmax(1) == labels[40:]) < 0.7


def test_onset_baseline_gives_an_unseen_class_no_probability():
    store, clips = drawn_store()
    two = {name: label for name, label in clips.items() if label != 1}
    shares = onset_frame_probabilities(store, list(two), list(two.values()), ["c00"], 3)
    assert shares[0, 1] == 0
    assert shares.sum() == pytest.approx(1)


def test_checkpoint_reloads_in_safe_mode_and_predicts_the_same(trained, tmp_path):
    trainer, store, clips, _ = trained
    trainer.model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    ids = list(clips)
    before = predict_clips(trainer.model, store, ids, CLIP)
    assert predict_clips(again, store, ids, CLIP) == pytest.approx(before, abs=1e-6)


@pytest.mark.parametrize(
    ("name", "precision"),
    [
        ("vggface_frames", False),
        *(pytest.param("vggface_lstm", half, marks=pytest.mark.slow) for half in (False, True)),
    ],
)
def test_xla_step_and_mixed_precision_train(name, precision):
    store, clips = drawn_store(12)
    config = Train(epochs=2, batch_size=8, jit_compile=True, mixed_precision=precision)
    lstm, frames = replace(SMALL, embedding=(8, 8)), VggFaceFrames(embedding=(8, 8))
    network = lstm if name == lstm.name else frames
    try:
        trainer = FoldTrainer(lambda: network.build(store.shape, 3), config)
        history = fit(trainer, store, clips, CLIP if name == "vggface_lstm" else Clip(frames=1))
    finally:
        keras.config.set_dtype_policy("float32")
    assert trainer.model.jit_compile is True
    assert isinstance(history, pd.DataFrame)
    assert np.isfinite(history["loss"]).all()


def test_predictions_after_an_epoch_are_those_of_training_that_long(trainer):
    store, clips = drawn_store()
    ids = list(clips)
    watch = EpochPredictions(lambda model: predict_clips(model, store, ids, CLIP), (1, 3))
    fit(trainer, store, clips, train=replace(TRAIN, epochs=3), callbacks=[watch])
    fit(trainer, store, clips, train=replace(TRAIN, epochs=1))
    assert sorted(watch.shares) == [1, 3]
    assert watch.shares[1] == pytest.approx(predict_clips(trainer.model, store, ids, CLIP), abs=1e-5)
    assert np.abs(watch.shares[3] - watch.shares[1]).max() > 1e-3


def test_a_learning_rate_holds_for_one_training_only(trainer):
    store, clips = drawn_store()
    first = fit(trainer, store, clips, train=replace(TRAIN, epochs=2))["loss"]
    still = fit(trainer, store, clips, train=replace(TRAIN, epochs=2, learning_rate=1e-9))["loss"]
    assert abs(still.diff().iloc[1]) < abs(first.diff().iloc[1]) / 10
    again = fit(trainer, store, clips, train=replace(TRAIN, epochs=2))["loss"]
    assert again.tolist() == pytest.approx(first.tolist(), rel=1e-4)


def test_a_lower_frame_rate_keeps_every_nth_frame():
    store, _ = drawn_store(3)
    assert store.every(2).clip("c00").tolist() == store.clip("c00")[::2].tolist()
    assert store.every(3).clip("c01", 1).tolist() == store.clip("c01", 1)[::3].tolist()


@pytest.mark.parametrize(
    ("losses", "patience", "best", "trained"),
    [((9, 5, 6, 7, 1), 2, 2, 4), ((9, 5, 6, 4, 8, 8), 2, 4, 6), ((3, 2, 1), 2, 3, 3)],
)
def test_training_ends_when_held_out_clips_gain_no_more(losses, patience, best, trained):
    """`losses`: of the held-out clip after each epoch, in the order in which a scripted model gives them."""
    scripted = iter(np.exp(-np.array(losses, float)))
    watch = EarlyEnd(lambda _: np.array([[next(scripted), 0.0]]), np.array([0]), patience)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(loss="mse", run_eagerly=True)
    done = model.fit(np.ones((2, 1)), np.ones((2, 1)), epochs=len(losses), verbose=0, callbacks=[watch])
    assert len(done.history["loss"]) == trained
    assert watch.best == best
    assert watch.shares[best][0, 0] == pytest.approx(np.exp(-losses[best - 1]))
