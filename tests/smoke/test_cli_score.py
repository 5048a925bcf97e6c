"""mer-tf score and compare, in this process."""

import json

import pandas as pd
import pytest
from helpers.running import mer_tf

LOG = (
    "Subject: s1\nPredicted: [0, 1, 2]\nGround Truth: [0, 1, 1]\nSubject: s2\nPredicted: [0, 2]\nGround Truth: [0, 2]\n"
)


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "log.txt"
    path.write_text(LOG)
    return path


def test_score_of_a_log_prints_and_writes_everything(log, tmp_path):
    out = tmp_path / "metrics.json"
    named = ["--classes", "negative", "positive", "surprise"]
    shown = mer_tf("score", log, *named, "--permutations", 99, "--per-subject", "--out", out)
    for part in ("80.0%", "mean-of-folds UAR", "variants lie up to", "surprise", "positive as surprise (1 of 2)"):
        assert part in shown
    written = json.loads(out.read_text())
    assert written["accuracy"]["pooled"] == 0.8
    assert written["subjects"] == 2
    assert {row["metric"] for row in written["variants"]} >= {"UAR", "MCC", "best-fold accuracy"}
    assert len(written["per_subject"]) == 2
    assert {one["code"] for one in written["warnings"]} == {"variants_apart"}


def test_support_decides_the_exit_status(log, capsys):
    assert "expected counts (0 2, 1 2, 2 1)" in mer_tf("score", log, "--expect-support", "0=2", "1=2", "2=1")
    with pytest.raises(SystemExit) as status:
        mer_tf("score", log, "--expect-support", "0=2", "1=1", "2=2")
    assert status.value.code == 1
    assert "SWAPPED LABELS" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        mer_tf("score", log, "--expect", "smic-3", "smic-hs")
    assert "negative: 0 clips, expected 70" in capsys.readouterr().out


def test_score_takes_the_names_of_columns(tmp_path):
    path = tmp_path / "theirs.csv"
    pd.DataFrame([("x", "x", "p"), ("y", "x", "q")], columns=["emo", "guess", "who"]).to_csv(path, index=False)
    shown = mer_tf("score", path, "--true", "emo", "--pred", "guess", "--subject", "who", "--permutations", 9)
    assert "2 clips of 2 subjects" in shown


def test_compare_takes_files_and_run_directories(log, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    rows = [("s1/1", "0"), ("s1/2", "1"), ("s1/3", "1"), ("s2/1", "0"), ("s2/2", "2")]
    table = pd.DataFrame(rows, columns=["clip_id", "y_true"])
    table.assign(y_pred=table["y_true"]).to_csv(run / "predictions.csv", index=False)
    shown = mer_tf("compare", run, log)
    assert "+20.0 [" in shown
    assert "5 clips of 2 subjects" in shown
    assert "No difference is shown" in shown


def test_compare_of_other_clips_is_one_line_and_status_1(log, tmp_path):
    other = tmp_path / "other.csv"
    other.write_text("clip_id,y_true,y_pred\nz,0,0\n")
    with pytest.raises(SystemExit) as status:
        mer_tf("compare", log, other)
    assert "only the second has z" in str(status.value.code)
