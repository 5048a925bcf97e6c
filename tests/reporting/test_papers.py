"""What is called a paper's: each printed setting with its words, docs/papers.md as the tables give it, citations."""

import dataclasses
import runpy
from importlib import import_module
from pathlib import Path

import pytest
from helpers.made_up_runs import DRAWS, predictions, write_run

from mer_tf.changes import changed, flat
from mer_tf.check import check
from mer_tf.cli.run_commands import ladder
from mer_tf.config import Experiment, MerError
from mer_tf.files import facts
from mer_tf.reporting.analysis import as_words
from mer_tf.reporting.papers import MARKS, citation, of_run, options, paper_of, settings
from mer_tf.reporting.report import report_html
from mer_tf.reporting.run_files import read_run

ROOT = Path(__file__).parents[2]
CITED = facts("papers.csv").to_dict("records")
EXPERIMENTS = [name for paper in CITED for name in paper["experiments"].split()]
RECIPE_FIELDS = {"length": "clip.frames", "segments": "clip.segments", "stride": "clip.stride"}


def declaration(name):
    return runpy.run_path(str(ROOT / "experiments" / f"{name}.py"))


def test_the_page_is_what_the_tables_give(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "docs")
    papers_markdown = import_module("readme_blocks").papers_markdown
    assert (ROOT / "docs" / "papers.md").read_text(encoding="utf-8") == papers_markdown()


def test_what_is_printed_is_quoted_and_nothing_else_is():
    table = facts("paper_settings.csv")
    assert set(table["mark"]) == set(MARKS)
    assert ((table["mark"] == "printed") == (table["quote"] != "")).all()
    assert (table[["paper", "statement", "value", "where"]] != "").all(axis=None)
    assert set(table["paper"]) == {paper["paper"] for paper in CITED}
    assert {name for names in table["experiments"] for name in names.split()} <= set(EXPERIMENTS)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_options_that_are_said_to_be_set_are_those_of_the_declaration(name):
    declared = flat(dataclasses.asdict(declaration(name)["EXPERIMENT"]))
    for cell in settings(paper_of(name), name)["option"]:
        for is_set, words in options(cell):
            setting = words.partition(" ")[0]
            assert setting in declared, words
            assert (as_words({setting: declared[setting]}) == [words]) == is_set, words


def test_no_recipe_is_called_printed_that_is_not():
    recipes = facts("recipes.csv")
    for row in recipes[recipes["sure"] == "printed"].to_dict("records"):
        if (paper := row["recipe"].removeprefix("paper-").upper()) in {one["paper"] for one in CITED}:
            printed = settings(paper).query("mark == 'printed'")["option"]
            wanted = f"{RECIPE_FIELDS.get(row['field'], 'preprocess.' + row['field'])} {row['value']}"
            assert (True, wanted) in [one for cell in printed for one in options(cell)], row


@pytest.mark.parametrize("paper", CITED, ids=lambda paper: paper["paper"])
def test_papers_are_cited_where_they_are_rebuilt(paper):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    abouts = [" ".join(declaration(name)["__doc__"].split()) for name in paper["experiments"].split()]
    for text in [readme, *abouts]:
        assert paper["title"] in text
        assert paper["doi"] in text
        assert "docs/papers.md" in text
    assert paper["doi"] in citation(paper["paper"])


@pytest.mark.parametrize("name", ["exp1_vggface_frames", "exp2_vggface_lstm", "exp3_vggface_bilstm"])
def test_paper_c_retrains_from_the_layer_that_grad_cam_chooses_and_the_small_one_keeps_its_encoder(name):
    declared = declaration(name)
    assert declared["EXPERIMENT"].model.retrain_from == "gradcam"
    assert declared["EMBEDDED"].model.retrain_from is None
    assert check(changed(declared["EXPERIMENT"], {"model.weights": "random"})) is None


def test_a_report_shows_the_papers_table_with_what_the_run_did(tmp_path):
    small = declaration("exp2_vggface_lstm")["EMBEDDED"]
    run = read_run(write_run(tmp_path / "run", dataclasses.replace(small, evaluation=DRAWS), predictions()))
    table = of_run(run).set_index("statement")
    assert table.loc["layer from which it is retrained", ["mark", "this run"]].tolist() == [
        "printed",
        "model.retrain_from None",
    ]
    assert table.loc["recurrent layers", "value"] == "three of LSTM"
    assert "input and output" not in table.index
    page = report_html([run])
    assert "What the paper says" in page
    assert "doi.org/10.1145/3395035.3425248" in page
    assert "three of LSTM" in page


def test_a_report_says_who_chose_the_layer(tmp_path):
    experiment = dataclasses.replace(declaration("exp3_vggface_bilstm")["EXPERIMENT"], evaluation=DRAWS)
    run = read_run(write_run(tmp_path / "run", experiment, predictions()))
    assert "retrained from the block on that Grad-CAM chose in each fold" in report_html([run])


def test_a_run_of_no_paper_has_no_such_section(tmp_path):
    run = read_run(write_run(tmp_path / "run", Experiment("exp_made_up", evaluation=DRAWS), predictions()))
    assert paper_of("exp_made_up") == ""
    assert "What the paper says" not in report_html([run])


def test_the_ladder_says_that_grad_cam_cannot_choose_its_layer(tmp_path):
    changes = ("model.weights=random", "model.retrain_from=gradcam")
    with pytest.raises(MerError, match="gradcam.*conv4_3"):
        ladder(ROOT / "experiments" / "exp2_vggface_lstm.py", tmp_path / "ladder", preset="paper", changes=changes)
    assert not (tmp_path / "ladder").exists()
