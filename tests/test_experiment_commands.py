"""The command line of the scripts in experiments/: an overview that fits on two screens, commands, nearest names."""

import dataclasses
import json
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from mer_tf.cli.script import as_words, commands_of, default_command, help_text, main, read_command
from mer_tf.config import Clip, Data, Experiment, MerError, Tables, preset_of
from mer_tf.descriptors import Majority
from mer_tf.models.attention_lstm import AttentionLstm
from mer_tf.models.rcn import Rcn
from mer_tf.study import Composite, Run, Study, among, given

ROOT = Path(__file__).parents[1]
SCRIPTS = sorted((ROOT / "experiments").glob("exp*.py"))
PAPER = Experiment("demo", data=Data(label_protocol="smic-3"))
SMALL = dataclasses.replace(PAPER, clip=Clip(stride=4))
TABLES = Tables(rows={"A/one": {}}, columns={"SMIC": {"data.dataset": "smic-hs"}, "SAMM": {"data.dataset": "samm"}})
FULL = Study(PAPER, SMALL, sweep={"clip.frames": (3, 4)}, tables=TABLES)
SYSTEMS = Study(PAPER, SMALL, baselines={"paper": TABLES, "embedded": TABLES})
METHODS = Study(PAPER, SMALL, methods={"paper": {"a": {}, "b": {}}, "embedded": {"a": {}}})


ALL_HELP = """
import io, json, runpy, sys
from contextlib import redirect_stdout
shown = {}
for path in sys.argv[1:]:
    sys.argv, status = [path, "--help"], 0
    with redirect_stdout(io.StringIO()) as text:
        try:
            runpy.run_path(path, run_name="__main__")
        except SystemExit as end:
            status = end.code or 0
    shown[path] = (status, text.getvalue())
print(json.dumps([shown, sorted({"keras", "tensorflow", "sklearn", "pandas"} & set(sys.modules))]))
"""


@pytest.fixture(scope="module")
def helps():
    """What each script prints of itself, in one process for all: (name -> status and text, libraries it loaded)."""
    command = [sys.executable, "-c", ALL_HELP, *map(str, SCRIPTS)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    shown, loaded = json.loads(done.stdout)
    return {Path(path).stem.partition("_")[0]: said for path, said in shown.items()}, loaded


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda p: p.stem)
def test_help_fits_on_two_screens_and_is_headed_by_the_docstring(helps, path):
    status, text = helps[0][path.stem.partition("_")[0]]
    assert status == 0, text
    assert len(text.splitlines()) <= 80
    assert runpy.run_path(str(path))["__doc__"].splitlines()[0] in text


@pytest.mark.parametrize(
    ("name", "shown", "hidden"),
    [
        ("exp1", ["  run "], ["sweep", "  tables", "--columns", "model.fusion"]),
        ("exp2", ["  run ", "  sweep ", "  tables ", "--preset", "--resume", "--folds", "--root.SMIC"], ["--systems"]),
        ("exp4", ["--root.SMIC|CASMEII", "--model.fusion."], ["--model.blocks."]),
        ("exp7", ["  baselines ", "--systems", "--model.name"], ["  tables ", "--model.attention."]),
        ("exp8", ["  run ", "--methods", "--resume"], ["--folds", "  sweep"]),
    ],
)
def test_help_names_what_the_script_has_and_nothing_else(helps, name, shown, hidden):
    _, text = helps[0][name]
    assert all(word in text for word in shown)
    assert not [word for word in hidden if word in text.partition("commands (")[2]]


def test_help_loads_neither_keras_nor_pandas(helps):
    assert helps[1] == []


def test_a_command_is_the_first_word_or_run():
    assert list(commands_of(FULL)) == ["run", "sweep", "tables"]
    assert default_command(FULL, []) == default_command(METHODS, []) == "run"
    assert type(commands_of(FULL)["run"]) is Run
    assert type(commands_of(METHODS)["run"]) is Composite


def test_a_script_of_many_systems_runs_their_table_unless_one_is_chosen():
    assert default_command(SYSTEMS, ["--systems", "one"]) == "baselines"
    assert default_command(SYSTEMS, ["--model.name=lbp_top"]) == "run"
    assert default_command(SYSTEMS, ["--resume", "runs/x"]) == "run"


def test_commands_that_were_options_still_are_understood():
    assert as_words(["--out", "x", "--tables", "--root.SMIC", "d"]) == ["tables", "--out", "x", "--root.SMIC", "d"]
    assert as_words(["--sweep"]) == ["sweep"]
    assert as_words(["--train.epochs", "3"]) == ["--train.epochs", "3"]


def read(study, name, *words):
    return read_command(commands_of(study)[name], name, words)


def test_options_are_typed():
    command, changes = read(FULL, "run", "--folds", "0,2", "--resume", "runs/x", "--train.epochs=3")
    assert (command.folds, command.resume, changes) == ((0, 2), Path("runs/x"), {"train.epochs": 3})
    assert read(FULL, "run", "--folds", "none")[0].folds == ()
    assert read(FULL, "run")[0].folds is None
    tables, _ = read(FULL, "tables", "--root.SAMM", "/data", "--columns", "SMIC,SAMM")
    assert (tables.root, tables.columns) == ({"SMIC": "", "SAMM": "/data"}, ("SMIC", "SAMM"))
    assert read(SYSTEMS, "baselines", "--systems=a,b")[0].systems == ("a", "b")
    assert read(METHODS, "run", "--methods", "a b,c")[0].methods == ("a b", "c")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--train.epoch", "3"], "--train.epochs"),
        (["--trian.epochs", "3"], "--train.epochs"),
        (["--folds", "two"], "3 or 0,2"),
        (["--clip.mirror", "maybe"], "--clip.mirror"),
        (["--resum", "runs/x"], "--resume"),
        (["tabels"], "did you mean tables?"),
        (["--columns", "SMIC"], "--columns"),
    ],
)
def test_a_typo_is_told_the_nearest_option(words, said, capsys):
    with pytest.raises(SystemExit) as caught:
        main(FULL, words)
    assert caught.value.code == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("study", "words", "said"),
    [
        (
            FULL,
            ["tables", "--columns", "SMICK"],
            "unknown name 'SMICK'; known: SMIC, SAMM; did you mean SMIC",
        ),
        (SYSTEMS, ["--systems", "two"], "--systems: unknown name 'two'; known: one"),
        (METHODS, ["--methods", "c"], "--methods: unknown name 'c'; known: a, b"),
        (FULL, ["--resume", "nowhere"], "nowhere"),
        (FULL, ["sweep", "--model.name", "vgglstm"], "did you mean vggface_lstm"),
        (FULL, ["tables", "--columns", "SMIC", "--model.name", "vgglstm"], "did you mean vggface_lstm"),
    ],
)
def test_wrong_values_end_with_one_line_and_nothing_is_written(study, words, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match=said):
        main(study, words)
    assert not list(tmp_path.iterdir())


def test_a_sweep_is_checked_to_its_end_before_its_first_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match="clip.frames=0"):
        main(dataclasses.replace(FULL, sweep={"clip.frames": (3, 0)}), ["sweep"])
    assert not list(tmp_path.iterdir())


def test_names_are_chosen_in_the_order_that_is_asked():
    known = {"a": {"x": 1}, "b": {"x": 2}}
    assert list(among("--methods", ("b", "a"), known)) == ["b", "a"]
    assert among("--methods", None, known) == known
    with pytest.raises(MerError, match="--methods: unknown name 'c'; known: a, b"):
        among("--methods", ("c",), known)


def test_methods_that_the_paper_alone_declares_can_be_chosen_by_name(monkeypatch):
    seen = {}
    monkeypatch.setattr("mer_tf.study.check_all", lambda experiments, composite: seen.update(all=list(experiments)))
    monkeypatch.setattr("mer_tf.run_directory.open_run", lambda *given: (_ for _ in ()).throw(MerError("far enough")))
    study = dataclasses.replace(
        METHODS, methods={"paper": {"a": {"train.epochs": 9}, "b": {}}, "embedded": {"a": {"train.epochs": 2}}}
    )
    for words, epochs in ((["--methods", "b,a"], [20, 2]), ([], [2]), (["--train.epochs", "5"], [5])):
        with pytest.raises(SystemExit, match="far enough"):
            main(study, words)
        assert [e.train.epochs for e in seen["all"][1:]] == epochs


def test_one_rule_chooses_the_preset():
    assert preset_of(Data()) == "embedded"
    assert preset_of(Data(root="/data")) == preset_of(Data(manifests=("a.csv",))) == "paper"
    for words, stride in (
        ([], 4),
        (["--data.root", "/data"], 1),
        (["--data.manifests", "a.csv", "b.csv"], 1),
        (["--data.manifests", "a.csv", "--preset", "embedded"], 4),
        (["--preset", "paper"], 1),
    ):
        command, changes = read(METHODS, "run", *words)
        chosen, preset = command.chosen(METHODS, changes)
        assert chosen.clip.stride == stride
        assert preset == ("paper" if stride == 1 else "embedded")
    tables, changes = read(FULL, "tables", "--root.SMIC", "/data")
    assert tables.of_columns(FULL, changes)[1] == "paper"


def test_settings_of_other_models_are_not_shown():
    shown = help_text(Study(PAPER, dataclasses.replace(SMALL, model=AttentionLstm())), "python demo.py")
    assert "--model.attention." in shown
    assert "--model.fusion." not in shown


def test_run_tells_the_settings_of_its_own_model_alone(capsys):
    for words, shown, hidden in (
        ([], "--model.lstm_units", "--model.width"),
        (["--model.name", "rcn"], "--model.width", "--model.lstm_units"),
    ):
        with pytest.raises(SystemExit):
            main(FULL, ["run", *words, "--help"])
        text = capsys.readouterr().out
        assert shown in text
        assert hidden not in text


def test_another_model_takes_its_own_settings():
    changes = {"model.name": "rcn", "model.width": 0.5}
    assert read(FULL, "run", "--model.name=rcn", "--model.width", "0.5")[1] == changes
    command, _ = read(FULL, "run")
    chosen, _ = command.chosen(FULL, changes)
    assert chosen.model == Rcn(width=0.5)


def test_a_setting_for_all_methods_goes_to_those_that_have_it(monkeypatch):
    seen = []
    monkeypatch.setattr("mer_tf.study.check_all", lambda experiments, composite: seen.extend(experiments))
    monkeypatch.setattr("mer_tf.run_directory.open_run", lambda *given: (_ for _ in ()).throw(MerError("far enough")))
    rows = {"none": {"model.name": "majority"}, "network": {"model.name": "rcn", "model.dropout": 0.1}}
    study = Study(PAPER, SMALL, methods={"paper": {}, "embedded": rows})
    with pytest.raises(SystemExit, match="far enough"):
        main(study, ["--model.dropout", "0.5", "--model.width=0.2"])
    assert [one.model for one in seen[1:]] == [Majority(), Rcn(dropout=0.5, width=0.2)]
    with pytest.raises(SystemExit, match="model.parts_as: vggface_lstm has no such setting"):
        main(study, ["--model.parts_as", "x_y"])


def test_settings_of_a_tables_systems_are_given_to_their_rows():
    rows = {
        "E/a": {"model.name": "rcn", "train.epochs": 3},
        "E/b": {"model.name": "htnet", "model.width": 0.5},
        "E/c": {},
    }
    study = Study(PAPER, SMALL, baselines=dict.fromkeys(("paper", "embedded"), dataclasses.replace(TABLES, rows=rows)))
    command = commands_of(study)["baselines"]
    _, changes = read_command(command, "baselines", ["--model.width", "0.1", "--model.dropout", "0.2"], study.systems)
    assert changes == {"model.width": 0.1, "model.dropout": 0.2}
    assert command.chosen(study, changes)[0].model.dropout == 0.2
    assert given(rows, changes) == {
        "E/a": {"model.width": 0.1, "model.dropout": 0.2, "model.name": "rcn", "train.epochs": 3},
        "E/b": {"model.name": "htnet", "model.width": 0.5},
        "E/c": {},
    }
    assert "commands (run when none is named" in help_text(FULL, "python demo.py")
