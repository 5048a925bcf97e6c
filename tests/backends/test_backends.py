"""Every model on the backend that runs: one step beside another backend's, and a training from arrays alone.

`MER_TF_STEPS=FOLDER` names what `python -m helpers.one_step FOLDER` wrote under the other backend; `.ci/run` does so in
an environment with JAX and without TensorFlow.
"""

from __future__ import annotations

import os
import random
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import keras
import numpy as np
import pytest
from helpers.one_step import one_step
from helpers.small_models import CLASSES, SMALL

from mer_tf.config import Clip, Train
from mer_tf.datasets.windows import plan_windows
from mer_tf.evaluation.metrics import SCORES, scores
from mer_tf.inputs.batches import WindowBatches, input_names
from mer_tf.inputs.images import image_store
from mer_tf.inputs.stream import stream
from mer_tf.models.presets import PUBLISHED
from mer_tf.records.stored import stored_clips
from mer_tf.training.trainer import FoldTrainer, compile_model, predict_clips

OTHER = os.environ.get("MER_TF_STEPS")


@pytest.mark.parametrize("name", sorted(SMALL))
def test_the_stages_that_the_progress_bar_counts_are_those_that_are_trained(name: str) -> None:
    small = SMALL[name]
    assert small.config.first_stages == sum(not stage.last for stage in small.config.stages(small.model()))


@pytest.mark.skipif(keras.backend.backend() == "tensorflow", reason="another backend is meant")
def test_no_tensorflow_is_near():
    assert find_spec("tensorflow") is None


@pytest.mark.skipif(OTHER is None, reason="MER_TF_STEPS names no steps of another backend")
@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(SMALL))
def test_one_step_is_that_of_the_other_backend_and_moves_the_weights(name: str) -> None:
    """They move, so that an equal step is no matter of rounding."""
    found = one_step(name)
    with np.load(Path(OTHER or "") / f"{name}.npz", allow_pickle=False) as other:
        assert list(other) == list(found)
        for what, value in found.items():
            close = 1e-5 if what == "logits" else 1e-4
            np.testing.assert_allclose(value, other[what], rtol=close, atol=close, err_msg=what)
    moved = [np.abs(v).max() for what, v in found.items() if what.startswith("step")]
    assert np.mean(np.array(moved) > 1e-4) > 0.5
    assert max(moved) > 0.01


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="JAX compiles whatever it runs")
@pytest.mark.slow
@pytest.mark.parametrize("name", ["attention_lstm", "cnn_lstm_fusion", "elrcn_te", "gia_bia_bilstm", "vggface_lstm"])
def test_xla_compiles_the_training_loop(name: str) -> None:
    """Keras' loop leaves the size of a batch open, which a single step of given arrays does not."""
    small = SMALL[name]
    alike = {"grey": False} if name == "elrcn_te" else {}  # one network less, they are alike
    small = replace(small, config=replace(small.config, **alike))
    model = small.model()
    compile_model(model, Train(jit_compile=True))
    labels = small.clips()
    plan = plan_windows(labels, small.store().length, small.clip, CLASSES, seed=0)
    data = WindowBatches(small.store(), plan, labels, small.clip.frames, 4, 0, input_names(model))
    assert np.isfinite(model.fit(stream(data), epochs=1, steps_per_epoch=len(data), verbose=0).history["loss"][0])
    assert model.jit_compile is True
    assert np.isfinite(model.evaluate(stream(data), steps=len(data), verbose=0, return_dict=True)["loss"])


@pytest.mark.skipif(keras.backend.backend() == "tensorflow", reason="every run is trained with TensorFlow")
@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(SMALL))
def test_trains_and_is_scored_from_arrays(name: str) -> None:
    """The papers' models tell the clips apart; the named baselines, which want hundreds of epochs, get better at it."""
    small, baseline = SMALL[name], name in PUBLISHED
    train = Train(epochs=24, stream_epochs=4, batch_size=8, learning_rate=0.002 if baseline else 0.01)
    store, labels = small.store(), small.clips()
    trainer = FoldTrainer(small.model, train, small.config.stages)
    plan = plan_windows(labels, store.length, small.clip, CLASSES, seed=0)
    history = trainer.fit(store, plan, labels, small.clip.frames, seed=0)
    shares = predict_clips(trainer.model, store, list(labels), small.clip)
    assert shares.sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert history["loss"].min() < history["loss"].iloc[0]
    if not baseline:
        counts = np.zeros((len(CLASSES), len(CLASSES)), int)
        np.add.at(counts, (list(labels.values()), shares.argmax(axis=1)), 1)
        assert scores(counts)[SCORES.index("UAR")] == 1.0, history


@pytest.mark.skipif(OTHER is None, reason="MER_TF_STEPS names no records of another backend")
def test_a_model_is_trained_from_records_of_the_other_backend() -> None:
    """From the shard to the step, TensorFlow being away."""
    (directory,) = Path(OTHER or "").glob("records-*")
    with np.load(directory / "arrays.npz", allow_pickle=False) as arrays:
        for clip in stored_clips(directory, flow=True):
            for part in ("frames", "flow"):
                np.testing.assert_array_equal(getattr(clip, part), arrays[f"{clip.clip_id} {part}"])
    clip = Clip(frames=4, stride=1, mirror=True, balance=False, test="windows")
    store = image_store(((x.clip_id, x.frames, x.flow) for x in stored_clips(directory, flow=True)), clip, "previous")
    labels = {name: k % 2 for k, name in enumerate(store.frames)}

    def build() -> keras.Model:
        given = [keras.Input((3, *store.shape[name]), name=name) for name in ("frames", "flow")]
        means = [keras.layers.Dense(2)(keras.layers.GlobalAveragePooling3D()(x / 255)) for x in given]
        return keras.Model(given, keras.layers.Add()(means))

    trainer = FoldTrainer(build, Train(epochs=3, batch_size=4))
    history = trainer.fit(store, plan_windows(labels, store.length, clip, CLASSES, 0), labels, clip.frames, 0)
    assert np.isfinite(history["loss"]).all()
    assert predict_clips(trainer.model, store, list(labels), clip).sum(axis=1) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("name", ["vggface_lstm", "ststnet", "rcn"])
def test_the_seed_alone_draws_the_weights(name: str) -> None:
    """Keras takes its seeds from Python's random on every backend."""
    drawn = []
    for seed in (1, 1, 2):
        random.seed(seed)
        drawn.append(SMALL[name].model().get_weights()[0])
    assert (drawn[0] == drawn[1]).all()
    assert (drawn[0] != drawn[2]).any()
