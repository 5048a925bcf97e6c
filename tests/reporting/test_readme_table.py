"""The results tables of README.md and docs/ are those that docs/results gives, of experiments as declared now."""

import dataclasses
import json
from dataclasses import replace
from pathlib import Path

import pytest
from helpers.made_up_runs import CLASSES, DRAWS, predictions, write_run

from mer_tf.changes import all_settings, flat
from mer_tf.config import Data, Experiment, MerError
from mer_tf.reporting.analysis import PATHS
from mer_tf.reporting.readme import PAGE, results_markdown, store_and_update, summary_markdown
from mer_tf.runner import declared

ROOT = Path(__file__).parents[2]
STORED = sorted(path.parent for path in (ROOT / "docs" / "results").glob("*/config.json"))
BASE = Experiment("exp_made_up", evaluation=DRAWS)
START, END = "<!-- results -->", "<!-- /results -->"


def between(path, name):
    """What stands between the markers of a name, which must stand there once."""
    text = path.read_text(encoding="utf-8")
    start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    assert text.count(start) == text.count(end) == 1, f"{path.name} must hold {start} and {end} once"
    return text.partition(start)[2].partition(end)[0].strip()


def test_the_tables_that_are_shown_are_derived_from_docs_results():
    kept, page = ROOT / "docs" / "results", ROOT / PAGE
    assert between(page, "results") == results_markdown(kept, linked=False), (
        "mer-tf report RUN... --update-readme README.md"
    )
    assert between(ROOT / "README.md", "summary") == summary_markdown(kept), "python docs/regenerate.py --readme"


@pytest.mark.parametrize("folder", STORED, ids=lambda p: p.name)
def test_what_docs_results_keeps_was_run_as_it_is_declared_now(folder):
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    stored, changes = all_settings(flat(config["experiment"])), config["changes"]
    script = ROOT / "experiments" / f"{stored['name']}.py"
    now = listed(declared(script, config["preset"]))
    for name in now.keys() - set(PATHS):
        assert as_json(stored[name]) == changes.get(name, now[name]), f"{name}: run it again and --update-readme"


def listed(experiment):
    """Settings by dotted name, as JSON keeps them."""
    return flat(as_json(dataclasses.asdict(experiment)))


def as_json(value):
    """The value as JSON keeps it: tuples are lists there."""
    return json.loads(json.dumps(value))


@pytest.fixture
def readme(tmp_path):
    path = tmp_path / "README.md"
    path.write_text(f"before\n\n{START}\nold\n{END}\n\nafter\n", encoding="utf-8")
    return path


def keep(readme, *runs):
    return store_and_update(runs, readme, lambda name, preset: replace(BASE, name=name))


def test_only_the_text_between_the_markers_changes(readme, tmp_path):
    run = write_run(tmp_path / "run", BASE)
    *stored, written = keep(readme, run)
    text = readme.read_text(encoding="utf-8")
    assert written == readme
    assert text.startswith(f"before\n\n{START}\n| synthetic look-alike, 36 clips of 6 subjects | accuracy |")
    assert text.endswith(f"docs/results](docs/results).\n{END}\n\nafter\n")
    assert [p.relative_to(tmp_path).as_posix() for p in stored] == ["docs/results/exp_made_up"]
    keep(readme, run)
    assert readme.read_text(encoding="utf-8") == text


def test_rows_are_runs_their_baseline_and_the_majority(readme, tmp_path):
    still = replace(BASE, data=replace(BASE.data, amplitude=0.0))
    keep(readme, write_run(tmp_path / "a", BASE))
    keep(readme, write_run(tmp_path / "b", still, predictions(skill=0, seeds=(0, 1))))
    rows = results_markdown(tmp_path / "docs" / "results").splitlines()
    assert [row.split(" | ")[0] for row in rows[2:6]] == [
        "| exp_made_up",
        "| onset frame only, of exp_made_up; exp_made_up, `--data.amplitude 0`",
        "| exp_made_up, `--data.amplitude 0`",
        "| always the majority class, of exp_made_up; exp_made_up, `--data.amplitude 0`",
    ]
    assert "±" in rows[4]
    assert "standard deviation over repeated trainings" in rows[-1]
    assert {row.count("|") for row in rows[:6]} == {7}
    assert (tmp_path / "docs" / "results" / "exp_made_up-data.amplitude-0" / "predictions.csv").exists()


def test_all_results_stand_in_the_page_beside_readme_and_readme_has_their_summary(readme, tmp_path):
    page = tmp_path / PAGE
    page.parent.mkdir()
    page.write_text(f"before\n{START}\n{END}\n", encoding="utf-8")
    readme.write_text("<!-- summary -->\n<!-- /summary -->\n", encoding="utf-8")
    still = replace(BASE, data=replace(BASE.data, amplitude=0.0))
    runs = [write_run(tmp_path / "a", BASE), write_run(tmp_path / "b", still, predictions(skill=0))]
    assert keep(readme, *runs)[-2:] == [page, readme]
    assert "Derived from `docs/results`." in between(page, "results")
    (row,) = between(readme, "summary").splitlines()[2:]
    assert row.startswith("| `exp_made_up` | ")
    assert all(row.split(" | ")[1:4]), "its own UAR, that of the onset frame, that without motion"


def test_dangers_stand_in_the_row(readme, tmp_path):
    keep(readme, write_run(tmp_path / "run", BASE, warnings=("LEAKY SPLIT: clips of one subject",)))
    assert "| exp_made_up, **LEAKY SPLIT** | " in readme.read_text(encoding="utf-8")


def test_no_path_of_the_machine_is_kept(readme, tmp_path):
    warning = f"encoder auto became x: nothing in {Path.home()}/.cache"
    licensed = replace(BASE, data=Data(root="/secret/SMIC", cache="/secret/cache"), out="/secret/runs")
    (stored, _) = keep(readme, write_run(tmp_path / "run", licensed, warnings=(warning,)))
    text = (stored / "config.json").read_text(encoding="utf-8")
    assert stored.name == "exp_made_up-paper"
    assert "secret" not in text
    assert "nothing in ~/.cache" in text


def test_the_table_can_be_derived_again_from_what_is_kept(readme, tmp_path):
    (stored, _) = keep(readme, write_run(tmp_path / "run", BASE))
    shown = readme.read_text(encoding="utf-8")
    table = (stored / "predictions.csv").read_text(encoding="utf-8")
    (stored / "predictions.csv").write_text(table.replace(f",{CLASSES[0]},0.", f",{CLASSES[1]},0."), encoding="utf-8")
    assert results_markdown(tmp_path / "docs" / "results") not in shown


def test_unfinished_runs_and_readmes_without_markers_are_refused(readme, tmp_path):
    run = write_run(tmp_path / "run", BASE)
    (run / "predictions.csv").unlink()
    with pytest.raises(MerError, match=r"is unfinished, it has no predictions.csv"):
        keep(readme, run)
    readme.write_text(f"{END} {START}", encoding="utf-8")
    with pytest.raises(MerError, match=r"README.md: has no <!-- results --> followed by"):
        keep(readme, write_run(tmp_path / "other", BASE))
    with pytest.raises(MerError, match=r"absent.md: cannot be read"):
        keep(tmp_path / "absent.md", run)
    assert not (tmp_path / "docs").exists()
    with pytest.raises(MerError, match="keeps no run"):
        results_markdown(tmp_path / "docs")


def test_a_name_that_is_a_path_is_refused(readme, tmp_path):
    run = write_run(tmp_path / "run", replace(BASE, name="../../elsewhere"))
    with pytest.raises(MerError, match="cannot name a folder"):
        keep(readme, run)
