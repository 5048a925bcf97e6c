"""mer-tf audit: the built-in table, anybody's table, and its exit status."""

import pandas as pd
import pytest
from helpers.running import mer_tf


def audit(*arguments):
    return mer_tf("audit", *arguments)


def test_paper_c_is_explained_in_sentences(tmp_path):
    shown = audit("--paper", "C", "--out", tmp_path / "audit.csv")
    assert "the values look like k/66, not like k/328" in shown
    assert "46.07 is no k/66; 31/66 = 46.97 differs by one digit" in shown
    assert "60.60 and 60.06 differ by two swapped digits" in shown
    written = pd.read_csv(tmp_path / "audit.csv", dtype=str)
    assert list(written.columns) == ["key", "printed", "n", "consistent", "k", "chance", "note"]
    row = written[(written["key"] == "C/T3/BiLSTM/N13") & (written["n"] == "66")].iloc[0]
    assert (row["printed"], row["consistent"], row["k"]) == ("60.60", "True", "40/66 by truncation")


def test_papers_without_figures_show_their_claims():
    shown = audit("--paper", "D")
    assert "the model works best when 10 IBs are used" in shown
    assert "n =" not in shown


def test_contradictions_fail_only_when_strict(tmp_path):
    table = tmp_path / "theirs.csv"
    table.write_text("printed,n,group,same_as\n50.00,66,x,best\n51.52,66,x,best\n")
    assert "best: printed as 50.00 (line 2) and as 51.52 (line 3)" in audit("--table", table)
    with pytest.raises(SystemExit) as status:
        audit("--table", table, "--strict")
    assert status.value.code == 1


def test_clean_table_passes_strictly(tmp_path):
    table = tmp_path / "theirs.csv"
    table.write_text("printed,n\n50.00,66\n51.52,66\n")
    assert "n = 66: 2 of 2 possible" in audit("--table", table, "--strict")


def test_impossible_figure_fails_when_strict(tmp_path, capsys):
    table = tmp_path / "theirs.csv"
    table.write_text("printed,n\n46.07,66; 65\n")
    with pytest.raises(SystemExit) as status:
        audit("--table", table, "--strict")
    assert status.value.code == 1
    assert "line 2: 46.07; tried n = 66, 65" in capsys.readouterr().out


def test_malformed_table_ends_with_its_file_and_line(tmp_path):
    table = tmp_path / "theirs.csv"
    table.write_text("printed,n\n50.00,66\n5o.00,66\n")
    with pytest.raises(SystemExit, match=r"error: .*theirs\.csv, line 3: '5o\.00' is no printed number"):
        audit("--table", table)


def test_paper_and_table_exclude_each_other(tmp_path):
    with pytest.raises(SystemExit, match="exclude each other"):
        audit("--table", tmp_path / "x.csv", "--paper", "C")
