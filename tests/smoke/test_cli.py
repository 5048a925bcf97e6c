"""The mer-tf command from synth to score, in this process."""

from pathlib import Path

import pandas as pd
import pytest
from helpers.running import mer_tf

from mer_tf.datasets.manifest import read_manifest


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """A folder with a tree of one subject, smic, and its contact sheet, sheet.png."""
    folder = tmp_path_factory.mktemp("drawn")
    options = ["--subjects", 1, "--clips-per-class", 1, "--style", "s1"]
    mer_tf("synth", "--out", folder / "smic", *options, "--preview", folder / "sheet.png")
    return folder


@pytest.fixture
def records(drawn, tmp_path):
    """Records of the tree; the manifest, m.csv, stands beside them."""
    mer_tf("manifest", "--dataset", "smic-hs", "--root", drawn / "smic", "--out", tmp_path / "m.csv")
    recipe = ["--face", "none", "--size", 32, "--flow", "none"]
    shown = mer_tf("preprocess", "--manifest", tmp_path / "m.csv", "--out", tmp_path / "records", *recipe)
    return Path(shown.strip().splitlines()[-1])


def test_a_drawn_tree_is_listed(drawn, tmp_path):
    assert (drawn / "sheet.png").stat().st_size > 10_000
    shown = mer_tf("manifest", "--dataset", "smic-hs", "--root", drawn / "smic", "--out", tmp_path / "m.csv")
    assert "4 clips of 1 subjects" in shown
    assert {r.subject for r in read_manifest(tmp_path / "m.csv")} == {"smic/s01"}


def test_check_of_sound_records_exits_with_0(records):
    with pytest.raises(SystemExit) as status:
        mer_tf("inspect", records, "--check")
    assert status.value.code == 0


def test_check_of_a_damaged_shard_exits_with_1(records, capsys):
    (shard,) = records.rglob("*.tfrecord")
    data = bytearray(shard.read_bytes())
    data[len(data) // 2] ^= 1
    shard.write_bytes(data)
    with pytest.raises(SystemExit) as status:
        mer_tf("inspect", records, "--check")
    assert status.value.code == 1
    assert shard.name in capsys.readouterr().out


def test_synth_draws_samm_and_its_manifest_is_read_back(tmp_path):
    tree, sheet = tmp_path / "samm", tmp_path / "sheet.png"
    mer_tf("synth", "--dataset", "samm", "--out", tree, "--subjects", 1, "--clips-per-class", 1, "--preview", sheet)
    assert sheet.stat().st_size > 10_000
    shown = mer_tf("manifest", "--dataset", "samm", "--root", tree, "--out", tmp_path / "m.csv")
    assert "3 clips of 1 subjects" in shown


def test_score_of_somebody_elses_file(tmp_path):
    path = tmp_path / "theirs.csv"
    rows = [("a", "x", "x"), ("b", "x", "y"), ("c", "y", "y"), ("d", "y", "y")]
    pd.DataFrame(rows, columns=["clip_id", "y_true", "y_pred"]).to_csv(path, index=False)
    shown = mer_tf("score", path, "--permutations", 99)
    assert "75.0%" in shown
    assert "over clips" in shown
    assert "73.3%" in shown  # UF1 of (2/3, 4/5)


@pytest.mark.parametrize("arguments", [("score", "none.csv"), ("inspect", "none"), ("manifest", "--root", "none")])
def test_bad_input_is_one_line_and_status_1(arguments, tmp_path):
    extra = ("--dataset", "smic-hs") if arguments[0] == "manifest" else ()
    with pytest.raises(SystemExit) as status:
        mer_tf(*arguments, *extra, cwd=tmp_path)
    assert str(status.value.code).startswith("error: none")
