"""A trained run on new clips, and as one file. A run is trained for it, so all but little of this is slow."""

import hashlib
import json
import zipfile

import keras
import numpy as np
import pandas as pd
import pytest
from helpers.own_folders import write_clip
from helpers.running import mer_tf as command

import mer_tf
from mer_tf.config import MerError
from mer_tf.serving.chain import random_inputs, save_as, whole_chain
from mer_tf.serving.opened import opened
from mer_tf.serving.trained import load_run

pytestmark = pytest.mark.slow
SHARES = ["p_negative", "p_positive", "p_surprise"]


@pytest.fixture(scope="module")
def bundle(own_run, tmp_path_factory):
    path = tmp_path_factory.mktemp("bundle") / "model.mertf"
    command("export", own_run, "--out", path, "--final", "False")
    return path


@pytest.fixture(scope="module")
def by_run(own_run, own_tree, tmp_path_factory):
    """What the folds' models say of a trained-on clip, and of a new one; the folder of the output."""
    out, new = tmp_path_factory.mktemp("out"), write_clip(tmp_path_factory.mktemp("new") / "clip7", seed=99)
    text = command("predict", own_tree / "s01" / "positive", new, "--run", own_run, "--final", "False", "--out", out)
    return text, pd.read_csv(out / "predictions.csv", keep_default_na=False).set_index("clip_id"), out, new


def test_predictions_are_those_of_the_folds_on_the_run_s_own_clips(own_run, own_tree):
    """The mean over the folds holds each clip's own cross-validated probability as one of its parts."""
    tested = pd.read_csv(own_run / "predictions.csv").set_index("clip_id")
    trained = load_run(own_run, final=False)
    one = [m for m in trained.members if m.name == f"fold-{tested.loc['folders/s01/positive/positive_1', 'fold']}"]
    alone = type(trained)(**{**vars(trained), "members": tuple(one)})
    found = mer_tf.predict(alone, own_tree / "s01" / "positive")
    expected = tested.loc["folders/s01/positive/positive_1", SHARES].to_numpy(float)
    np.testing.assert_allclose(found[SHARES].to_numpy()[0], expected, atol=2e-6)


def test_an_answer_comes_with_its_record_its_picture_and_what_was_trained_on(by_run, own_run):
    text, table, out, _ = by_run
    assert len(table) == 2
    np.testing.assert_allclose(table[SHARES].sum(axis=1), 1, atol=1e-5)
    assert table.loc["new/positive/positive_1", "seen"].startswith("TRAINED ON: the same frames")
    assert table.loc["new/clip7", "seen"] == ""
    assert all("the run never said" in said or "it was right" in said for said in table["record"])
    believed = load_run(own_run, final=False).calibration(table[SHARES].to_numpy())
    np.testing.assert_allclose(table[[f"calibrated_{name[2:]}" for name in SHARES]], believed, atol=1e-5)
    sure = ", ".join(f"{name[2:]} {p:.2f}" for name, p in zip(SHARES, believed[0], strict=True))
    assert f"{table.index[0]}: {table['answer'].iloc[0]} ({sure})" in text
    assert "mean of the 2 models of the cross-validation's folds; probabilities calibrated by the run's own" in text
    assert len(list((out / "pictures").glob("*.png"))) == 2
    assert json.loads((out / "model_card.json").read_text())["data"]["clips"] == 6


def test_a_subject_that_was_trained_on_is_flagged(own_run, by_run, tmp_path):
    table = mer_tf.predict(own_run, by_run[3], tmp_path, subject="folders/s02")
    assert table["seen"].tolist() == ["TRAINED ON: folders/s02 is a subject of the training clips"]
    assert table["models"].tolist() == [1]  # the final model, since the run has one


def test_the_final_model_claims_the_figures_of_the_folds_alone(own_run):
    trained = load_run(own_run)
    assert [m.name for m in trained.members] == ["final"]
    assert "no figure was measured" in trained.said
    assert "cross-validated figures are its only claim" in trained.card["final"]
    assert "only claim" in (own_run / "model_card.md").read_text()


def test_a_bundle_says_the_same_as_its_run(bundle, by_run, own_tree):
    found = mer_tf.predict(bundle, [own_tree / "s01" / "positive", by_run[3]]).set_index("clip_id")
    np.testing.assert_allclose(found[SHARES], by_run[1][SHARES], atol=1e-5)
    assert found["seen"].iloc[1].startswith("TRAINED ON: the same frames") or found["seen"].iloc[0].startswith(
        "TRAINED"
    )
    with zipfile.ZipFile(bundle) as file:
        assert not any(b"s01" in file.read(name) for name in file.namelist() if not name.endswith(".keras"))


def test_a_bundle_believes_its_answers_as_its_run_does(bundle, own_run):
    calibration = load_run(own_run, final=False).calibration
    assert calibration is not None
    with opened(bundle) as trained:
        assert trained.calibration == calibration


def test_a_bundle_that_was_changed_is_refused(bundle, tmp_path):
    changed = tmp_path / "changed.mertf"
    with zipfile.ZipFile(bundle) as old, zipfile.ZipFile(changed, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name) + (b" " if name == "config.json" else b""))
    with pytest.raises(MerError, match="config.json is not as it was exported"):
        mer_tf.load(changed)
    with pytest.raises(MerError, match="cannot be read as a bundle"):
        mer_tf.load(__file__)


def test_the_graph_inside_gives_the_same_from_stored_frames(bundle, by_run, own_tree, tmp_path):
    """chain.keras against predict, on a clip whose records are made by hand: whole frames, brought to the size."""
    from mer_tf.records.stored import stored_clips

    trained = mer_tf.load(bundle)
    rows = [r for r in mer_tf.load_dataset("folders", own_tree) if r.clip_id == "folders/s01/positive/positive_1"]
    settings = {"face": "none", "size": 16, "flow": "none"}
    (clip,) = stored_clips(mer_tf.preprocess(rows, tmp_path, **settings))
    frames = clip.frames.astype("float32")[None]
    chain = keras.saving.load_model(trained.home / "chain.keras", safe_mode=True)
    shares = chain.predict_on_batch({"frames": frames, "onset": frames[:, :1], "mask": np.ones(frames.shape[:2], bool)})
    expected = by_run[1].loc["new/positive/positive_1", SHARES].to_numpy(float)
    np.testing.assert_allclose(shares[0], expected, atol=1e-5)


def test_a_bundle_is_exported_as_its_run_is(bundle, own_run, tmp_path):
    command("export", own_run, "--out", tmp_path / "run.keras", "--final", "False", "--format", "keras")
    command("export", bundle, "--out", tmp_path / "bundle.keras", "--format", "keras")
    of_run, of_bundle = (keras.saving.load_model(tmp_path / f"{name}.keras") for name in ("run", "bundle"))
    inputs = random_inputs(of_run)
    np.testing.assert_allclose(of_bundle.predict_on_batch(inputs), of_run.predict_on_batch(inputs), atol=1e-5)
    with pytest.raises(SystemExit, match="model.mertf: is a file already; copy it, or give a run directory"):
        command("export", bundle, "--out", tmp_path / "again.mertf")


def test_a_saved_model_gives_equal_outputs(own_run, tmp_path):
    import tensorflow as tf

    chain = whole_chain(load_run(own_run, final=True))
    save_as(chain, tmp_path / "saved", "saved_model")
    inputs = random_inputs(chain)
    loaded = tf.saved_model.load(str(tmp_path / "saved"))  # kept: it owns the variables
    served = loaded.serve(inputs)
    np.testing.assert_allclose(served, chain.predict_on_batch(inputs), atol=1e-5)


def test_onnx_gives_equal_outputs(own_run, tmp_path):
    for name in ("onnx", "tf2onnx"):
        pytest.importorskip(name)
    runtime = pytest.importorskip("onnxruntime")
    chain = whole_chain(load_run(own_run, final=True))
    save_as(chain, tmp_path / "model.onnx", "onnx")
    inputs = random_inputs(chain)
    (served,) = runtime.InferenceSession(str(tmp_path / "model.onnx")).run(None, inputs)
    np.testing.assert_allclose(served, chain.predict_on_batch(inputs), atol=1e-4)


def test_a_folder_that_is_no_run_is_told(tmp_path):
    with pytest.raises(MerError, match="is no run directory"):
        load_run(tmp_path)


def test_the_content_of_clips_is_known_by_digests(own_run):
    table = pd.read_csv(own_run / "content.csv")
    assert table["content_sha256"].nunique() == 6
    assert hashlib.sha256(b"folders/s01").hexdigest() in set(load_run(own_run).seen["subject_sha256"])


def test_what_predictions_will_cost_is_said_and_nothing_is_written(own_run, tmp_path):
    for n in range(20):
        write_clip(tmp_path / "clips" / f"clip{n:02d}", frames=4 + n % 3, seed=200 + n)
    text = command("predict", tmp_path / "clips", "--run", own_run, "--out", tmp_path / "out", "--dry-run")
    lines = dict(line.split("  ", 1) for line in text.splitlines())
    assert lines["clips to answer"].strip() == f"20, of {sum(4 + n % 3 for n in range(20))} frames"
    assert "clips of 4, 5, 6 frames" in lines["one processor"]
    assert not (tmp_path / "out").exists()
