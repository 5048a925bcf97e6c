"""Training in stages through the real loop: what learns when, fresh folds, frozen features computed once."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from mer_tf.config import Clip, Train
from mer_tf.datasets.windows import Window, plan_windows
from mer_tf.inputs.images import image_store
from mer_tf.inputs.window_features import WindowFeatures
from mer_tf.models.cnn_lstm_fusion import CnnLstmFusion, Fusion
from mer_tf.training.trainer import EpochPredictions, FoldTrainer, predict_clips

CLASSES, SIDE = ("negative", "positive", "surprise"), 16
CLIP = Clip(frames=5, segments="center", test="windows", mirror=False, balance=False)
FUSION = Fusion(channels=(8, 12, 12, 12, 8), stem_stride=1, fc_units=24, fc8_units=12, finetune_streams=False)
MODEL = CnnLstmFusion(lstm_units=12, fusion=FUSION)
TRAIN = Train(epochs=3, stream_epochs=1, batch_size=8, learning_rate=3e-3, jit_compile=False)


def drawn(clips=36, seed=0):
    """Noise that moves up, left or right in one place by class."""
    rng, items, labelled = np.random.default_rng(seed), [], {}
    for k in range(clips):
        flow = rng.normal(0, 0.1, (6, SIDE, SIDE, 2))
        flow[:, 4:10, 4:10] += np.array([(0, -3), (-3, 0), (3, 0)][k % 3])
        frames = rng.integers(0, 256, (1, SIDE, SIDE, 3)).astype("uint8").repeat(7, axis=0)
        items.append((f"c{k:02d}", frames, flow.astype("float16")))
        labelled[f"c{k:02d}"] = k % 3
    return image_store(items, CLIP, "previous"), labelled


def trainer(model=MODEL, train=TRAIN, **fusion):
    config = replace(model, fusion=replace(model.fusion, **fusion))
    store, _ = drawn(3)
    return FoldTrainer(lambda: config.build(store.shape, 3), train, config.stages)


def untraced(held):
    """A few steps take less time than tracing them."""
    for stage in held.stages:
        stage.model.run_eagerly = True
        if stage.trunk is not None:
            stage.trunk.run_eagerly = True
    return held


def fit(held, store, clips, seed=0, **options):
    plan = plan_windows(clips, store.length, CLIP, CLASSES, seed)
    return held.fit(store, plan, clips, CLIP.frames, seed, **options)


@pytest.fixture(scope="module")
def trained():
    store, clips = drawn()
    held = trainer(train=replace(TRAIN, epochs=14, stream_epochs=6))
    return held, store, clips, fit(held, store, clips)


@pytest.mark.slow  # tests/protocols/test_image_models.py trains such a model in folds
def test_learns_and_predicts_new_clips_from_motion(trained):
    held, _, _, history = trained
    store, clips = drawn(seed=5)
    shares = predict_clips(held.model, store, list(clips), CLIP)
    assert np.mean(shares.argmax(axis=1) == list(clips.values())) > 0.8
    assert history["stage"].tolist() == ["spatial"] * 6 + ["temporal"] * 6 + ["fusion"] * 14
    assert history["epoch"].tolist() == list(range(26))


class StreamWeights(keras.callbacks.Callback):
    """Weights of the streams at the end of every epoch of every stage."""

    def __init__(self, held):
        super().__init__()
        self.held, self.seen = held, []

    def on_epoch_end(self, epoch, logs=None):
        names = ("spatial_frames", "temporal_frames", "temporal_features")
        self.seen.append(np.concatenate([w.ravel() for n in names for w in self.held.model.get_layer(n).get_weights()]))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "moves"), [({}, False), ({"finetune_streams": True}, True), ({"mode": "untrained"}, False)]
)
def test_the_fusion_stage_moves_the_streams_only_where_it_may(changes, moves):
    held, (store, clips) = untraced(trainer(**changes)), drawn(9)
    watch = StreamWeights(held)
    fit(held, store, clips, callbacks=[watch])
    assert len(watch.seen) == 5
    assert (watch.seen[-1] != watch.seen[1]).any() == moves


def test_frozen_features_are_those_the_whole_model_computes():
    held, (store, clips) = untraced(trainer()), drawn(6)
    windows = [Window(name, 1) for name in list(clips)[:5]]
    last = held.stages[-1]
    features = WindowFeatures(store, [*windows, windows[0]], CLIP.frames, last.trunk)
    assert features.values["spatial"].shape == (5, 24)
    logits = last.model(features.inputs(windows, CLIP.frames, ("spatial", "temporal")))
    whole = held.model(store.inputs(windows, CLIP.frames, ("frames", "flow")))
    assert np.asarray(logits) == pytest.approx(np.asarray(whole), abs=1e-4)


@pytest.mark.slow
def test_a_fold_starts_afresh_and_predictions_after_an_epoch_are_the_whole_models_and_of_the_last_stage():
    held, (store, clips) = untraced(trainer()), drawn(9)
    ids = list(clips)
    watch = EpochPredictions(lambda model: predict_clips(model, store, ids, CLIP), (1, 3))
    first, again = fit(held, store, clips, callbacks=[watch]), fit(held, store, clips, train=replace(TRAIN, epochs=1))
    assert watch.shares[1] == pytest.approx(predict_clips(held.model, store, ids, CLIP), abs=1e-4)
    assert sorted(watch.shares) == [1, 3]
    assert again["stage"].tolist() == ["spatial", "temporal", "fusion"]
    assert again["loss"].to_numpy() == pytest.approx(first["loss"].to_numpy()[: len(again)], rel=1e-3)
    assert fit(held, store, clips, seed=1, train=replace(TRAIN, epochs=1))["loss"].iloc[0] != pytest.approx(
        first["loss"].iloc[0], rel=1e-3
    )
