"""The record beside a result: what it keeps, what it says, and when it is stale."""

import json
from dataclasses import asdict, replace

import pytest

from mer_tf.changes import flat
from mer_tf.config import Experiment, MerError
from mer_tf.reporting import made as module
from mer_tf.reporting.made import Made, Maker, maker, read_made, said_once, seeds_of, stale, write_made

COMMAND = ("python experiments/exp.py",)
HERE = Maker("0.1.1", "abcdef0123", {"pixels": 1, "training": 1}, "Some CPU", 2, False)


def declared(**changes):
    return {"exp": flat(asdict(Experiment("exp"))) | {k.replace("__", "."): v for k, v in changes.items()}}


@pytest.fixture
def record(tmp_path):
    table = tmp_path / "table.csv"
    table.write_text("a\n1\n")
    settings = declared(train__epochs=5)
    made = Made(COMMAND, (HERE,), seeds_of(settings), "2026-01-02", 61, settings)
    return write_made(tmp_path / "made.json", made, [table])


def change(record, **values):
    record.write_text(json.dumps(json.loads(record.read_text()) | values))


def test_what_is_written_is_read(record):
    made = read_made(record)
    assert (made.command, made.made_by, made.seconds) == (COMMAND, (HERE,), 61)
    assert made.seeds == {"data.seed": [0], "train.seed": [0], "evaluation.seed": [42]}
    assert list(made.files) == ["table.csv"]
    assert stale(record, COMMAND, declared(train__epochs=5)) == []


def test_a_sentence_names_code_machine_and_seeds(record):
    assert str(read_made(record)) == (
        "Made 2026-01-02 by mer_tf 0.1.1 at abcdef0, pixels 1, training 1; Some CPU, 2 cores, oneDNN off; "
        "seeds: drawing 0, training 0, folds 42."
    )


def test_a_sentence_says_what_was_not_recorded(record):
    old = replace(read_made(record), made_by=(Maker("0.1.0", "1234567890"),))
    assert str(old).startswith(
        "Stored 2026-01-02 by mer_tf 0.1.0 at 1234567; code versions and processor not recorded; seeds:"
    )
    lines = said_once({"a": old, "b": read_made(record), "c": old}).splitlines()
    assert [line.partition(":")[0] for line in lines] == ["- a; c", "- b"]


def test_every_training_seed_is_told():
    settings = declared(train__seed=3, evaluation__seeds=2) | {"a row": {"model.name": "majority"}}
    assert seeds_of(settings)["train.seed"] == [3, 4]


def test_of_env_json_what_makes_numbers_is_kept():
    environment = {"mer_tf": "0.1.1", "git_commit": "abcdef0123", "git_dirty": True, "cpus": 2, "onednn": False}
    environment |= {"code": {"pixels": 1, "training": 1}, "processor": "Some CPU"}
    assert maker(environment) == replace(HERE, commit="abcdef0123+")
    assert maker(environment, ("pixels",)).code == {"pixels": 1}
    assert "at abcdef0+, pixels" in str(maker(environment))
    assert str(maker({})) == "mer_tf of unknown version; code versions and processor not recorded"


def test_another_command_or_setting_is_stale(record):
    assert stale(record, ("mer-tf other",), declared(train__epochs=5)) == [f"command {COMMAND}, now ('mer-tf other',)"]
    assert stale(record, COMMAND, declared(train__epochs=6)) == ["exp: train.epochs 5, now 6"]
    more = declared(train__epochs=5) | {"a row": {"train.epochs": 1}}
    assert stale(record, COMMAND, more) == ["a row is declared now"]
    assert stale(record, COMMAND, {}) == ["exp is declared no more"]


def test_a_setting_that_was_not_known_then_had_its_default(record):
    stored = json.loads(record.read_text())["settings"]
    del stored["exp"]["train.momentum"]
    change(record, settings=stored)
    assert stale(record, COMMAND, declared(train__epochs=5)) == []
    assert stale(record, COMMAND, declared(train__epochs=5, train__momentum=0.5)) == [
        "exp: train.momentum 0.9, now 0.5"
    ]


@pytest.mark.parametrize("counted", [True, False], ids=["counted", "from before"])
def test_another_code_version_is_stale(record, monkeypatch, counted):
    if not counted:
        change(record, made_by=[asdict(replace(HERE, code=None))])
    monkeypatch.setattr(module, "CODE", {"pixels": 1, "training": 2})
    assert stale(record, COMMAND, declared(train__epochs=5)) == ["code version training 1, now 2"]


def test_what_does_not_depend_on_training_outlives_it(record, monkeypatch):
    change(record, made_by=[asdict(replace(HERE, code={"pixels": 1}))])
    monkeypatch.setattr(module, "CODE", {"pixels": 1, "training": 2})
    assert stale(record, COMMAND, declared(train__epochs=5)) == []


def test_files_edited_or_absent_are_stale(record):
    table = record.with_name("table.csv")
    table.write_text("a\n2\n")
    assert stale(record, COMMAND, declared(train__epochs=5)) == ["table.csv is not the file that was stored"]
    table.unlink()
    assert stale(record, COMMAND, declared(train__epochs=5)) == ["table.csv is not the file that was stored"]


def test_a_stored_run_has_its_settings_in_config_json_alone(record):
    config = {"experiment": asdict(Experiment("exp"))}
    record.with_name("config.json").write_text(json.dumps(config))
    write_made(record, read_made(record), [])
    assert json.loads(record.read_text())["settings"] == {}
    assert stale(record, COMMAND, declared()) == []
    assert stale(record, COMMAND, declared(train__epochs=5)) == ["exp: train.epochs 20, now 5"]


def test_a_damaged_record_is_named(record):
    change(record, made_by=[{"nothing": 1}])
    with pytest.raises(MerError, match=r"made\.json: is no record of a shown result"):
        read_made(record)
