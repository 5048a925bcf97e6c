"""Everything that README.md and docs/ show is what the present declarations and code versions would make again."""

import json
import sys
from dataclasses import asdict
from importlib import import_module
from pathlib import Path

import pandas as pd
import pytest
from helpers.made_up_runs import predictions
from PIL import Image

from mer_tf.code_version import CODE
from mer_tf.reporting.made import read_made, stale

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
sys.path.insert(0, str(DOCS))
pieces, regenerate, readme_blocks = (import_module(name) for name in ("pieces", "regenerate", "readme_blocks"))
sys.path.remove(str(DOCS))
PIECES = pieces.PIECES
MEASURED = ("spotting_curve.png",)
"""Drawn by benchmarks/, whose figures stand there and in the pages that name the processor."""
MACHINE = {"mer_tf": "0.1.1", "git_commit": "abc", "code": CODE, "processor": "CPU", "cpus": 2, "onednn": False}


def kept(path, name):
    """A file of docs/ that is there; what was not made yet says nothing, so nothing of it is stale."""
    if not path.exists():
        pytest.skip(f"{path.name} was not made yet: python docs/regenerate.py --only {name}")
    return path


@pytest.mark.parametrize("piece", PIECES.values(), ids=PIECES)
def test_no_stored_result_is_stale(piece):
    kept(piece.record, piece.name)
    found = stale(piece.record, piece.lines, piece.settings())
    assert not found, f"{'; '.join(found)}: python docs/regenerate.py --only {piece.name}"


NO_RESULT = {".py", ".pyc", ".md", ".ipynb", ".css", ".js"}
"""Pages of the documentation, the tour among them, and what they are made by."""


def test_every_file_that_is_shown_is_of_a_piece():
    recorded = {piece.record for piece in PIECES.values() if piece.record.exists()}
    named = {(path.parent / name).resolve() for path in recorded for name in read_made(path).files}
    there = {path.resolve() for path in DOCS.rglob("*") if path.is_file() and path.suffix not in NO_RESULT}
    there -= {DOCS / name for name in MEASURED}
    assert there == named | recorded, "docs/pieces.py says what makes a shown result"


@pytest.mark.parametrize("name", readme_blocks.BLOCKS)
def test_pages_say_what_is_stored(name):
    text = (ROOT / readme_blocks.PAGES[name]).read_text(encoding="utf-8")
    shown = text.partition(f"<!-- {name} -->")[2].partition(f"<!-- /{name} -->")[0].strip()
    if not shown:
        kept(PIECES[name].record, name)
    assert shown == readme_blocks.BLOCKS[name](DOCS), "python docs/regenerate.py --readme"


def test_the_ladder_that_is_quoted_is_that_of_its_table():
    text = (ROOT / readme_blocks.PAGES["ladder"]).read_text(encoding="utf-8")
    for row in pd.read_csv(kept(DOCS / "ladder.csv", "ladder")).to_dict("records"):
        assert f"{row['rung'].replace(',', '')} {row['UAR']:.1%}" in text


@pytest.mark.parametrize("name", ["ladder", "sensitivity"])
def test_curves_are_drawn_from_their_tables(name, tmp_path):
    table = tmp_path / f"{name}.csv"
    table.write_bytes(kept(DOCS / table.name, name).read_bytes())
    drawn = getattr(pieces, f"draw_{name}")(table)
    assert Image.open(drawn).size == Image.open(DOCS / f"{name}.png").size


@pytest.fixture
def piece():
    return pieces.run_piece("exp2_vggface_lstm", 4, {"data.amplitude": 0})


@pytest.fixture
def started(monkeypatch):
    """Commands that would have been run: words behind the program, and oneDNN's setting."""
    found = []

    def run(words, cwd, env, check):
        found.append((words[1:], env.get("TF_ENABLE_ONEDNN_OPTS")))

    monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS", raising=False)
    monkeypatch.setattr(regenerate.subprocess, "run", run)
    return found


def write_begun(piece, home, code=CODE):
    """A run of the piece that has no results yet."""
    experiment = piece.experiment(piece.scripts[0], home)
    directory = Path(experiment.out) / experiment.name / "20260101"
    directory.mkdir(parents=True)
    (directory / "config.json").write_text(json.dumps({"experiment": asdict(experiment)}))
    (directory / "env.json").write_text(json.dumps(MACHINE | {"code": code}))
    return directory


def test_a_run_is_started_with_its_changes_in_the_work_folder(piece, started, tmp_path):
    regenerate.run_line(piece.lines[0], piece, tmp_path)
    words = ["experiments/exp2_vggface_lstm.py", "--data.amplitude", "0"]
    assert started == [([*words, "--out", f"{tmp_path}/runs", "--data.cache", f"{tmp_path}/data"], None)]


def test_a_run_that_was_begun_goes_on_and_a_finished_one_is_kept(piece, started, tmp_path):
    directory = write_begun(piece, tmp_path)
    regenerate.run_line(piece.lines[0], piece, tmp_path)
    assert started.pop()[0][-2:] == ["--resume", str(directory)]
    (directory / "metrics.json").write_text("{}")
    regenerate.run_line(piece.lines[0], piece, tmp_path)
    assert not started


def test_a_run_by_code_of_other_versions_is_not_kept(piece, started, tmp_path):
    (write_begun(piece, tmp_path, {"pixels": 0, "training": 0}) / "metrics.json").write_text("{}")
    regenerate.run_line(piece.lines[0], piece, tmp_path)
    assert "--resume" not in started.pop()[0]


def test_runs_with_and_without_onednn_share_neither_pixels_nor_features(started, tmp_path):
    for line in PIECES["variation"].lines:
        regenerate.run_line(line, PIECES["variation"], tmp_path)
    homes = [tmp_path / "variation" / f"onednn-{on}" for on in (0, 1)]
    assert [on for _, on in started] == ["0", "1"]
    assert [words[-1] for words, _ in started] == [str(home / "data") for home in homes]


def test_the_ladder_is_started_in_the_work_folder(started, tmp_path):
    regenerate.run_line(PIECES["ladder"].lines[0], PIECES["ladder"], tmp_path)
    ((words, _),) = started
    assert words[2:4] == ["ladder", "experiments/exp2_vggface_lstm.py"]
    assert f"data.cache={tmp_path}/data" in words


def test_what_was_made_is_stored_with_machine_and_time(started, tmp_path, monkeypatch):
    docs = tmp_path / "docs"
    monkeypatch.setattr(pieces, "DOCS", docs)
    piece = pieces.variation()
    for line, on in zip(piece.lines, (False, True), strict=True):
        directory = write_begun(piece, pieces.home(line, tmp_path))
        (directory / "metrics.json").write_text("{}")
        (directory / "env.json").write_text(json.dumps(MACHINE | {"onednn": on}))
        predictions(seeds=(0, 1)).to_csv(directory / "predictions.csv", index=False)
    for seconds in (5, 2):
        (tmp_path / "seconds").mkdir(exist_ok=True)
        (tmp_path / "seconds" / "variation.json").write_text(str(seconds))
        assert regenerate.make(piece, tmp_path) >= seconds
    table, made = pd.read_csv(docs / "variation.csv"), read_made(piece.record)
    assert list(table["onednn"]) == [False, False, True, True]
    assert [one.onednn for one in made.made_by] == [False, True]
    assert (made.seeds["train.seed"], list(made.files)) == ([0, 1, 2, 3, 4], ["variation.csv"])
    assert stale(piece.record, piece.lines, piece.settings()) == []
