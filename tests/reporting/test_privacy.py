"""A page tells neither where files lay nor what people look like, unless it is asked to."""

import dataclasses
import json

import pytest
from helpers.made_up_runs import DRAWS, write_pictures, write_run
from helpers.running import mer_tf
from hypothesis import given, settings
from hypothesis import strategies as st

from mer_tf.cli.result_commands import score
from mer_tf.config import Data, Experiment
from mer_tf.datasets import ADAPTERS
from mer_tf.reporting import privacy
from mer_tf.reporting.report import report_html
from mer_tf.reporting.run_files import read_run

PRIVATE = "/home/jane.doe"


def run_of(tmp_path, data, warnings=(), name="run"):
    experiment = Experiment("exp_made_up", data=data, evaluation=DRAWS, out=f"{PRIVATE}/runs")
    directory = write_run(tmp_path / name, experiment, warnings=warnings)
    write_pictures(directory)
    config = json.loads((directory / "config.json").read_text())
    config["command"] = [f"{PRIVATE}/mer_tf/experiments/exp_made_up.py", "--data.root", f"{PRIVATE}/My Data/SMIC"]
    config["resolved"]["weights"] = {"source": f"{PRIVATE}/.cache/mer_tf/weights/x.h5", "sha256": "0"}
    (directory / "config.json").write_text(json.dumps(config))
    return directory


LICENSED = Data(root=f"{PRIVATE}/My Data/SMIC", cache=f"{PRIVATE}/data")
SAID = (f"2 of 9 clips could not be read: {PRIVATE}/data/records/x/errors.csv",)


def test_no_absolute_path_is_shown(tmp_path):
    html = report_html([read_run(run_of(tmp_path, LICENSED, SAID))])
    assert "jane" not in html
    assert str(tmp_path) not in html
    assert "python experiments/exp_made_up.py --data.root" in html
    assert "…/SMIC" in html
    assert "could not be read: …/errors.csv" in html
    assert "gone.png cannot be shown" in report_html([read_run(tmp_path / "run")], faces=True)
    assert str(tmp_path) not in report_html([read_run(tmp_path / "run")], faces=True)


@pytest.mark.parametrize(
    ("data", "warnings", "people"),
    [
        (LICENSED, (), True),
        (Data(manifests=("a.csv", "b.csv")), ("synthetic look-alike, 3 px at the apex",), True),
        (Data(), (), False),
        (Data(root="/data/drawn"), ("synthetic look-alike, 3 px at the apex: no evidence",), False),
    ],
)
def test_faces_of_people_are_embedded_when_asked_for_alone(tmp_path, data, warnings, people):
    run = read_run(run_of(tmp_path, data, warnings))
    plain, asked = report_html([run]), report_html([run], faces=True)
    assert plain.count("data:image") == (0 if people else 2)
    assert asked.count("data:image") == 2
    assert ("cam.png shows people&#39;s faces and is left out; `mer-tf report --faces`" in plain) == people
    for page in (plain, asked):
        assert ("SMIC: the University of Oulu gives it to those who signed its licence agreement" in page) == people


@pytest.mark.parametrize("dataset", sorted(ADAPTERS.keys() - {"megc2019", "flow-images", "videos", "folders"}))
def test_each_data_set_says_its_own_licence(tmp_path, dataset):
    run = read_run(run_of(tmp_path, LICENSED))
    run = dataclasses.replace(run, manifest=run.manifest.assign(dataset=dataset))
    (said,) = privacy.licences(run)
    assert said.split(":")[0].casefold().replace(" ", "").replace("(me)^", "").startswith(dataset[:3].replace("-", ""))
    assert "gives it to those who signed its licence agreement; cite " in said


def test_a_run_on_several_data_sets_says_each_licence_once(tmp_path):
    run = read_run(run_of(tmp_path, LICENSED))
    several = ["smic-hs", "smic-vis", "samm", "videos"] * len(run.manifest)
    run = dataclasses.replace(run, manifest=run.manifest.assign(dataset=several[: len(run.manifest)]))
    said = [text.split(":")[0] for text in privacy.licences(run)]
    assert said == ["SAMM", "SMIC", "Data set videos"]
    assert "its licence is not known here" in privacy.licences(run)[-1]


def test_the_scorecard_of_a_run_says_the_licence(tmp_path, capsys):
    score(run_of(tmp_path, LICENSED), bootstrap=20, permutations=20)
    assert "SMIC: the University of Oulu gives it" in capsys.readouterr().out
    score(run_of(tmp_path, Data(), name="drawn"), bootstrap=20, permutations=20)
    assert "licence" not in capsys.readouterr().out


def test_the_command_has_the_option(tmp_path):
    directory = run_of(tmp_path, LICENSED)
    for options, embedded in (((), 0), (("--faces",), 2)):
        mer_tf("report", directory, "--out", tmp_path / "r.html", *options)
        assert (tmp_path / "r.html").read_text().count("data:image") == embedded


def test_an_unfinished_run_is_named_without_its_place(tmp_path):
    directory = run_of(tmp_path, LICENSED)
    (directory / "predictions.csv").unlink()
    html = report_html([read_run(directory)])
    assert str(tmp_path) not in html
    assert "--resume …/run" in html


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("/home/me/x.csv", "…/x.csv"),
        ("/home/me/My Data/SMIC/", "…/SMIC"),
        ("C:\\Users\\me\\SMIC", "…/SMIC"),
        ("kept in /home/me/data; see errors.csv", "kept in …/data; see errors.csv"),
        ("'/home/me/x.h5' (first)", "'…/x.h5' (first)"),
        ("/home/me/repo/experiments/exp2.py", "experiments/exp2.py"),
        ("runs/exp2/fold-0", "runs/exp2/fold-0"),
        ("https://doi.org/10.1145/3395035", "https://doi.org/10.1145/3395035"),
        ("17/66 and 1/2, AU 4+7, and/or, 255 / 3", "17/66 and 1/2, AU 4+7, and/or, 255 / 3"),
        ("~/.cache/mer_tf", "~/.cache/mer_tf"),
        ("/", "/"),
    ],
)
def test_paths_in_texts(text, shown):
    assert privacy.without_paths(text) == shown


WORDS = st.text("abcXYZ019-_ .", min_size=1, max_size=8).filter(str.strip)


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(st.lists(WORDS, min_size=1, max_size=4), st.sampled_from(["{}", "x: {}; y", "({})", "'{}' is gone"]))
def test_no_home_survives(parts, frame):
    home = "/home/secretname"
    text = frame.format(f"{home}/{'/'.join(part.strip().replace(' ', '') or 'x' for part in parts)}")
    assert "secretname" not in privacy.without_paths(text)


def test_a_run_is_otherwise_as_it_was(tmp_path):
    run = read_run(run_of(tmp_path, Data()))
    shown = privacy.without_places(run)
    assert shown.predictions is run.predictions
    assert shown.directory == run.directory
    assert {f.name for f in dataclasses.fields(run)} == {f.name for f in dataclasses.fields(shown)}
