"""A paper's tables in one command: printed beside ours, equal settings run once, every claimed order tested."""

import dataclasses
import runpy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import mer_tf.protocols.paper_tables as module
from mer_tf.changes import flat
from mer_tf.cli.script import main
from mer_tf.code_version import CODE
from mer_tf.config import MerError, Tables
from mer_tf.descriptors import TRIVIAL
from mer_tf.descriptors.lbp_top import LbpTop
from mer_tf.explain.heat_change import AFTER, BEFORE, FILE, LIFTS, SEEDS
from mer_tf.files import facts, write_csv, write_json
from mer_tf.models.cnn_lstm_fusion import CnnLstmFusion, Fusion
from mer_tf.preprocessing.recipes import changes, load_recipe
from mer_tf.protocols.paper_tables import paper_tables
from mer_tf.protocols.sweep import sweep
from mer_tf.runner import declared
from mer_tf.study import Study

SCRIPT = Path(__file__).parents[2] / "experiments" / "exp4_cnn_lstm_fusion.py"
TABLES = Tables(
    rows={
        "A/T2/FC7": {},
        "A/T2/FC6": {"model.fusion.after": "fc6"},
        "A/T3/fused": {},
        "A/T3/spatial": {"model.fusion.streams": "spatial"},
        "A/T4/new": {},
    },
    columns={"SMIC": {"data.dataset": "smic-hs"}, "CASMEII": {"data.dataset": "casme2"}},
    orderings=(("A/T2/FC7", "A/T2/FC6"), ("A/T3/fused", "A/T3/spatial")),
)


def stand_in_for(frame):
    """A stand-in for a run: right everywhere, but at chance for the spatial stream; and what it was asked."""
    asked = []

    def run(experiment):
        asked.append(experiment)
        folder = Path(experiment.out) / experiment.name / f"run-{len(asked)}"
        folder.mkdir(parents=True)
        poor = isinstance(experiment.model, CnnLstmFusion) and experiment.model.fusion.streams == "spatial"
        guess = np.roll(frame["y_true"].to_numpy(), 1) if poor else frame["y_true"]
        frame.assign(y_pred=guess).to_csv(folder / "predictions.csv", index=False)
        write_json(folder / "config.json", {"experiment": dataclasses.asdict(experiment)})
        write_json(folder / "env.json", {"code": CODE})
        write_json(folder / "metrics.json", {"warnings": ["drawn faces"]})
        return folder

    return run, asked


@pytest.fixture
def ran(frame):
    return stand_in_for(frame)


@pytest.fixture(scope="module")
def fusion(experiment):
    return dataclasses.replace(experiment, model=CnnLstmFusion(fusion=Fusion()))


@pytest.fixture(scope="module")
def finished(frame, fusion, tmp_path_factory):
    """The folder of TABLES, its two tables, the stand-in that ran them and what it was asked."""
    folder, (run, asked) = tmp_path_factory.mktemp("tables"), stand_in_for(frame)
    return folder, *paper_tables(fusion, TABLES, folder, run), run, asked


def test_printed_figures_stand_beside_ours_and_equal_settings_run_once(finished):
    folder, table, _, _, asked = finished
    assert len(asked) == 6 + 2 * len(TRIVIAL)
    rows = table.set_index("key")
    assert rows.loc["A/T2/FC6/SMIC", "printed"] == "50.1"
    assert rows.loc["A/T3/spatial/CASMEII", ["accuracy", "UAR"]].tolist() == [0, 0]
    assert rows.loc["A/T4/new/SMIC", "accuracy"] == rows.loc["A/T3/fused/SMIC", "accuracy"] == 1
    assert rows.loc[["A/T4/MDMO/SMIC", "A/T3/temporal/SMIC"], "accuracy"].isna().all()
    assert len(table) == 2 * (2 + 3 + 4 + len(TRIVIAL))
    trivial = table[table["printed"] == ""]
    assert trivial["row"].tolist() == 2 * list(TRIVIAL)
    assert trivial["n"].notna().all()
    assert [e.model.name for e in asked][-len(TRIVIAL) :] == list(TRIVIAL)
    text = (folder / "tables.txt").read_text()
    assert text.startswith("warning: drawn faces (SMIC, CASMEII)")
    assert text.count("not rebuilt") == 2 * (2 * (1 + 3))


def test_every_claimed_order_is_tested_in_every_column(finished):
    folder, _, orders, *_ = finished
    assert orders[["better", "worse", "column"]].to_numpy().tolist() == [
        [*pair, column] for pair in TABLES.orderings for column in TABLES.columns
    ]
    same, other = orders.iloc[0], orders.iloc[2]
    assert (same["UAR_difference"], same["UAR_p"], same["printed_points"]) == (0, 1, 6.2)
    assert (other["UAR_difference"], other["printed_points"], other["subjects"]) == (1, 14.5, 6)
    assert other["UAR_p"] == pytest.approx(2 / 2**6)
    text = (folder / "tables.txt").read_text()
    assert "A/T3/fused > A/T3/spatial" in text
    assert orders["UAR_so"].tolist() == orders["accuracy_so"].tolist() == ["not shown: 1 seed"] * 4
    assert text.count("not shown: 1 seed") == 2 * 4


def test_a_paper_without_known_figures_has_its_orders_tested_all_the_same(ran, fusion, tmp_path):
    rows = {"B/parts/both": {}, "B/parts/spatial": {"model.fusion.streams": "spatial"}}
    orders = (("B/parts/both", "B/parts/spatial"),)
    tables = dataclasses.replace(TABLES, rows=rows, orderings=orders, unprinted="only the abstract was read")
    table, tested = paper_tables(fusion, tables, tmp_path, ran[0])
    known = table[table["key"] != ""]  # the trivial methods follow
    assert known["key"].tolist() == [f"{row}/{column}" for row in rows for column in TABLES.columns]
    assert known["printed"].unique().tolist() == ["unknown"]
    assert tested["printed_points"].isna().all()
    assert tested["UAR_difference"].tolist() == [1, 1]
    text = (tmp_path / "tables.txt").read_text()
    assert "printed figures: only the abstract was read" in text
    assert text.count("unknown") == 4 + 2
    assert "average recognition rate" not in text


def test_finished_runs_are_kept(finished, fusion):
    folder, first, _, run, asked = finished
    number = len(asked)
    assert paper_tables(fusion, TABLES, folder, run)[0].equals(first)
    assert len(asked) == number


def test_a_row_that_was_never_printed_is_refused(ran, fusion, tmp_path):
    unknown = dataclasses.replace(TABLES, rows={"A/T3/guessed": {}}, orderings=())
    with pytest.raises(MerError, match="A/T3/guessed"):
        paper_tables(fusion, unknown, tmp_path, ran[0])


@pytest.mark.slow
def test_another_reading_of_a_row_stands_below_it_with_its_figures(ran, fusion, tmp_path):
    row, other = "A/T3/spatial", "A/T3/frames at random"
    rows = {**TABLES.rows, other: {"model.fusion.streams": "spatial", "model.fusion.stem_stride": 2}}
    orders = ((other, row),)
    tables = dataclasses.replace(TABLES, rows=rows, orderings=orders, readings={other: row})
    table, tested = paper_tables(fusion, tables, tmp_path, ran[0])
    beside = table[table["key"].isin([f"{row}/SMIC", f"{other}/SMIC"])]
    assert beside["printed"].tolist() == ["41.8", "41.8"]
    assert beside["row"].tolist() == ["spatial features only", "spatial features only: frames at random"]
    assert beside["n"].notna().all()
    assert np.diff(beside.index).tolist() == [1]
    assert tested["printed_points"].tolist() == [0, 0]


@pytest.mark.slow
def test_an_order_of_two_data_sets_is_tested_beside_the_others_of_its_table(ran, fusion, tmp_path):
    row, other = "A/T3/fused", "A/T3/spatial"
    across = ((row, "CASMEII", "SMIC"), (other, "CASMEII", "SMIC"))
    tables = dataclasses.replace(TABLES, orderings=((row, other),), across=across)
    _, orders = paper_tables(fusion, tables, tmp_path, ran[0])
    found = orders[orders["better"] == orders["worse"]]
    assert found[["better", "column"]].to_numpy().tolist() == [[row, "CASMEII > SMIC"], [other, "CASMEII > SMIC"]]
    assert found["printed_points"].tolist() == [3.9, 1.1]
    assert (found["accuracy_difference"] == 0).all()
    assert (found["accuracy_p_holm"] == 1).all()
    assert (orders["UAR_p_holm"] >= orders["UAR_p"]).all()
    text = (tmp_path / "tables.txt").read_text()
    assert [line.split()[:4] for line in text.splitlines() if "CASMEII > SMIC" in line] == [
        [row, "CASMEII", ">", "SMIC"],
        [other, "CASMEII", ">", "SMIC"],
    ]
    assert "of two data sets" in text
    one = dataclasses.replace(tables, columns={"SMIC": TABLES.columns["SMIC"]}, orderings=())
    assert paper_tables(fusion, one, tmp_path, ran[0])[1].empty
    assert "no order is claimed" in (tmp_path / "tables.txt").read_text()


def test_the_claims_of_paper_a_on_other_methods_and_data_sets_are_tested_on_the_same_folds():
    tables = runpy.run_path(str(SCRIPT))["TABLES"]
    others = ["A/T4/LBP-TOP", "A/T4/FDM", "A/T4/MDMO"]
    assert [worse for better, worse in tables.orderings if better == "A/T4/new"] == others
    assert tables.across == tuple((row, "CASMEII", "SMIC") for row in ("A/T4/new", *others))
    for preset in ("paper", "embedded"):
        cells = module.cell_settings(declared(SCRIPT, preset), tables, Path("runs"))
        assert len({one.evaluation for one in cells.values()}) == 1


@pytest.mark.parametrize(
    ("script", "name", "cell"),
    [
        ("exp4_cnn_lstm_fusion", "TABLES", "A/T4/LBP-TOP/CASMEII"),
        ("exp7_baselines", "BASELINES", "E/lbp_top/CASMEII"),
    ],
)
def test_lbp_top_on_casme2_sees_clips_as_they_were_recorded(script, name, cell, monkeypatch):
    settings = runpy.run_path(str(SCRIPT.with_name(f"{script}.py")))[name].cells[cell]
    clip = np.random.default_rng(0).integers(0, 256, (33, 24, 24), dtype=np.uint8)
    described = LbpTop(**{key.removeprefix("model."): value for key, value in settings.items()})
    monkeypatch.setattr("mer_tf.descriptors.lbp_top.normalised", lambda counts: counts)
    voxels = described.describe(clip).reshape(-1, 3, 15).sum(axis=(0, 2))  # of each plane
    assert voxels.tolist() == [(33 - 2 * 4) * 22 * 22] * 3


@pytest.mark.parametrize("preset", ["paper", "embedded"])
def test_trained_and_untrained_fusion_of_paper_a_differ_in_one_thing(preset):
    cells = module.cell_settings(declared(SCRIPT, preset), runpy.run_path(str(SCRIPT))["TABLES"], Path("runs"))
    one, other, drawn, both = (
        flat(dataclasses.asdict(cells[f"A/T1/{row}", "SMIC"]))
        for row in ("trained", "untrained", "drawn layer", "streams trained too")
    )
    differ = [[name for name in one if one[name] != other[name]] for other in (other, drawn, both)]
    assert differ == [["model.fusion.mode"], ["model.fusion.mode"], ["model.fusion.finetune_streams"]]
    assert not one["model.fusion.finetune_streams"]


@pytest.mark.parametrize(
    ("arguments", "columns", "epochs"),
    [
        ([], {"SMIC", "CASMEII"}, 1),
        (["--root.SMIC", "/data"], {"SMIC"}, 2),
        (["--root.SMIC=/data", "--preset=embedded"], {"SMIC"}, 1),
        (["--columns", "SMIC"], {"SMIC"}, 1),
    ],
)
def test_roots_choose_columns_and_the_papers_settings(
    monkeypatch, fusion, tmp_path, capsys, arguments, columns, epochs
):
    seen = {}

    def stand_in(experiment, tables, directory, run):
        seen.update(experiment=experiment, tables=tables)
        directory.mkdir()
        (directory / "tables.txt").write_text("the tables")

    monkeypatch.setattr(module, "paper_tables", stand_in)
    monkeypatch.setattr("mer_tf.study.check_all", list)  # nothing is there to be run
    paper, small = (dataclasses.replace(fusion, train=dataclasses.replace(fusion.train, epochs=e)) for e in (2, 1))
    main(Study(paper, small, tables=TABLES), ["tables", "--out", str(tmp_path), *arguments])
    assert set(seen["tables"].columns) == columns
    assert seen["experiment"].train.epochs == epochs
    assert ("data.root" in seen["tables"].columns["SMIC"]) == ("--root" in str(arguments))
    assert "the tables" in capsys.readouterr().out


def test_a_column_that_is_not_there_is_named(fusion):
    with pytest.raises(SystemExit, match="--columns: unknown name 'CASME'; known: SMIC, CASMEII"):
        main(Study(fusion, fusion, tables=TABLES), ["tables", "--columns=SMIC,CASME"])


def test_a_script_without_tables_has_no_such_command(fusion, capsys):
    with pytest.raises(SystemExit):
        main(Study(fusion, fusion), ["--tables"])
    assert "unknown command 'tables'; known: 'run'" in capsys.readouterr().err


def test_a_sweep_of_one_number_is_drawn(ran, fusion, tmp_path):
    sweep(fusion, {"clip.frames": (2, 3)}, tmp_path, ran[0])
    assert (tmp_path / "sweep.png").stat().st_size > 5000


def test_the_paper_preset_is_what_is_printed_and_the_recipe():
    paper = declared(SCRIPT, "paper")
    train = paper.train
    assert (train.batch_size, train.epochs, train.stream_epochs, train.learning_rate) == (50, 6000, 6000, 5e-4)
    assert changes(paper.preprocess) == []
    reading = load_recipe("paper-a").reading
    clip = {"length": paper.clip.frames, "segments": paper.clip.segments, "stride": paper.clip.stride}
    clip |= {"third": paper.clip.third, "bound": f"{paper.clip.flow_bound:g}"}
    assert {name: str(value) for name, value in clip.items()} == reading
    assert (paper.model.fusion, paper.clip.side, paper.model.lstm_units) == (Fusion(), 0, 512)


def test_rows_of_a_paper_with_one_data_set_are_whole_keys(ran, experiment, tmp_path):
    rows = {"C/T4/LSTM": {}, "C/T4/STLBP-IP": {"model.name": "stlbp_ip", "model.blocks": (2, 3, 1)}}
    tables = Tables(rows=rows, columns={"SMIC": {}}, orderings=(("C/T4/LSTM", "C/T4/STLBP-IP"),))
    table, orders = paper_tables(experiment, tables, tmp_path, ran[0])
    names = ("VGGFace2", "LSTM", "BiLSTM", "STLBP-IP", "STCLQP", "3D-FCNN")
    assert table["key"].tolist()[: len(names)] == [f"C/T4/{name}" for name in names]
    assert table["n"].notna().tolist()[: len(names)] == [False, True, False, True, False, False]
    assert [getattr(e.model, "blocks", None) for e in ran[1]][:2] == [None, (2, 3, 1)]
    assert orders["printed_points"].tolist() == [-0.42]


def test_a_claim_on_heat_is_tested_like_an_order(ran, experiment, tmp_path):
    rows = {"C/T4/LSTM": {}, "C/T4/BiLSTM": {"model.bidirectional": True}}
    orders = (("C/T4/BiLSTM", "C/T4/LSTM"),)
    tables = Tables(rows=rows, columns={"SMIC": {}}, orderings=orders, heat={"C/text/Figure4": tuple(rows)})
    lifts = [
        {"seed": seed, "clip_id": f"c{k}", "subject": f"s{k}", "side": side, **dict.fromkeys(LIFTS, value + k / 50)}
        for seed in range(SEEDS)
        for k in range(8)
        for side, value in ((BEFORE, 1.0), (AFTER, 1.5 + seed / 50))
    ]

    def run(settings):
        folder = ran[0](settings)
        if getattr(settings.model, "bidirectional", None) is False:
            write_csv(pd.DataFrame(lifts), folder / FILE)
        return folder

    paper_tables(experiment, tables, tmp_path, run)
    heat = pd.read_csv(tmp_path / "heat.csv")
    assert heat[["claim", "row", "so"]].to_numpy().tolist() == [
        ["C/text/Figure4", "C/T4/LSTM", "holds"],
        ["C/text/Figure4", "C/T4/BiLSTM", "not measured"],
    ]
    assert heat["difference"].iloc[0] == pytest.approx(0.54)
    assert heat["p_holm"].iloc[0] == heat["p"].iloc[0] < 0.05  # one row measured: nothing to correct
    assert heat["low"].iloc[0] > 0.45
    assert "C/text/Figure4" in (tmp_path / "tables.txt").read_text()


@pytest.mark.parametrize("name", ["exp2_vggface_lstm", "exp4_cnn_lstm_fusion"])
def test_declared_rows_were_printed_and_their_settings_exist(name):
    script = SCRIPT.with_name(f"{name}.py")
    tables = runpy.run_path(str(script))["TABLES"]
    assert set(tables.rows) <= {row["prefix"] for row in module.printed_rows(tables)}
    assert {row for rows in tables.heat.values() for row in rows} <= set(tables.rows)
    assert set(tables.heat) <= set(facts("published_results.csv")["key"])
    assert set(tables.cells) <= {f"{row}/{column}" for row in tables.rows for column in tables.columns}
    cells = module.cell_settings(declared(script, "embedded"), tables, Path("runs"))
    assert set(cells) == {(row, column) for row in tables.rows for column in tables.columns}
