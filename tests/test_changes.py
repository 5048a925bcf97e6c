"""Settings changed by dotted names: checked for name and type, and what JSON holds read back."""

import dataclasses
import json
import runpy
from pathlib import Path

import pytest

from mer_tf.changes import all_settings, changed, field_names, flat, hints_of, migrated, read_experiment
from mer_tf.check import check
from mer_tf.config import Experiment, MerError, digest
from mer_tf.descriptors import LbpTop, Majority
from mer_tf.files import write_json
from mer_tf.models.gia_bia_bilstm import GiaBiaBiLstm
from mer_tf.models.rcn import Rcn
from mer_tf.models.vggface_frames import VggFaceFrames
from mer_tf.overrides import named, read_changes, read_words
from mer_tf.protocols.sweep import combinations

ROOT = Path(__file__).parents[1]
DEMO = Experiment("demo")


def test_settings_are_replaced_and_the_rest_stays():
    one = changed(DEMO, {"train.epochs": 5, "model.merge": "last_of_each_direction", "out": "x"})
    assert (one.train.epochs, one.model.merge, one.out) == (5, "last_of_each_direction", "x")
    assert one.data == DEMO.data
    assert changed(DEMO, {}) == DEMO


def test_a_whole_number_stands_for_a_float_and_a_list_for_a_tuple():
    one = changed(DEMO, {"data.amplitude": 0, "model.embedding": [8, 4], "search.learning_rate": [1, 0.1]})
    assert [type(v) for v in (one.data.amplitude, *one.search.learning_rate)] == [float] * 3
    assert one.model.embedding == (8, 4)
    assert changed(DEMO, {"model.name": "lbp_top", "model.blocks": (5, 5, 1)}).model == LbpTop(blocks=(5, 5, 1))
    assert changed(one, {"model.retrain_from": "conv4_3"}).model.retrain_from == "conv4_3"
    assert changed(one, {"model.retrain_from": None}).model.retrain_from is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"train.epoch": 5}, "unknown setting 'train.epoch'.*did you mean train.epochs?"),
        ({"trian.epochs": 5}, "did you mean train.epochs?"),
        ({"train.epochs.more": 5}, "unknown setting 'train.epochs.more'"),
        ({"train": 5}, "train is a group of settings; give one of train.epochs"),
        ({"train.epochs": "5"}, "train.epochs='5': give int"),
        ({"train.epochs": 5.0}, "train.epochs=5.0: give int"),
        ({"train.epochs": True}, "train.epochs=True: give int"),
        ({"clip.mirror": 1}, "clip.mirror=1: give bool"),
        ({"data.amplitude": True}, "data.amplitude=True: give float"),
        ({"preprocess.flow": "Dis"}, "give one of none, farneback, dis, tvl1"),
        ({"model.name": "lbp_top", "model.blocks": (5, 5)}, r"blocks=\(5, 5\): give tuple\[int, int, int\] or None"),
        ({"model.embedding": (8, "4")}, "model.embedding='4': give int"),
        ({"data.root": 3}, "data.root=3: give str or None"),
        (
            {"model.parts_as": "x_y"},
            "parts_as: vggface_lstm has no such setting; it has .*lstm_units.*htnet",
        ),
        ({"model.lstm_unit": 3}, "did you mean model.lstm_units?"),
        ({"model.name": "vgface_lstm"}, "model.name: unknown model 'vgface_lstm'.*did you mean vggface_lstm?"),
        (
            {"model.name": "rcn", "model.lstm_units": 3},
            "rcn has no such setting; it has .*model.width; ",
        ),
    ],
)
def test_names_and_types_are_checked(changes, said):
    with pytest.raises(MerError, match=said):
        changed(DEMO, changes)


def test_every_field_changed_to_itself_is_the_same_experiment():
    values = {name: value for name, value in flat(dataclasses.asdict(DEMO)).items()}
    assert set(values) == set(field_names(DEMO))
    again = changed(Experiment("other"), json.loads(json.dumps(values)))
    assert again == DEMO
    assert digest(again) == digest(DEMO)


def test_every_declaration_stored_as_json_reads_back_equal(tmp_path):
    for path in sorted((ROOT / "experiments").glob("exp[1-8]_*.py")):
        for name in ("EXPERIMENT", "EMBEDDED"):
            one = runpy.run_path(str(path))[name]
            stored = write_json(tmp_path / "config.json", {"experiment": dataclasses.asdict(one)})
            assert read_experiment(stored) == one


def test_another_model_takes_over_the_settings_that_both_have():
    one = changed(DEMO, {"model.dropout": 0.5, "model.encoder": "mtcnn-onet", "model.lstm_units": 7})
    frames = changed(one, {"model.embedding": (4, 2), "model.name": "vggface_frames"})  # the name comes first
    assert frames.model == VggFaceFrames(dropout=0.5, encoder="mtcnn-onet", embedding=(4, 2))
    assert changed(frames, {"model.name": "gia_bia_bilstm"}).model == GiaBiaBiLstm(dropout=0.5, encoder="mtcnn-onet")
    assert changed(changed(one, {"model.name": "gia_bia_bilstm"}), {"model.name": "lbp_top"}).model == LbpTop()


def test_settings_of_older_versions_become_those_of_the_model(tmp_path):
    """Then all models shared one class, and descriptors had a group of their own."""
    old = {"encoder": "auto", "lstm_units": 512, "width": 0.25, "dropout": 0.5, "parts_as": "x_y", "head": "trained"}
    old |= {"fusion": {"mode": "trained"}, "blocks": {"set": "24"}, "classical": {"blocks": [5, 5, 1], "C": [1, 2]}}
    wanted = {"rcn": Rcn(width=0.25, dropout=0.5), "lbp_top": LbpTop(blocks=(5, 5, 1), C=(1.0, 2.0)), "majority": None}
    for name, model in wanted.items():
        stored = write_json(tmp_path / "config.json", {"experiment": {"name": "old", "model": {"name": name, **old}}})
        assert read_experiment(stored).model == (model or Majority(C=(1.0, 2.0)))
    kept = ROOT / "docs" / "results" / "exp4_cnn_lstm_fusion" / "config.json"
    assert "classical" in json.loads(kept.read_text())["experiment"]["model"]
    declaration = runpy.run_path(str(ROOT / "experiments" / "exp4_cnn_lstm_fusion.py"))["EMBEDDED"]
    assert read_experiment(kept).model == declaration.model


def test_settings_of_a_row_without_a_model_are_read_too():
    assert migrated({"model.classical.points": 4}) == {"model.points": 4}
    assert all_settings({"model.name": "rcn", "model.grey": True})["model.width"] == 1.0
    assert "model.lstm_units" not in all_settings({"train.epochs": 3})


def test_kept_runs_are_still_read():
    kept = sorted((ROOT / "docs" / "results").glob("*/config.json"))
    assert kept
    for path in kept:
        assert path.parent.name.startswith(json.loads(path.read_text())["experiment"]["name"])
        assert digest(read_experiment(path))


def test_words_of_the_command_line_become_typed_changes():
    assert read_words(["train.epochs=3", "data.amplitude=0"]) == {"train.epochs": 3, "data.amplitude": 0.0}
    given = ["--data.label-protocol", "smic-3", "--model.embedding", "8", "4", "--clip.mirror=False"]
    assert named(given, DEMO) == ["data.label_protocol", "clip.mirror", "model.embedding"]
    found = read_changes(given)
    assert found == {"data.label_protocol": "smic-3", "clip.mirror": False, "model.embedding": (8, 4)}
    assert changed(DEMO, found).model.embedding == (8, 4)


def test_an_option_that_says_what_is_declared_counts_as_given():
    assert read_changes(["--train.epochs", str(DEMO.train.epochs)]) == {"train.epochs": DEMO.train.epochs}


@pytest.mark.slow
def test_settings_of_every_sweep_and_table_exist():
    from mer_tf.protocols.paper_tables import cell_settings

    for path in sorted((ROOT / "experiments").glob("exp[1-7]_*.py")):
        names = runpy.run_path(str(path))
        base, home = names["EMBEDDED"], Path("runs")
        for _, one in combinations(base, names.get("SWEEP", {}), home):
            check(one)
        for tables in (names.get("TABLES"), names.get("DRAWN")):
            for one in cell_settings(base, tables, home).values() if tables else ():
                check(one)
                assert one.out == "runs"


def test_types_of_a_declaration_are_looked_up_once():
    assert hints_of(Experiment) is hints_of(Experiment)
