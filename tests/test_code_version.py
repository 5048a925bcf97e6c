"""What code did to numbers is told apart: drawn trees, records and runs of other versions are not taken for today's."""

import json
from dataclasses import asdict, replace

import pytest

from mer_tf.code_version import CODE, PIXELS, TRAINING, counted
from mer_tf.config import Experiment, MerError, digest
from mer_tf.descriptors import METHODS
from mer_tf.run_directory import environment, finished_run, go_on, write_description
from mer_tf.synthetic import embedded
from mer_tf.synthetic.faces.clip import Arguments


def test_names_of_the_first_version_are_those_before_it():
    assert digest("settings", *counted(1)) == digest("settings")
    assert digest("settings", *counted(2)) != digest("settings")


def test_a_tree_drawn_by_another_version_is_not_taken(tmp_path, monkeypatch):
    monkeypatch.setitem(embedded.DRAWN, "smic-hs", lambda out, **_: out)
    now = embedded.draw_tree(Experiment("e").data, tmp_path)
    monkeypatch.setattr(embedded, "PIXELS", PIXELS + 1)
    assert embedded.draw_tree(Experiment("e").data, tmp_path) != now
    assert Arguments(faces="").version == PIXELS


@pytest.fixture
def finished(tmp_path):
    """A finished run and the experiment that it ran."""
    experiment = Experiment("e", out=str(tmp_path))
    directory = tmp_path / "e" / "1"
    directory.mkdir(parents=True)
    (directory / "config.json").write_text(json.dumps({"experiment": asdict(experiment)}))
    (directory / "env.json").write_text(json.dumps({"code": CODE}))
    (directory / "metrics.json").write_text("{}")
    return experiment, directory


def test_a_finished_run_is_found_by_settings_and_code(finished):
    experiment, directory = finished
    assert finished_run(experiment) == directory
    assert finished_run(replace(experiment, published=("other",))) is None
    for told in ({"code": {"pixels": PIXELS, "training": TRAINING + 1}}, {}):
        (directory / "env.json").write_text(json.dumps(told))
        assert finished_run(experiment) is None
    (directory / "env.json").unlink()
    assert finished_run(experiment) is None


def test_no_run_goes_on_by_other_code(finished):
    experiment, directory = finished
    assert go_on(experiment, directory) == directory
    (directory / "env.json").write_text(json.dumps({"code": {"pixels": PIXELS + 1, "training": TRAINING}}))
    with pytest.raises(MerError, match="was started by code of versions"):
        go_on(experiment, directory)
    (directory / "env.json").write_text("{}")
    assert go_on(experiment, directory) == directory


def test_no_run_goes_on_when_a_file_that_its_settings_name_holds_something_else(finished, tmp_path):
    experiment, directory = finished
    grid = tmp_path / "grid.csv"
    grid.write_text("system\n")
    experiment = replace(experiment, model=METHODS["lbp_top"](tune=True, grid=str(grid)))
    write_description(directory, experiment, {})
    assert go_on(experiment, directory) == directory
    assert finished_run(experiment) == directory
    grid.write_text("system\nlbp_top\n")
    with pytest.raises(MerError, match=r"when .*grid\.csv held something else"):
        go_on(experiment, directory)
    assert finished_run(experiment) is None
    grid.unlink()
    assert finished_run(experiment) is None


def test_a_run_tells_its_code_and_machine():
    told = environment()
    assert told["code"] == CODE
    assert told["processor"]
    assert told["onednn"] in (True, False, None)
