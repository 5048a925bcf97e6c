"""The composite protocol on a few drawn flow images: every clip once, peeking said, methods kept and chosen."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from helpers.drawn_experiment import relabelled

from mer_tf.changes import changed
from mer_tf.config import Clip, Data, Evaluation, Experiment, MerError, Train
from mer_tf.inputs.clips import prepare_clips
from mer_tf.inputs.flow_images import FlowImageStore
from mer_tf.inputs.prepare import encode
from mer_tf.model import model_named
from mer_tf.models.au_flow import AuFlow
from mer_tf.models.ststnet import StstNet
from mer_tf.protocols.composite import PEEKED, _one_by_one, composite
from mer_tf.protocols.pretrained import as_given
from mer_tf.protocols.workbench import Bench
from mer_tf.runner import run

METHODS = {
    "majority": {"model.name": "majority"},
    "subject identity": {"model.name": "subject_identity"},
    "onset frame": {"model.name": "onset_frame"},
    "logistic regression": {"model.name": "flow_logistic"},
    "STSTNet": {"model.name": "ststnet"},
    "OFF-ApexNet": {"model.name": "off_apexnet", "model.width": 0.125, "train.epochs": 1},
    "zero-shot": {"model.name": "au_flow", "model.weights": "au-flow-3", "model.head": "given"},
}


def of_epochs(number):
    return {name: {**settings, "train.epochs": number} for name, settings in METHODS.items()}


@pytest.fixture(scope="module")
def declared(tmp_path_factory):
    """A folder, and an experiment on a few drawn flow images that are cached in it."""
    folder = tmp_path_factory.mktemp("composite")
    return folder, Experiment(
        name="composite",
        data=Data(dataset="flow-images", label_protocol="megc2019-3", subjects=4, cache=str(folder / "cache")),
        clip=Clip(frames=1, mirror=False, balance=False),
        model=StstNet(),
        train=Train(epochs=3, batch_size=32, learning_rate=1e-3, jit_compile=False),
        evaluation=Evaluation(split="loso", permutations=20, bootstrap=20),
    )


@pytest.fixture(scope="module")
def finished(declared, quick, eagerly):
    folder, experiment = declared
    clips = prepare_clips(experiment, folder)
    given = (experiment, of_epochs(2), clips, encode(experiment, clips), folder)
    return folder, given, composite(*given, apart=False)


def test_every_clip_is_predicted_once_by_every_method(finished):
    folder, (_, _, clips, *_), _ = finished
    for path in (
        "majority",
        "logistic-regression",
        "ststnet",
        "ststnet/best-epoch",
        "off-apexnet",
        "zero-shot",
    ):
        frame = pd.read_csv(folder / path / "predictions.csv")
        assert sorted(frame["clip_id"]) == sorted(clips.table["clip_id"])
        assert (frame.groupby("fold")["subject"].nunique() == 1).all()
        assert set(frame["dataset"]) <= {"casme2", "samm", "smic"}


def test_the_subject_says_no_more_than_the_majority(finished):
    subject, majority = (pd.read_csv(finished[0] / n / "predictions.csv") for n in ("subject-identity", "majority"))
    assert subject["y_pred"].tolist() == majority["y_pred"].tolist()


def test_the_onset_frame_is_a_row_where_it_is_known(finished, tmp_path):
    _, (experiment, _, clips, encoded, *_), text = finished
    assert "onset frame" not in text
    images = encoded.store.images
    labels = dict(zip(clips.table["clip_id"], clips.table["label"], strict=True))
    telling = {c: np.full((4, 4, 3), 100 * labels[c], "uint8") for c in images}
    known = replace(encoded, store=FlowImageStore(images, telling))
    composite(experiment, {"onset frame": METHODS["onset frame"]}, clips, known, tmp_path, apart=False)
    frame = pd.read_csv(tmp_path / "onset-frame" / "predictions.csv")
    assert (frame["y_true"] == frame["y_pred"]).mean() > 0.9


def test_the_table_has_every_part_and_marks_what_peeks(finished):
    folder, _, text = finished
    table = pd.read_csv(folder / "composite.csv", keep_default_na=False)
    full = table[table["data"] == "full"].set_index("method")
    assert full.loc["STSTNet" + PEEKED, "peeks"]
    assert not full.loc["STSTNet", "peeks"]
    assert full.loc["STSTNet", "UF1_published"] == ".7353"
    parts = table[(table["method"] == "STSTNet") & (table["data"] != "full")]
    assert parts["n"].sum() == full.loc["STSTNet", "n"]
    assert full.loc["majority", "UAR"] == pytest.approx(1 / 3, abs=1e-5)
    warnings = json.loads((folder / "metrics.json").read_text())["warnings"]
    assert [w["level"] for w in warnings if w["code"] == "peeking"] == ["danger", "danger"]
    assert any("no evidence about people" in w["text"] for w in warnings)
    assert "best epoch on the test subject" in text


def test_a_shipped_network_sees_no_label(finished):
    """On the look-alike, drawn from the same table, it does far better than chance (1/3)."""
    folder, (experiment, _, clips, encoded, _), _ = finished
    found = pd.read_csv(folder / "composite.csv").query("data == 'full'").set_index("method")["UAR"]
    assert found["zero-shot"] > 0.5
    turned = relabelled(clips, (clips.table["label"] + 1) % 3)
    chosen = replace(experiment, model=AuFlow(weights="au-flow-3", head="given"))
    shares = [as_given(b, b.seal()) for b in (Bench(chosen, c, encoded) for c in (clips, turned))]
    assert all((shares[0][k][0] == shares[1][k][0]).all() for k in shares[0])
    two = Bench(chosen, replace(clips, protocol=replace(clips.protocol, classes=("negative", "positive"))), encoded)
    with pytest.raises(MerError, match="use --data.label_protocol megc2019-3"):
        as_given(two, two.seal())


def test_a_best_epoch_is_never_worse_than_the_last(finished):
    folder = finished[0] / "ststnet"
    last, best = (pd.read_csv(p / "predictions.csv").set_index("clip_id") for p in (folder, folder / "best-epoch"))
    right = [(f["y_true"] == f["y_pred"]).groupby(f["fold"]).sum() for f in (last, best)]
    assert (right[1] >= right[0]).all()


def test_finished_methods_are_kept_and_settings_are_those_of_the_first_call(finished):
    folder, (experiment, _, clips, encoded, _), text = finished
    before = (folder / "ststnet" / "predictions.csv").stat().st_mtime_ns
    assert composite(replace(experiment), of_epochs(9), clips, encoded, folder) == text
    assert (folder / "ststnet" / "predictions.csv").stat().st_mtime_ns == before
    assert json.loads((folder / "methods.json").read_text())["STSTNet"]["train.epochs"] == 2


@pytest.mark.slow
def test_a_plain_run_on_flow_images_shows_its_worst(declared, quick, monkeypatch):
    folder, experiment = declared
    monkeypatch.chdir(folder)
    once = replace(experiment, name="plain", train=replace(experiment.train, epochs=1), out=str(folder / "runs"))
    directory = run(once)
    table = pd.read_csv(directory / "worst" / "worst.csv")
    assert len(table)
    assert all((directory / "worst" / name).is_file() for name in table["file"])
    with pytest.raises(MerError, match=r"lbp_top: takes frames.*ststnet"):
        run(replace(once, model=model_named("lbp_top")))


@pytest.mark.slow
def test_methods_in_processes_of_their_own_say_the_same(finished, tmp_path):
    """But what TensorFlow's threads round otherwise."""
    folder, (experiment, methods, clips, encoded, _), _ = finished
    chosen = {name: methods[name] for name in ("logistic regression", "OFF-ApexNet", "zero-shot")}
    composite(experiment, chosen, clips, encoded, tmp_path)
    for name in ("logistic-regression", "off-apexnet", "zero-shot"):
        one, other = (pd.read_csv(home / name / "predictions.csv") for home in (tmp_path, folder))
        shares = [column for column in one if column.startswith("p_")]
        np.testing.assert_allclose(one[shares], other[shares], atol=1e-4)
        assert json.loads((tmp_path / name / "time.json").read_text())["cpu_seconds"] >= 0
    two = replace(clips, protocol=replace(clips.protocol, classes=("negative", "positive")))
    with pytest.raises(MerError, match=r"^second: .*megc2019-3"):
        composite(experiment, {"second": METHODS["zero-shot"]}, two, encoded, tmp_path / "two")


@pytest.mark.slow
def test_a_stopped_row_goes_on_after_its_finished_folds(declared, quick, tmp_path):
    _, experiment = declared
    clips = prepare_clips(experiment, tmp_path)
    chosen = changed(experiment, {**METHODS["OFF-ApexNet"]})
    bench = Bench(chosen, clips, encode(chosen, clips))
    first = _one_by_one(bench, bench.seal(), "row", tmp_path)
    marked = tmp_path / "folds" / "0.npz"
    shares = np.full_like(first[0][1], 1 / 3)
    np.savez(marked, **{"1": shares})
    (tmp_path / "folds" / "1.npz").unlink()
    again = _one_by_one(bench, bench.seal(), "row", tmp_path)
    assert (again[0][1] == shares).all(), "a finished fold is taken as it is"
    np.testing.assert_array_equal(again[1][1], first[1][1])
    marked.write_bytes(b"PK")
    with pytest.raises(MerError, match=r"0.npz: cannot be read .*; delete it"):
        _one_by_one(bench, bench.seal(), "row", tmp_path)
