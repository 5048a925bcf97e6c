"""What the system refuses ends every command with one line: the path, the reason, the mend, and status 1."""

import errno
import os
import subprocess
import sys

import pytest
from helpers.made_up_runs import write_run
from helpers.running import mer_tf

from mer_tf import cli, study
from mer_tf.au_flow.settings import Options
from mer_tf.cli import script
from mer_tf.config import Experiment
from mer_tf.errors import REASONS, refusal, refuse_addresses
from mer_tf.files import atomic, write_text
from mer_tf.study import Study

DEMO = Experiment("demo")


@pytest.fixture
def ending():
    """The last words of a command."""

    def run(*arguments):
        with pytest.raises(SystemExit) as end:
            mer_tf(*arguments)
        return str(end.value.code)

    return run


@pytest.fixture
def wrong(tmp_path):
    """A folder where a file is meant, a file where a folder is meant, and a table that can be read."""
    (tmp_path / "folder" / "in").mkdir(parents=True)
    (tmp_path / "file").write_text("x")
    (tmp_path / "t.csv").write_text("label,pred\n0,0\n1,1\n")
    (tmp_path / "claims.csv").write_text("printed,n\n50.00,66\n")
    write_run(tmp_path / "run")
    return tmp_path


COMMANDS = {
    "report, a folder": ("report", "run", "--out", "folder"),
    "report, below a file": ("report", "run", "--out", "file/report.html"),
    "audit, a folder": ("audit", "--table", "claims.csv", "--out", "folder"),
    "audit, of a folder": ("audit", "--table", "folder"),
    "score, a folder": ("score", "t.csv", "--permutations", "1", "--out", "folder"),
    "score, below a file": ("score", "t.csv", "--permutations", "1", "--out", "file/deep/m.json"),
    "synth, a file": ("synth", "--dataset", "mmew", "--counts", "small", "--out", "file"),
    "preprocess, of a folder": ("preprocess", "--manifest", "folder", "--out", "records"),
    "protocols, of a folder": ("protocols", "--diff", "smic-3", "smic-4", "--manifest", "folder"),
    "inspect, of a file": ("inspect", "file"),
    "a name that is too long": ("score", "n" * 300 + ".csv"),
}


@pytest.mark.parametrize("arguments", COMMANDS.values(), ids=COMMANDS)
def test_paths_that_cannot_be_are_one_line(arguments, ending, wrong, monkeypatch):
    monkeypatch.chdir(wrong)
    said = ending(*arguments)
    assert said.startswith("error: ")
    assert any(name in said for name in ("folder", "file", "n" * 300))
    assert ".part" not in said
    assert "\n" not in said


def test_a_manifest_that_cannot_be_written_is_one_line(ending, tmp_path):
    root = tmp_path / "mmew"
    cli.run(["synth", "--dataset", "mmew", "--counts", "small", "--out", str(root)])
    said = ending("manifest", "--dataset", "mmew", "--root", root, "--out", tmp_path)
    assert said == f"error: {tmp_path}: is a folder, and a file is meant; name a file"


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_says_that_the_disk_is_full_only_when_it_is(name, ending, monkeypatch):
    def refuse(number):
        def command() -> None:
            """Refused."""
            raise OSError(number, os.strerror(number), "/data/x")

        return command

    monkeypatch.delitem(cli.PREPARED, name, raising=False)
    monkeypatch.setitem(cli.COMMANDS, name, refuse(errno.ENOSPC))
    assert ending(name) == f"error: /data/x: the disk is full; {REASONS[errno.ENOSPC][1]}"
    monkeypatch.setitem(cli.COMMANDS, name, refuse(errno.EIO))
    assert ending(name) == f"error: /data/x: {os.strerror(errno.EIO)}; mend that and run the command again"


def _start(*words):
    return lambda: script.main(Study(Experiment("demo"), Experiment("demo")), arguments=list(words))


@pytest.mark.parametrize(
    "start",
    [
        _start(),
        _start("run"),
        _start("--train.epochs", "3"),
        lambda: script.pretrain_main(Options(sequence=True), DEMO, arguments=[]),
    ],
)
def test_scripts_of_experiments_end_the_same_way(start, monkeypatch):
    def refuse(*_, **__):
        raise OSError(errno.EACCES, "Permission denied", "/root/runs")

    monkeypatch.setattr(study, "run", refuse)
    monkeypatch.setattr(script, "check", refuse)
    with pytest.raises(SystemExit) as end:
        start()
    assert str(end.value.code) == f"error: /root/runs: permission denied; {REASONS[errno.EACCES][1]}"


def test_an_atomic_writer_names_the_file_and_not_its_temporary_name(tmp_path):
    def full(number):
        with atomic(tmp_path / "x.csv"):
            raise OSError(number, os.strerror(number))

    for number in REASONS:
        with pytest.raises(OSError, match=r"x\.csv") as caught:
            full(number)
        assert refusal(caught.value) == f"{tmp_path / 'x.csv'}: {'; '.join(REASONS[number])}"
    with pytest.raises(OSError, match="never.png"), atomic(tmp_path / "never.png"):
        pass
    with pytest.raises(IsADirectoryError) as caught:
        write_text(tmp_path, "")
    assert refusal(caught.value).startswith(f"{tmp_path}: is a folder")
    assert not list(tmp_path.iterdir())


def test_errors_of_libraries_keep_their_words():
    assert refusal(OSError("file signature not found")).startswith("file signature not found; mend")


def test_a_reader_that_goes_away_is_no_error():
    code = "from mer_tf import cli; cli.main(['protocols'])"
    done = subprocess.run(
        f'{sys.executable} -c "{code}" | true', shell=True, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("words", "address"),
    [
        (["preprocess", "--manifest", "m.csv", "--out", "s3://faces/records"], "s3://faces/records"),
        (["manifest", "--dataset", "samm", "--root=gs://faces/SAMM"], "gs://faces/SAMM"),
        (["spot", "https://example.org/a.mp4"], "https://example.org/a.mp4"),
    ],
)
def test_an_address_is_no_path(words, address, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as end:
        cli.main(words)
    assert str(end.value.code).startswith(f"error: {address}: is an address, not a path; give a folder or file of this")
    assert not list(tmp_path.iterdir())


def test_an_experiment_takes_no_address_for_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as end:
        script.main(Study(DEMO, DEMO), ["--data.root", "s3://faces/SMIC"])
    assert "s3://faces/SMIC: is an address" in str(end.value.code)
    assert not list(tmp_path.iterdir())


def test_options_of_a_pipeline_may_hold_addresses():
    refuse_addresses(["preprocess", "--beam", "runner=DataflowRunner", "temp_location=gs://faces/temporary"])
