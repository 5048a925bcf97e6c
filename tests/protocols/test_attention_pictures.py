"""Attention of a finished run: each clip by the model of its own fold, as numbers, pictures and a table by region."""

from dataclasses import replace

import keras
import numpy as np
import pandas as pd
import pytest

import mer_tf.protocols.pictures.attention as pictures_module
import mer_tf.protocols.workbench as bench_module
from mer_tf.config import Clip, MerError, Train
from mer_tf.datasets.windows import Window
from mer_tf.explain.regions import REGIONS
from mer_tf.inputs.batches import FeatureStore
from mer_tf.inputs.key_frames import KeyFrameStore
from mer_tf.inputs.prepare import Encoded
from mer_tf.models.attention_lstm import Attention, AttentionLstm, attention_maps
from mer_tf.protocols.cross_validation import cross_validate
from mer_tf.protocols.pictures.attention import clip_attention, model_attention, write_attention
from mer_tf.protocols.summary import pool
from mer_tf.protocols.workbench import Bench

SIZE, CELLS, FRAMES = 48, 6, 8
PLACES = np.array([0, 2, 5, 7])
SHOWN = 1
"""Clips of each class that are drawn."""
MOVED = {0: (1, 1), 1: (4, 2), 2: (2, 4)}
"""Class -> the cell in which it is shown."""
MODEL = AttentionLstm(
    features_at="conv1",
    center="onset",
    bn_momentum=0.5,
    lstm_units=8,
    lstm_layers=1,
    attention=Attention(units=8),
)


def encoder():
    images = keras.Input((SIZE, SIZE, 3))
    x = keras.layers.Conv2D(4, SIZE // CELLS, strides=SIZE // CELLS, name="conv1")(images)
    return keras.Model(images, keras.layers.GlobalAveragePooling2D(name="avg_pool")(x))


def maps_of(table):
    """Noise that stays, and in a cell of the class a swelling of its own channel: attention knows no places."""
    rng, course, found = np.random.default_rng(0), np.sin(np.linspace(0, np.pi, FRAMES)), {}
    for clip, label in zip(table["clip_id"], table["label"], strict=True):
        still = np.repeat(rng.normal(size=(1, CELLS, CELLS, 4)), FRAMES, axis=0)
        still[:, *MOVED[label], label] += 4 * course
        found[clip] = (still + rng.normal(0, 0.1, still.shape)).astype("float32")
    return found


@pytest.fixture(scope="module")
def drawn(make_bench, experiment):
    """A bench of maps, four key frames a clip, 36 clips of 6 subjects."""
    settings = replace(
        experiment,
        clip=Clip(frames=4, keyframes="tim", test="windows", mirror=False, balance=False),
        model=MODEL,
        train=Train(epochs=20, batch_size=12, learning_rate=2e-2, jit_compile=False),
        evaluation=replace(experiment.evaluation, folds=2),
    )
    _, clips = make_bench(settings)
    features = FeatureStore(maps_of(clips.table), {})
    store = KeyFrameStore(features, {name: PLACES for name in features.plain})
    resolved = {"encoder": "drawn", "weights": {"source": "none"}, "features_at": "conv1"}
    return Bench(settings, clips, Encoded(store, encoder(), None, resolved, ()))


@pytest.fixture(scope="module")
def finished(drawn, tmp_path_factory, quick):
    """The bench, its run with pictures, and a table of them."""
    run = tmp_path_factory.mktemp("run")
    cross_validate(drawn, run)
    pool(run, "predictions")
    faces = np.random.default_rng(1).integers(0, 256, (FRAMES, SIZE, SIZE, 3)).astype("uint8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bench_module, "clip_frames", lambda clips, ids: ((c, faces) for c in ids))
        patch.setattr(pictures_module, "SHOWN", SHOWN)
        write_attention(drawn, run)
    return drawn, run, pd.read_csv(run / "pictures" / "attention" / "attention.csv")


@pytest.fixture(scope="module")
def attended(finished):
    """Attention of every clip."""
    bench, run, _ = finished
    return clip_attention(bench, run)


@pytest.mark.slow
def test_every_clip_has_a_line_and_its_frame_is_a_key_frame(finished):
    _, run, table = finished
    predictions = pd.read_csv(run / "predictions.csv")
    assert sorted(table["clip_id"]) == sorted(predictions["clip_id"])
    assert set(table["frame"]) <= set(PLACES)
    assert [c for c in table if c.startswith("lift_")] == [f"lift_{name}" for name in REGIONS]
    assert np.isfinite(table.filter(like="lift_").to_numpy()).all()
    assert table.filter(like="lift_").to_numpy().std() > 0.01


@pytest.mark.slow
def test_pictures_are_listed_and_there(finished):
    _, run, _ = finished
    listed = pd.read_csv(run / "pictures" / "pictures.csv")
    assert set(listed["section"]) == {"attention"}
    assert len(listed) == 1 + 3 * SHOWN
    assert "brows" in listed["caption"].iloc[0]
    for file in listed["file"]:
        assert (run / "pictures" / file).stat().st_size > 5000


@pytest.mark.slow
def test_numbers_of_a_clip_are_weights(finished):
    _, run, _ = finished
    with np.load(next(run.glob("pictures/attention/*/attention.npz")), allow_pickle=False) as found:
        assert found["places"].tolist() == PLACES.tolist()
        assert found["alpha"].shape == (4, CELLS, CELLS)
        np.testing.assert_allclose(found["alpha"].sum(axis=(1, 2)), 1, atol=1e-5)
        assert found["beta"].sum() == pytest.approx(1, abs=1e-5)
        assert str(found["y_true"]) in ("negative", "positive", "surprise")


@pytest.mark.slow
def test_attention_is_that_of_the_model_that_never_saw_the_clip(finished, attended):
    bench, run, _ = finished
    assert len(attended) == 36
    for fold in bench.folds():
        model = keras.saving.load_model(run / f"fold-{fold.number}" / "model.keras", compile=False)
        name = bench.ids(fold.test)[0]
        values = attention_maps(model)(bench.store.inputs([Window(name, 0)], 4))
        alpha = keras.ops.convert_to_numpy(values["alpha"])[0].reshape(4, CELLS, CELLS)
        np.testing.assert_allclose(attended[name].alpha, alpha, atol=1e-5)


@pytest.mark.slow
def test_the_cell_of_the_class_draws_more_than_an_even_weight(finished, attended):
    bench, run, _ = finished
    truth = pd.read_csv(run / "predictions.csv").set_index("clip_id")["y_true"]
    for label, cell in MOVED.items():
        clips = [a.alpha for name, a in attended.items() if truth[name] == bench.classes[label]]
        assert np.mean([alpha[1:3, *cell].mean() for alpha in clips]) > 1.2 / CELLS**2


def test_a_model_without_attention_has_none_to_show(drawn):
    plain = replace(MODEL, attention=Attention(use="plain")).build((CELLS, CELLS, 4), 3)
    found = model_attention(drawn, plain, drawn.ids([0, 1]))
    assert [a.arrays() for a in found.values()] == [{}, {}]


def test_an_unfinished_run_is_refused(drawn, tmp_path):
    with pytest.raises(MerError, match="no such checkpoint"):
        clip_attention(drawn, tmp_path)
