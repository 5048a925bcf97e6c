"""The mer-tf command from synth to score, in this process."""

import subprocess
import sys

import pandas as pd
import pytest

from mer_tf import cli
from mer_tf.datasets.manifest import read_manifest


@pytest.fixture
def command(monkeypatch, capsys):
    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["mer-tf", *map(str, arguments)])
        cli.main()
        return capsys.readouterr().out

    return run


def test_from_synth_to_inspect(command, tmp_path):
    tree, sheet = tmp_path / "smic", tmp_path / "sheet.png"
    command("synth", "--out", tree, "--subjects", 1, "--clips-per-class", 1, "--style", "s1", "--preview", sheet)
    assert sheet.stat().st_size > 10_000
    shown = command("manifest", "--dataset", "smic-hs", "--root", tree, "--out", tmp_path / "m.csv")
    assert "4 clips of 1 subjects" in shown
    assert {r.subject for r in read_manifest(tmp_path / "m.csv")} == {"smic/s01"}
    recipe = ["--face", "none", "--size", 32, "--flow", "none"]
    shown = command("preprocess", "--manifest", tmp_path / "m.csv", "--out", tmp_path / "records", *recipe)
    directory = shown.strip().splitlines()[-1]
    with pytest.raises(SystemExit) as status:
        command("inspect", directory, "--check")
    assert status.value.code == 0


def test_synth_draws_samm_and_its_manifest_is_read_back(command, tmp_path):
    tree, sheet = tmp_path / "samm", tmp_path / "sheet.png"
    command("synth", "--dataset", "samm", "--out", tree, "--subjects", 1, "--clips-per-class", 1, "--preview", sheet)
    assert sheet.stat().st_size > 10_000
    shown = command("manifest", "--dataset", "samm", "--root", tree, "--out", tmp_path / "m.csv")
    assert "3 clips of 1 subjects" in shown


def test_check_of_a_damaged_shard_exits_with_1(command, tmp_path, capsys):
    tree = tmp_path / "smic"
    command("synth", "--out", tree, "--subjects", 1, "--clips-per-class", 1)
    command("manifest", "--dataset", "smic-hs", "--root", tree, "--out", tmp_path / "m.csv")
    recipe = ["--face", "none", "--size", 32, "--flow", "none"]
    shown = command("preprocess", "--manifest", tmp_path / "m.csv", "--out", tmp_path / "records", *recipe)
    (shard,) = (tmp_path / "records").rglob("*.tfrecord")
    data = bytearray(shard.read_bytes())
    data[len(data) // 2] ^= 1
    shard.write_bytes(data)
    with pytest.raises(SystemExit) as status:
        command("inspect", shown.strip().splitlines()[-1], "--check")
    assert status.value.code == 1
    assert shard.name in capsys.readouterr().out


def test_score_of_somebody_elses_file(command, tmp_path):
    path = tmp_path / "theirs.csv"
    rows = [("a", "x", "x"), ("b", "x", "y"), ("c", "y", "y"), ("d", "y", "y")]
    pd.DataFrame(rows, columns=["clip_id", "y_true", "y_pred"]).to_csv(path, index=False)
    shown = command("score", path, "--permutations", 99)
    assert "75.0%" in shown
    assert "over clips" in shown
    assert "73.3%" in shown  # UF1 of (2/3, 4/5)


@pytest.mark.parametrize("arguments", [("score", "none.csv"), ("inspect", "none"), ("manifest", "--root", "none")])
def test_bad_input_is_one_line_and_status_1(command, arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    extra = ("--dataset", "smic-hs") if arguments[0] == "manifest" else ()
    with pytest.raises(SystemExit) as status:
        command(*arguments, *extra)
    assert str(status.value.code).startswith("error: none")


def test_help_loads_nothing_heavy():
    code = (
        "import sys, mer_tf.cli; print(sorted({'keras', 'tensorflow', 'pandas', 'cv2', 'sklearn'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
