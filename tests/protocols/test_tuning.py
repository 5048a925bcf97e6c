"""Tuned descriptors: chosen on training subjects alone, the planted best, and without a choice the same bytes."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from helpers.drawn_experiment import relabelled
from helpers.own_folders import small_experiment, write_encoder, write_tree

import mer_tf.inputs.descriptor_grid as module
from mer_tf.arrays import save_array
from mer_tf.changes import changed
from mer_tf.descriptors import METHODS
from mer_tf.descriptors.classifiers import classifier
from mer_tf.descriptors.grids import COLUMNS, candidates
from mer_tf.evaluation.folds import inner_folds
from mer_tf.files import read_json
from mer_tf.inputs.descriptor_grid import GridStore
from mer_tf.inputs.descriptors import described_store
from mer_tf.inputs.prepare import Encoded
from mer_tf.protocols.benches import bench_of
from mer_tf.protocols.classical import inner_scores
from mer_tf.protocols.cross_validation import cross_validate
from mer_tf.protocols.tuning import inner_predictions
from mer_tf.runner import run
from mer_tf.serving.answers import predict_paths
from mer_tf.serving.trained import load_run

TOLD = (2, 2, 2)
"""The radii by which vectors tell the class in `tuned`."""


def grid(folder, *rows):
    path = folder / "grid.csv"
    path.write_text("\n".join([",".join(COLUMNS), *(f"lbp_top,{row},default,a test" for row in rows)]) + "\n")
    return str(path)


@pytest.fixture
def tuned(make_bench, experiment, tmp_path_factory):
    """tuned(rows, labels, shift) -> bench whose vectors tell the class at radii `TOLD` alone.

    labels: other labels than those that vectors tell; shift: row of the table -> what is added to its vectors.
    """

    def make(rows, labels=None, shift=None):
        home = tmp_path_factory.mktemp("vectors")
        clip = dataclasses.replace(experiment.clip, test="whole")
        model = METHODS["lbp_top"](tune=True, grid=grid(home, *rows))
        chosen = dataclasses.replace(experiment, model=model, clip=clip)
        _, clips = make_bench()
        rng, table = np.random.default_rng(0), clips.table
        noise, told = rng.random((len(table), 5)), 2 * np.eye(3, 5)[table["label"]]
        added = np.zeros((len(table), 1)) if shift is None else shift[:, None]
        matrices = {}
        for one in candidates(chosen):
            values = noise + told * (one.method.radii == TOLD) + added
            matrices[one.point] = save_array(home / f"{one.point}.npy", values.astype(np.float32))
        arrays = ((c, rng.integers(0, 256, (8, 16, 16, 3), dtype=np.uint8), None, None) for c in table["clip_id"])
        plain = described_store(arrays, None, 1, "onset")
        order = {name: row for row, name in enumerate(table["clip_id"])}
        store = GridStore(plain.described, plain.greys, matrices, order)
        if labels is not None:
            clips = relabelled(clips, labels)
        return bench_of(chosen, clips, Encoded(store, None, None, {"encoder": "none"}, ()))

    return make


RADII = ("model.radii,1 1 1", "model.radii,2 2 2", "model.radii,3 3 3")
SIX = (*RADII, "model.C,0.1", "model.C,1")


def test_the_planted_setting_is_chosen_in_every_fold_and_written_where_it_is_found(tuned, tmp_path):
    cross_validate(tuned(SIX), tmp_path / "run")
    for fold in range(3):
        folder = tmp_path / "run" / f"fold-{fold}"
        (choice,) = pd.read_csv(folder / "choice.csv").to_dict("records")
        assert choice["model.radii"] == "2 2 2"
        assert choice["UAR"] > 0.8
        table = pd.read_csv(folder / "candidates.csv")
        assert len(table) == 6
        assert choice["UAR"] == table["UAR"].max()
        assert read_json(folder / "choice.json")["chosen"]["model"]["C"] == choice["model.C"]
        shown = pd.read_csv(folder / "predictions.csv")
        assert (shown["y_true"] == shown["y_pred"]).mean() > 0.8


def test_test_clips_have_no_part_in_the_choice(tuned):
    bench = tuned(SIX)
    fold, seal = bench.folds()[1], bench.seal()
    model, kept = bench.fit(fold.train, seal.training(fold), 0)
    shares, tested, labels, shift = bench.predict(model, fold.test), list(fold.test), np.empty(36, int), np.zeros(36)
    labels[list(fold.train)], labels[tested] = seal.training(fold), (seal.answers(fold, shares) + 1) % 3
    shift[tested] = 100 * np.random.default_rng(1).normal(size=len(tested))
    for changes in ({"labels": labels}, {"shift": shift}):
        other = tuned(SIX, **changes)
        again, said = other.fit(fold.train, other.seal().training(fold), 0)
        pd.testing.assert_frame_equal(said["tables"]["candidates.csv"], kept["tables"]["candidates.csv"])
        assert (again.point, said["chosen"]) == (model.point, kept["chosen"])
        assert (shares == other.predict(again, fold.test)).all() == ("labels" in changes)


def test_inner_folds_are_of_other_subjects_than_those_they_are_fitted_on(tuned, monkeypatch):
    bench, seen = tuned(RADII), []
    fold, seal = bench.folds()[0], bench.seal()
    people = bench.clips["subject"].iloc[list(fold.train)].tolist()

    def watched(pipelines, features, labels, folds):
        seen.extend(({people[k] for k in f.train}, {people[k] for k in f.test}) for f in folds)
        return inner_predictions(pipelines, features, labels, folds)

    monkeypatch.setattr("mer_tf.protocols.tuning.inner_predictions", watched)
    bench.fit(fold.train, seal.training(fold), 0)
    tested = set(bench.clips["subject"].iloc[list(fold.test)])
    assert len(seen) == 9  # three settings, three folds
    assert all(not train & held and not tested & (train | held) for train, held in seen)


@pytest.mark.parametrize(
    "name", ["lbp_top", pytest.param("stclqp", marks=pytest.mark.slow), "stlbp_ip", "flow_logistic", "mdmo"]
)
def test_shared_kernels_say_what_each_pipeline_says_alone(name):
    rng = np.random.default_rng(3)
    labels, subjects = np.arange(36) % 3, [f"s{k // 6}" for k in range(36)]
    features = rng.random((36, 9 * 256 if name == "stclqp" else 40)).astype(np.float32)
    features[:, :3] += 0.7 * np.eye(3)[labels]
    kernels = ("chi2",) if name == "stlbp_ip" else (None,) if name == "flow_logistic" else ("linear", "rbf", "poly")
    kinds = [METHODS[name](kernel=kernel) for kernel in kernels]
    pipelines = [classifier(kind, c, 1) for kind in kinds for c in (0.1, 10.0)]
    said = inner_predictions(pipelines, features, labels, inner_folds(subjects, labels.tolist(), 3))
    for pipeline, one in zip(pipelines, said, strict=True):
        alone = inner_scores(pipeline, features, labels, subjects, 3)
        assert (one == labels).mean() == pytest.approx(alone["accuracy"])


@pytest.fixture
def own(tmp_path, monkeypatch):
    """own(rows, **changes) -> experiment of LBP-TOP on a small tree; runs of it draw nothing."""
    monkeypatch.setattr("mer_tf.protocols.pictures.run.write_pictures", lambda *_: None)
    monkeypatch.setattr("mer_tf.protocols.pictures.worst.write_worst", lambda *_: None)
    monkeypatch.setattr("mer_tf.reporting.plots.confusion_png", lambda *_: None)
    tree = write_tree(tmp_path / "tree", subjects=("s01", "s02", "s03", "s04"), frames=9)
    base = small_experiment(tree, write_encoder(tmp_path / "e.keras"), tmp_path)
    base = changed(base, {"model.name": "lbp_top", "preprocess.size": 32, "preprocess.flow": "none"})
    base = changed(base, {"model.blocks": (2, 2, 1), "model.radii": (1, 1, 1), "model.frames": 0})

    def make(*rows, **changes):
        tuned = {"model.tune": True, "model.grid": grid(tmp_path, *rows)} if rows else {}
        return changed(base, tuned | {name.replace("__", "."): value for name, value in changes.items()})

    make.tree, make.out = tree, tmp_path
    return make


@pytest.mark.slow
def test_a_grid_of_one_point_predicts_the_bytes_of_that_setting(own):
    plain, alone = (run(own(*rows)) for rows in ((), ("model.radii,1 1 1", "model.C,1")))
    assert (plain / "predictions.csv").read_bytes() == (alone / "predictions.csv").read_bytes()
    assert (plain / "baseline_onset.csv").read_bytes() == (alone / "baseline_onset.csv").read_bytes()


@pytest.mark.slow
def test_vectors_are_computed_once_and_a_stopped_run_goes_on(own, monkeypatch):
    rows = ("model.radii,1 1 1", "model.radii,1 1 2", "model.blocks,2 2 1", "model.blocks,3 3 1")
    directory = run(own(*rows))
    text = (directory / "results.txt").read_text()
    assert "chosen on inner folds of the training subjects (folds):\n  model.radii: 1 1 " in text
    made = sorted((own.out / "cache" / "descriptors").glob("lbp_top-*/*.npy"))
    assert len(made) == 4
    made[2].write_bytes(b"cut")
    described = []
    kept = module._vectors
    monkeypatch.setattr(module, "_vectors", lambda one, *rest: described.append(one) or kept(one, *rest))
    again = run(own(*rows, "model.radii,2 2 2"))
    assert len(described) == 1 + 2
    assert len(pd.read_csv(again / "fold-0" / "candidates.csv")) == 6
    trained = load_run(directory)
    found = predict_paths(trained, [own.tree / "s01" / "positive"], own.out / "answers")
    np.testing.assert_allclose(found[[f"p_{label}" for label in trained.classes]].sum(axis=1), 1, atol=1e-5)


def test_settings_of_records_are_chosen_too_each_from_records_of_its_own(own):
    directory = run(own("preprocess.interpolate,0", "preprocess.interpolate,7", "model.radii,1 1 1"))
    assert len(list((own.out / "cache" / "records").iterdir())) == 2
    table = pd.read_csv(directory / "fold-0" / "candidates.csv")
    assert table["preprocess.interpolate"].tolist() == [0, 7]
    assert len({float(np.load(path).std()) for path in (own.out / "cache" / "descriptors").glob("*/*.npy")}) == 2
