"""The documentation: its commands are taken, its links lead somewhere, its facts are those of the code."""

import ast
import json
import re
import sys
from importlib import import_module
from pathlib import Path

import pandas as pd
import pytest
from helpers.shown_commands import ROOT, options, pages, shown, take, take_options

import mer_tf
from mer_tf.cli import COMMANDS as COMMANDS_OF_MER_TF
from mer_tf.code_version import CODE
from mer_tf.datasets import ADAPTERS

DOCS = ROOT / "docs"
sys.path.insert(0, str(DOCS))
site_hooks, run_tour = import_module("site_hooks"), import_module("run_tour")
sys.path.remove(str(DOCS))
OFTEN = {page: shown(page) for page in pages()}
OPTIONS = {page.name: options(page) for page in pages() if page.name != "papers.md"}
"""Those of papers.md are held to the declarations by reporting/test_papers.py."""
COMMANDS = list(dict.fromkeys(command for found in OFTEN.values() for command in found))


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_that_is_shown_is_taken(command, capsys):
    try:
        take(command)
    except SystemExit:
        pytest.fail(f"{[p.name for p, found in OFTEN.items() if command in found]}: {capsys.readouterr().err}")


def test_every_command_has_its_row():
    text = (DOCS / "commands.md").read_text(encoding="utf-8")
    assert [name for name in COMMANDS_OF_MER_TF if not re.search(rf"\| `mer-tf {name}[ `]", text)] == []


@pytest.mark.parametrize("page", [name for name, found in OPTIONS.items() if found])
def test_an_option_that_is_shown_is_one_of_some_script(page):
    take_options(OPTIONS[page])


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_within_the_repository_lead_to_a_file(page):
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text)
    generated = {DOCS / name for name in ("index.md", "tour.md")}
    paths = [(page.parent / t).resolve() for t in targets if not t.startswith(("http", "data:"))]
    assert not [path for path in paths if not path.exists() and path not in generated]


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_python_that_is_shown_can_be_read_and_names_what_is_there(page):
    for block in re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "mer_tf":
                assert node.attr in mer_tf.__all__


def test_every_row_of_a_table_has_a_head_and_a_name():
    for page in pages():
        for line in page.read_text(encoding="utf-8").splitlines():
            assert not re.match(r"\|\s*\|", line), f"{page.name}: {line}"


def test_the_page_of_data_sets_names_each_with_whom_to_ask_and_what_to_cite():
    text = (DOCS / "datasets.md").read_text(encoding="utf-8")
    assert [name for name in ADAPTERS if f"`{name}`" not in text] == []
    for row in pd.read_csv(ROOT / "data_manifests" / "licences.csv").to_dict("records"):
        section = text.partition(f"\n## {row['name']}\n")[2].partition("\n## ")[0]
        assert f"{row['cite']}{' (from memory)' * (row['certainty'] == 'memory')}; {row['holder']}" in section
    for protocol in pd.read_csv(ROOT / "data_manifests" / "label_protocols.csv")["protocol"].unique():
        assert f"`{protocol}`" in text or protocol == "megc2018-5"


def test_the_citation_is_of_this_version():
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    stated = dict(re.findall(r"^([a-z-]+): (.+)$", text, flags=re.MULTILINE))
    setup = (ROOT / "setup.cfg").read_text(encoding="utf-8")
    assert stated["version"] == re.findall(r"^version = (.+)$", setup, flags=re.MULTILINE)[0]
    assert stated["license"] == re.findall(r"^license = (.+)$", setup, flags=re.MULTILINE)[0]
    assert {"cff-version", "message", "title"} <= stated.keys()


def test_pages_of_the_site_are_made_of_readme_and_of_the_notebook():
    home = site_hooks.readme_page()
    assert "](first_run.md)" in home
    assert "docs/" not in re.sub(r"https?://\S+", "", "".join(re.findall(r"\]\([^)]+\)", home)))
    tour = site_hooks.notebook_page(json.loads((DOCS / "tour.ipynb").read_text(encoding="utf-8")))
    assert tour.startswith("# A tour in Python")
    assert "data:image/png;base64," in tour


def test_the_tour_shows_outputs_of_the_present_code_and_nothing_of_the_machine():
    stored = json.loads(run_tour.TOUR.read_text(encoding="utf-8"))
    assert stored["metadata"]["mer_tf"] == CODE, "python docs/run_tour.py"
    assert all(
        cell["outputs"] for cell in stored["cells"][2:] if cell["cell_type"] == "code" and "print" in cell["source"]
    )
    said = [json.dumps(cell.get("outputs", [])) for cell in stored["cells"]]
    assert not [text for text in said if re.search(r"/(home|root|tmp|work)/|[A-Z]:\\\\", text)]
    assert run_tour.TOUR.stat().st_size < 500_000


SHORTER = {
    "subjects=6, clips_per_class=2": "subjects=3, clips_per_class=1",
    '"evaluation.folds": 3': '"evaluation.folds": 2, "train.epochs": 2, "train.jit_compile": False',
}
"""Words of the tour -> what makes its test shorter."""


@pytest.mark.slow
def test_the_tour_runs_from_its_first_cell_to_its_last(tmp_path, monkeypatch, capsys):
    """As Jupyter runs it, but for the display of pictures, on fewer clips and epochs."""
    import matplotlib as mpl

    mpl.use("Agg")
    monkeypatch.chdir(DOCS)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    names = {"__name__": "tour"}
    cells = run_tour.sources()
    for long, short in SHORTER.items():
        assert sum(long in source for source in cells) == 1
        cells = [source.replace(long, short) for source in cells]
    for number, source in enumerate(cells):
        exec(compile(source, f"tour.ipynb, cell {number}", "exec"), names)
    assert names["page"].exists()
    assert "answer:" in capsys.readouterr().out
    assert Path(names["directory"]).is_relative_to(tmp_path)
