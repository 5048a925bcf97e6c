"""mer-tf manifest and mer-tf protocols, as a user types them."""

import openpyxl
import pytest
from helpers.running import mer_tf

from mer_tf.datasets.manifest import read_manifest

HEADER = ["Subject", "Filename", "OnsetFrame", "ApexFrame", "OffsetFrame", "Action Units", "Estimated Emotion"]


@pytest.fixture
def command(capsys):
    def run(*arguments):
        status = 0
        try:
            print(mer_tf(*arguments), end="")
        except SystemExit as end:
            status = end.code
        return status, capsys.readouterr().out

    return run


@pytest.fixture
def tree(tmp_path):
    root = tmp_path / "casme2"
    book = openpyxl.Workbook()
    for line in [HEADER, [1, "EP02", 1, 2, 3, "12", "happiness"], [2, "EP03", 1, 2, 3, "4", "disgust"]]:
        book.active.append(line)
    for name in ("sub01/EP02", "sub02/EP03"):
        (root / name).mkdir(parents=True)
        for number in (1, 2, 3):
            (root / name / f"img{number}.jpg").touch()
    book.save(tmp_path / "mine.xlsx")
    return root


def test_manifest_prints_the_table_the_counts_and_the_problems(command, tree, tmp_path):
    (tree / "sub03/EP01").mkdir(parents=True)
    out = ["--out", tmp_path / "m.csv"]
    status, shown = command("manifest", "--dataset", "casme2", "--root", tree, "--sheet", tmp_path / "mine.xlsx", *out)
    assert status == 0
    assert [r.clip_id for r in read_manifest(tmp_path / "m.csv")] == ["casme2/sub01/EP02", "casme2/sub02/EP03"]
    for part in (
        "2 clips of 2 subjects",
        "casme2, casme2-7: differs",
        "disgust: 1 clips, published 63",
        "1 problem(s)",
    ):
        assert part in shown
    assert "no row of mine.xlsx names this clip" in shown


def test_strict_ends_with_1_and_a_reference_is_compared_by_clip(command, tree, tmp_path):
    (tmp_path / "list.csv").write_text("clip_id,class\ncasme2/sub01/EP02,positive\ncasme2/sub09/EP03,negative\n")
    arguments = ["--dataset", "casme2", "--root", tree, "--sheet", tmp_path / "mine.xlsx", "--protocol", "megc2019-3"]
    arguments += ["--reference", tmp_path / "list.csv", "--out", tmp_path / "m.csv", "--strict"]
    status, shown = command("manifest", *arguments)
    assert status == 1
    assert "missing: casme2/sub09/EP03 (negative)" in shown
    assert "extra: casme2/sub02/EP03 (negative)" in shown
    assert (tmp_path / "m.csv").exists()


def test_an_unknown_protocol_writes_nothing(command, tree, tmp_path):
    status, _ = command(
        "manifest", "--dataset", "casme2", "--root", tree, "--protocol", "x", "--out", tmp_path / "m.csv"
    )
    assert str(status).startswith("error: unknown label protocol 'x'; known: ")
    assert not (tmp_path / "m.csv").exists()


def test_protocols_are_listed_and_compared(command, tree, tmp_path):
    assert "smic-3: negative, positive, surprise (of smic)" in command("protocols")[1]
    arguments = ["--dataset", "casme2", "--root", tree, "--sheet", tmp_path / "mine.xlsx", "--out", tmp_path / "m.csv"]
    command("manifest", *arguments)
    shown = command("protocols", "--diff", "casme2-5", "casme2-4", "--manifest", tmp_path / "m.csv")[1].splitlines()
    assert "casme2 fear: (left out) -> negative" in shown
    assert "casme2/sub01/EP02 (happiness): happiness -> positive" in shown
    assert command("protocols", "--diff", "casme2-5", "casme2-5")[1] == "no difference\n"
    assert str(command("protocols", "--manifest", tmp_path / "m.csv")[0]).endswith("give --diff A B too")
