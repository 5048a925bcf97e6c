"""Heat before and after training: the same method on all sides, no difference without training, one where it moves."""

import random
from dataclasses import replace

import keras
import numpy as np
import pandas as pd
import pytest

import mer_tf.protocols.pictures.before_after as module
import mer_tf.protocols.workbench as bench_module
from mer_tf.config import MerError
from mer_tf.explain.frame_cam import FrameCam
from mer_tf.explain.heat_change import AFTER, BEFORE, HEAD, SIDES, TAIL, change_summary, verdict
from mer_tf.explain.regions import NAMED, aligned_landmarks, named_masks
from mer_tf.inputs.batches import FeatureStore
from mer_tf.inputs.prepare import Encoded
from mer_tf.models.cnn_lstm_fusion import CnnLstmFusion
from mer_tf.models.encoders.parts import encoder_parts
from mer_tf.protocols.pictures.before_after import clip_heats, weights_of, write_change
from mer_tf.protocols.pictures.checkpoints import EncodedFrames, Explained, MapLayer, Opened
from mer_tf.protocols.pictures.view import View
from mer_tf.protocols.workbench import Bench
from mer_tf.training.trainer import training_seed

pytestmark = pytest.mark.usefixtures("eagerly")

SIDE, LENGTH = 48, 8
FACES = np.random.default_rng(0).integers(0, 256, (LENGTH, SIDE, SIDE, 3)).astype("uint8")


def encoder():
    images = keras.Input((SIDE, SIDE, 3))
    x = keras.layers.Conv2D(4, 3, 4, activation="relu", name="conv1")(keras.layers.Rescaling(1 / 255)(images))
    x = keras.layers.Conv2D(6, 3, padding="same", activation="relu", name="conv2")(x)
    return keras.Model(images, keras.layers.GlobalAveragePooling2D(name="avg_pool")(x), name="small_encoder")


@pytest.fixture
def bench(make_bench, experiment, monkeypatch):
    """A bench of 36 clips, all of one face, whose encoder is retrained from conv2."""
    monkeypatch.setattr(bench_module, "clip_frames", lambda clips, ids: ((c, FACES) for c in ids))
    settings = replace(experiment, model=replace(experiment.model, retrain_from="conv2", center="none"))
    _, clips = make_bench(settings)
    random.seed(0)
    whole = encoder()
    trunk, tail = encoder_parts(whole, "conv2", None)
    features = trunk.predict(FACES.astype("float32"), verbose=0)
    store = FeatureStore(dict.fromkeys(clips.table["clip_id"], features), {})
    return Bench(settings, clips, Encoded(store, whole, tail, {"encoder": "small"}, ()))


def finished(bench, run, seed_of=training_seed):
    """A run of two folds whose checkpoints are what training begins with, and predictions of four clips."""
    ids, labels = bench.ids([0, 1, 6, 7]), ["negative", "positive"] * 2
    for fold in (0, 1):
        (run / f"fold-{fold}").mkdir(parents=True)
        bench.untrained(seed_of(0, fold)).save(run / f"fold-{fold}" / "model.keras")
    columns = {"clip_id": ids, "subject": [name[:-2] for name in ids], "fold": [0, 0, 1, 1], "seed": 0}
    shares = {f"p_{name}": 0.3 for name in bench.classes}
    table = pd.DataFrame(columns | {"y_true": labels, "y_pred": "surprise"} | shares)
    table.to_csv(run / "predictions.csv", index=False)
    return ids


@pytest.mark.slow
def test_without_training_there_is_no_difference(bench, tmp_path, monkeypatch):
    """Each side is drawn by the same method, frame and class; before training is the state training began with."""
    calls, heats = [], EncodedFrames.heats

    def spied(self, network, name, wanted, how):
        calls.append((id(network), name, tuple(how.items()), tuple((w.clip_id, *w.places, w.target) for w in wanted)))
        return heats(self, network, name, wanted, how)

    monkeypatch.setattr(EncodedFrames, "heats", spied)
    ids = finished(bench, tmp_path / "run")
    said = write_change(bench, tmp_path / "run", tmp_path)
    table = pd.read_csv(tmp_path / "heat_change.csv")
    assert table["clip_id"].tolist() == np.repeat(ids, len(SIDES)).tolist()
    assert table["side"].tolist() == [*SIDES] * len(ids)
    assert (table[["method", "reference", "layer", "frame"]] == ["gradcam", "none", "conv2", LENGTH // 2]).all(
        axis=None
    )
    assert (table["target"] == table["y_true"]).all()
    per_fold = [set(calls[k : k + len(SIDES)]) for k in range(0, len(calls), len(SIDES))]
    assert [len(one) for one in per_fold] == [1] * 2
    asked = [clip for one in per_fold for _, _, _, clips in one for clip in clips]
    labels = [bench.classes.index(table.loc[table["clip_id"] == name, "y_true"].iloc[0]) for name in ids]
    assert asked == [(name, LENGTH // 2, label) for name, label in zip(ids, labels, strict=True)]
    wide = table.pivot(index="clip_id", columns="side", values="lift")
    np.testing.assert_array_equal(wide[BEFORE], wide[AFTER])
    assert (wide[TAIL] != wide[AFTER]).any()
    summary = pd.read_csv(tmp_path / "heat_summary.csv").set_index("side")
    assert summary.loc[AFTER, ["difference", "low", "high"]].tolist() == [0, 0, 0]
    assert "1 seed" in said
    assert "a claim needs 5 seeds" in said
    assert (tmp_path / "before_after.png").stat().st_size > 10_000
    assert (tmp_path / "heat_summary.txt").read_text() == said + "\n"


@pytest.mark.slow
def test_what_is_frozen_is_run_once_a_picture(bench, tmp_path, monkeypatch):
    """For the onset's map too, over folds and all sides."""
    bench.experiment = replace(bench.experiment, model=replace(bench.experiment.model, center="onset"))
    seen, maps = [], FrameCam.maps
    monkeypatch.setattr(FrameCam, "maps", lambda self, images: seen.append(len(images)) or maps(self, images))
    finished(bench, tmp_path / "run")
    write_change(bench, tmp_path / "run", tmp_path, View(target="true", layer="conv1", reference="onset"))
    assert sum(seen) == 2 * 4
    table = pd.read_csv(tmp_path / "heat_change.csv")
    assert table["lift"].notna().any()


def test_each_control_is_the_trained_network_with_one_part_drawn_anew(bench, tmp_path):
    finished(bench, tmp_path, lambda seed, fold: training_seed(seed, fold, 99))
    opened = EncodedFrames(bench, bench.ids([0]))
    network = opened.network(tmp_path / "fold-0" / "model.keras")
    states = weights_of(bench, network, 0, 0)
    assert tuple(states) == SIDES
    ends = {id(w) for w in network.tail.weights}
    for weight, *values in zip(network.trained.weights, *states.values(), strict=True):
        before, after, head, tail = (np.asarray(value) for value in values)
        in_tail, drawn = id(weight) in ends, "kernel" in weight.name
        assert (before == after).all() == (in_tail or not drawn)
        assert (head == after).all() == (in_tail or not drawn)
        assert (tail == after).all() == (not in_tail or not drawn)


class Shown(Explained):
    """Pictures whose red is bright on the features and whose green is bright elsewhere."""

    single = True

    def sample(self, clip_id):
        rng = np.random.default_rng(int(clip_id))
        picture = rng.uniform(0, 40, (1, SIDE, SIDE, 3))
        features = np.any(list(named_masks(aligned_landmarks(SIDE), SIDE).values()), axis=0)
        picture[0, features, 0] += 200
        picture[0, ~features, 1] += 200
        return picture.astype("uint8"), picture.astype("float32")

    def _joined(self, stored, block, path):
        raise NotImplementedError


def reader():
    """A network whose one class is read from the channels red and green."""
    images = keras.Input((SIDE, SIDE, 3))
    x = keras.layers.Conv2D(2, 1, use_bias=False, name="conv")(images)
    logits = keras.layers.Dense(3, use_bias=False)(keras.layers.GlobalAveragePooling2D()(x))
    model = keras.Model(images, logits)
    return Opened(model, model, {"conv": MapLayer("conv", model, "conv")}, "conv")


@pytest.mark.slow
def test_a_network_whose_heat_moves_to_the_features_is_told(bench):
    copied, network = np.array([[[[1, 0], [0, 1], [0, 0]]]], "float32"), reader()
    reads = {
        side: [copied, np.array([share] * 3, "float32").T] for side, share in {"green": (0, 1), "red": (1, 0)}.items()
    }
    states = {BEFORE: reads["green"], AFTER: reads["red"], HEAD: reads["green"]}
    rows = []
    for seed in range(5):
        for clip in range(6):
            row = {"clip_id": str(10 * seed + clip), "y_true": "positive", "y_pred": "negative"}
            ((face, heats),) = clip_heats(Shown(bench), network, states, [row], [0], View(target="true"))
            about = {"seed": seed, "clip_id": f"c{clip}", "subject": f"s{clip // 2}"}
            rows += [about | lifts for lifts in module.heat_lifts(bench, row["clip_id"], face, heats)]
    summary = change_summary(pd.DataFrame(rows)).set_index("side")
    assert summary.loc[BEFORE, "lift"] < 0.5 < 2 < summary.loc[AFTER, "lift"]
    assert all(summary.loc[AFTER, f"lift_{name}"] > 2 for name in NAMED)
    assert summary.loc[HEAD, "difference"] == 0
    assert verdict(summary.loc[AFTER]) == "holds"
    assert verdict(summary.loc[HEAD]) == "not shown"


def test_a_model_without_a_pretrained_encoder_has_no_before(bench, tmp_path):
    bench.encoded = replace(bench.encoded, encoder=None)
    bench.experiment = replace(bench.experiment, model=CnnLstmFusion())
    with pytest.raises(MerError, match="has no pretrained encoder"):
        write_change(bench, tmp_path, tmp_path)


def test_the_frame_is_the_apex_or_the_middle_of_what_models_are_given(bench, monkeypatch):
    known, unknown = bench.ids([0, 1])
    assert bench.apexes([known, unknown]) == {known: LENGTH // 2, unknown: LENGTH // 2}
    apexes = {known: 13, unknown: None}
    clips = tuple(replace(c, row=replace(c.row, apex=apexes.get(c.row.clip_id))) for c in bench.prepared.labelled)
    bench.prepared, bench.encoded = replace(bench.prepared, labelled=clips), replace(bench.encoded, step=2)
    numbers = np.arange(10, 10 + 3 * LENGTH, 3)
    monkeypatch.setattr(bench_module, "frame_numbers", lambda _, wanted: dict.fromkeys(wanted, numbers))
    assert bench.apexes([known, unknown]) == {known: 0, unknown: 2}
    bench.encoded = replace(bench.encoded, step=1)
    assert bench.apexes([known, unknown]) == {known: 1, unknown: 4}
