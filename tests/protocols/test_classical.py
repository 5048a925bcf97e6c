"""Classical systems on the bench: real folds, no label of the test fold, choices on inner subjects, no model file."""

import dataclasses
import json
import runpy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from helpers import drawn_experiment

import mer_tf.protocols.baseline_table as module
from mer_tf.changes import changed
from mer_tf.cli.script import main
from mer_tf.config import MerError, Tables
from mer_tf.descriptors import METHODS, Mdmo
from mer_tf.files import write_json
from mer_tf.inputs.descriptors import described_store
from mer_tf.inputs.prepare import Encoded
from mer_tf.model import check_model
from mer_tf.models.presets import UNTUNED
from mer_tf.protocols.baseline_table import baseline_table
from mer_tf.protocols.benches import bench_of
from mer_tf.protocols.cross_validation import cross_validate
from mer_tf.protocols.workbench import Bench
from mer_tf.study import Study

SCRIPT = Path(__file__).parents[2] / "experiments" / "exp7_baselines.py"


@pytest.fixture
def classical(make_bench, experiment):
    """classical(name, relabelled, **Classical) -> bench whose vectors tell the class by their largest entry.

    `relabelled`: other labels than those that the vectors tell.
    """

    def make(name, relabelled=None, **settings):
        clip = dataclasses.replace(experiment.clip, test="whole")
        model = METHODS[name](**settings)
        changed = dataclasses.replace(experiment, model=model, clip=clip)
        _, clips = make_bench()
        rng, table = np.random.default_rng(0), clips.table
        told = rng.random((len(table), 5)) + 2 * np.eye(3, 5)[table["label"]]
        vectors = dict(zip(table["clip_id"], told, strict=True))
        arrays = ((c, rng.integers(0, 256, (8, 16, 16, 3), dtype=np.uint8), None, None) for c in table["clip_id"])
        store = dataclasses.replace(described_store(arrays, None, 1, "onset"), described=vectors)
        resolved = {"encoder": "none", "weights": {"source": "none"}}
        if relabelled is not None:
            clips = drawn_experiment.relabelled(clips, relabelled)
        return bench_of(changed, clips, Encoded(store, None, None, resolved, ()))

    return make


def pooled(directory):
    return pd.concat([pd.read_csv(p) for p in sorted(directory.glob("fold-*/predictions.csv"))])


def test_folds_are_predicted_and_no_model_is_stored(classical, tmp_path):
    cross_validate(classical("lbp_top"), tmp_path)
    frame = pooled(tmp_path)
    assert len(frame) == 36
    assert (frame["y_true"] == frame["y_pred"]).mean() > 0.9
    assert (frame.groupby("subject")["fold"].nunique() == 1).all()
    names = {p.name for p in (tmp_path / "fold-0").iterdir()}
    assert names == {"baseline_onset.csv", "choice.json", "confusion.csv", "confusion.png", "predictions.csv"}
    assert json.loads((tmp_path / "fold-0" / "choice.json").read_text())["chosen"]["model"]["C"] == 1


@pytest.mark.parametrize(("name", "share"), [("majority", 1 / 3), ("subject_identity", 1 / 3)])
def test_methods_that_see_no_pixel_stay_at_chance(classical, tmp_path, name, share):
    cross_validate(classical(name), tmp_path)
    frame = pooled(tmp_path)
    assert (frame["y_true"] == frame["y_pred"]).mean() == pytest.approx(share)


def test_the_penalty_is_chosen_on_inner_subjects_of_the_training_fold(classical):
    bench = classical("lbp_top", C=(1e-3, 1.0), kernel="poly")
    fold, seal = bench.folds()[0], bench.seal()
    _, chosen = bench.fit(fold.train, seal.training(fold), 0)
    inner = pd.DataFrame(chosen["inner"]).set_index("C")
    assert inner.index.tolist() == [1e-3, 1]
    assert inner.loc[1e-3, "UAR"] < inner.loc[1, "UAR"]
    assert chosen["chosen"]["model"]["C"] == 1


def test_test_labels_change_nothing(classical):
    bench = classical("lbp_top")
    fold, seal = bench.folds()[1], bench.seal()
    model, _ = bench.fit(fold.train, seal.training(fold), 0)
    shares = bench.predict(model, fold.test)
    labels = np.empty(36, int)
    labels[list(fold.train)], labels[list(fold.test)] = seal.training(fold), seal.answers(fold, shares)
    labels[list(fold.test)] = (labels[list(fold.test)] + 1) % 3
    other = classical("lbp_top", relabelled=labels)
    again, _ = other.fit(fold.train, other.seal().training(fold), 0)
    np.testing.assert_array_equal(shares, other.predict(again, fold.test))


def test_windows_are_refused_and_other_models_keep_their_bench(classical, make_bench, experiment):
    bench, clips = make_bench()
    clip = dataclasses.replace(experiment.clip, test="windows")
    changed = dataclasses.replace(experiment, model=Mdmo(), clip=clip)
    with pytest.raises(MerError, match="mdmo describes whole clips"):
        check_model(changed, clips.of_images)
    assert type(bench_of(experiment, clips, bench.encoded)) is Bench


def test_flow_between_frames_is_summed_to_motion_since_the_onset_and_the_apex_is_taken():
    seen = []

    class Watcher:
        takes = "flow"

        def transform(self, clips):
            seen.append(clips[0])
            return np.zeros((1, 2), np.float32)

    frames, flow = np.zeros((7, 4, 4, 3), np.uint8), np.ones((6, 4, 4, 2), np.float16)
    described_store([("c", frames, flow, 4)], Watcher(), 2, "previous")
    assert seen[0][:, 0, 0, 0].tolist() == [2, 4, 6]
    described_store([("c", frames, flow, 4)], Watcher(), 2, "onset")
    assert seen[1][:, 0, 0, 0].tolist() == [1, 1, 1]
    Watcher.takes = "apex"
    described_store([("c", frames, flow, 4)], Watcher(), 1, "previous")
    assert seen[2][:, 0, 0, 0].tolist() == [4]
    described_store([("c", frames, flow, None)], Watcher(), 1, "previous")
    assert len(seen[3]) == 6


def test_the_table_joins_systems_and_published_figures(frame, experiment, tmp_path):
    asked = []

    def run(given):
        asked.append(given)
        folder = tmp_path / f"run-{len(asked)}"
        folder.mkdir()
        frame.to_csv(folder / "predictions.csv", index=False)
        write_json(folder / "config.json", {"experiment": dataclasses.asdict(given)})
        write_json(folder / "metrics.json", {"warnings": ["drawn"]})
        return folder

    tables = Tables(
        rows={"E/lbp_top": {"model.name": "lbp_top"}, "E/mdmo": {"model.name": "mdmo"}},
        columns={"SMIC": {"data.dataset": "smic-hs"}, "CASMEII": {"data.dataset": "casme2"}},
        cells={"E/lbp_top/CASMEII": {"model.blocks": (5, 5, 1)}},
    )
    table = baseline_table(experiment, tables, tmp_path, run)
    settings = [(e.data.dataset, e.model.name, getattr(e.model, "blocks", None)) for e in asked]
    assert settings == [
        ("smic-hs", "lbp_top", None),
        ("smic-hs", "mdmo", None),
        ("casme2", "lbp_top", (5, 5, 1)),
        ("casme2", "mdmo", None),
    ]
    first = table.set_index(["column", "system"]).loc[("SMIC", "lbp_top")]
    assert first["n"] == 36
    assert first["accuracy"] == pytest.approx(2 / 3)
    assert "48.78 (leave one subject out" in first["published"]
    text = (tmp_path / "baselines.txt").read_text()
    assert text.startswith("warning: drawn")


@pytest.mark.parametrize(
    ("arguments", "columns", "folds", "systems"),
    [
        ([], ["SMIC", "CASMEII", "SAMM"], "group", None),
        (["--root.SAMM", "/data"], ["SAMM"], "loso", ["fdm"]),
        (["--root.SMIC=/data", "--preset=embedded"], ["SMIC"], "group", ["fdm", "ststnet"]),
        (["--columns", "CASMEII,SAMM"], ["CASMEII", "SAMM"], "group", ["fdm"]),
    ],
)
def test_roots_and_systems_choose_what_exp7_runs(monkeypatch, tmp_path, capsys, arguments, columns, folds, systems):
    names, seen = runpy.run_path(str(SCRIPT)), {}

    def stand_in(experiment, tables, directory, run):
        seen.update(experiment=experiment, tables=tables)
        directory.mkdir()
        (directory / "baselines.txt").write_text("the table")

    monkeypatch.setattr(module, "baseline_table", stand_in)
    monkeypatch.setattr("mer_tf.study.check_all", list)  # nothing is there to be run
    given = ["--out", str(tmp_path), *arguments, *(["--systems", ",".join(systems)] if systems else [])]
    baselines = {"paper": names["BASELINES"], "embedded": names["DRAWN"]}
    main(Study(names["EXPERIMENT"], names["EMBEDDED"], baselines=baselines), given)
    assert list(seen["tables"].columns) == columns
    assert seen["experiment"].evaluation.split == folds
    assert ("data.root" in seen["tables"].columns[columns[0]]) == ("--root" in str(arguments))
    assert not systems or list(seen["tables"].rows) == [f"E/{name}" for name in systems]
    assert "the table" in capsys.readouterr().out


@pytest.mark.parametrize("preset", ["paper", "embedded"])
@pytest.mark.parametrize("given", [{}, {"model.tune": True}, {"model.tune": False}])
def test_the_table_after_the_papers_tunes_what_these_tune_and_an_option_decides_otherwise(preset, given):
    names = runpy.run_path(str(SCRIPT))
    base = changed(names["EXPERIMENT" if preset == "paper" else "EMBEDDED"], given)
    rows = names["BASELINES" if preset == "paper" else "DRAWN"].rows
    tuned = {row.removeprefix("E/") for row, s in rows.items() if getattr(changed(base, s).model, "tune", False)}
    everything = {*METHODS, "emm_lbp_top", "emm_higo"}
    wanted = everything - set(UNTUNED) if preset == "paper" else everything
    assert tuned == (wanted if given.get("model.tune", preset == "paper") else set())


def test_every_row_of_exp7_is_a_setting_that_exists_and_the_trivial_ones_stand_in_both():
    names = runpy.run_path(str(SCRIPT))
    for tables, base in ((names["BASELINES"], names["EXPERIMENT"]), (names["DRAWN"], names["EMBEDDED"])):
        assert {f"E/{name}" for name in METHODS} <= set(tables.rows)
        for given in (*tables.rows.values(), *tables.columns.values(), *tables.cells.values()):
            changed(base, given)
