"""Maps with the places of face blocks: inputs of a model, mirrored ones, frames about the apex; training by stages."""

from dataclasses import replace

import numpy as np
import pytest

from mer_tf.config import Clip, MerError, Train
from mer_tf.datasets.windows import Window, plan_windows
from mer_tf.inputs.batches import FeatureStore
from mer_tf.inputs.blocks import BlockStore, nearest_frame
from mer_tf.models.gia_bia_bilstm import Blocks, GiaBiaBiLstm, block_weights
from mer_tf.training.trainer import FoldTrainer, predict_clips

SIDE, FRAMES, CLASSES = 8, 5, ("a", "b", "c")
CLIP = Clip(frames=FRAMES, mirror=False, balance=False)
SMALL = Blocks(
    window=3, filters=4, units=6, gate_filters=4, gate_units=4, reduce_units=12, gia=False, psi="gap", finetune=False
)
MODEL = GiaBiaBiLstm(center="onset", lstm_units=8, bn_momentum=0.5, blocks=SMALL)
TRAIN = Train(
    epochs=6, stream_epochs=14, batch_size=12, learning_rate=1e-2, stream_learning_rate=2e-2, jit_compile=False
)
CENTRES = np.array([[1.5, 1.5], [6.5, 1.5], [4.0, 6.0]], "float32")


def drawn(clips=24, seed=0):
    """Noise; the class says at which of three blocks something comes and goes, greatest at frame 2."""
    rng, features, labelled = np.random.default_rng(seed), {}, {}
    course = np.array([0, 1, 3, 1, 0])[:, None, None, None]
    for k in range(clips):
        values = np.repeat(rng.normal(0, 1, (1, SIDE, SIDE, 2)), FRAMES, axis=0)
        x, y = CENTRES[k % 3].astype(int)
        values[:, y - 1 : y + 2, x - 1 : x + 2] += course * rng.uniform(0.8, 1.2)
        features[f"c{k:02d}"] = (values + rng.normal(0, 0.1, values.shape)).astype("float32")
        labelled[f"c{k:02d}"] = k % 3
    store = FeatureStore(features, {k: v[:, :, ::-1] for k, v in features.items()})
    turned = CENTRES * (-1, 1) + (SIDE, 0)
    plain, mirror = (dict.fromkeys(features, c.astype("float32")) for c in (CENTRES, turned))
    return BlockStore(store, (plain, mirror), dict.fromkeys(features, 2), (0.0, 4.0)), labelled


def test_inputs_hold_the_blocks_of_each_copy():
    store, _ = drawn(3)
    given = store.inputs([Window("c00", 0), Window("c00", 3, copy=1)], 4)
    assert {name: value.shape for name, value in given.items()} == {
        "frames": (2, 4, SIDE, SIDE, 2),
        "onset": (2, 1, SIDE, SIDE, 2),
        "mask": (2, 4),
        "blocks": (2, 3, 2),
    }
    assert given["mask"].sum(axis=1).tolist() == [4, 2]
    assert given["blocks"][1, :, 0] == pytest.approx(SIDE - given["blocks"][0, :, 0])
    assert set(store.inputs([Window("c00", 0)], 4, ("mask",))) == {"mask"}
    assert store.shape == {"frames": (SIDE, SIDE, 2), "blocks": (3, 2)}


def test_turned_copies_are_refused():
    store, _ = drawn(3)
    with pytest.raises(MerError, match="turned by an angle of its own.*clip.multiply empty"):
        store.inputs([Window("c01", 0, copy=2)], 4)


def test_frames_about_the_apex_belong_to_the_planned_clips_and_stay_within():
    store, _ = drawn(3)
    store = replace(store, apexes={"c00": 2, "c01": 0, "c02": 4})
    plan = [Window(name, 0, copy) for name in ("c00", "c01", "c02") for copy in (0, 1)] * 5
    near = store.near_apex(plan)
    assert [(w.clip_id, w.copy) for w in near] == [(w.clip_id, w.copy) for w in plan]
    places = {name: {w.start for w in near if w.clip_id == name} for name in ("c00", "c01", "c02")}
    assert places == {"c00": {0, 1, 2, 3, 4}, "c01": {0, 1, 2}, "c02": {2, 3, 4}}


def test_the_apex_is_the_nearest_stored_frame_or_the_middle():
    numbers = np.array([10, 13, 13, 17, 30])
    assert [nearest_frame(numbers, apex) for apex in (10, 16, 99, None)] == [0, 3, 4, 2]


@pytest.fixture(scope="module")
def trained():
    store, clips = drawn()
    held = FoldTrainer(lambda: MODEL.build(store.shape, 3), TRAIN, MODEL.stages)
    history = held.fit(store, plan_windows(clips, store.length, CLIP, CLASSES, 0), clips, FRAMES, seed=0)
    return held, history


@pytest.mark.slow
def test_frames_then_clips_are_learned_and_new_clips_told_apart(trained):
    held, history = trained
    store, clips = drawn(seed=1)
    shares = predict_clips(held.model, store, list(clips), CLIP)
    assert np.mean(shares.argmax(axis=1) == list(clips.values())) > 0.8
    assert history["stage"].tolist() == ["frames"] * 14 + ["clips"] * 6


@pytest.mark.slow
def test_the_first_stage_has_a_recipe_of_its_own(trained):
    first, last = trained[0].stages
    rates = [float(stage.model.optimizer.learning_rate.numpy()) for stage in (first, last)]
    assert rates == pytest.approx([2e-2, 1e-2])


@pytest.mark.slow
def test_weights_of_blocks_are_asked_of_the_trained_model(trained):
    store, _ = drawn(3)
    weights = block_weights(trained[0].model).predict(store.inputs([Window("c00", 0)], FRAMES), verbose=0)
    assert weights["blocks"].shape == (FRAMES, 3, 1)
