"""Other people's tables and logs read as predictions, or refused by line."""

import pandas as pd
import pytest

from mer_tf.config import MerError
from mer_tf.evaluation.metrics import evaluate
from mer_tf.scoring.support import check_support, parse_support, published_support
from mer_tf.scoring.tables import read_foreign

ROWS = [("a", "s1", 0, 0), ("b", "s1", 1, 0), ("c", "s2", 2, 2)]
NAMES = ("negative", "positive", "surprise")
LOG = """some line of training
Subject: sub01
Predicted    : [0, 1, 2]
Ground Truth : [0, 1, 1]
UF1: 0.5 | UAR: nan
Evaluation until this subject:
Subject: sub02
Ground Truth: [0 2]
Predicted : [2 2]
Final Evaluation:
"""


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "names",
    [
        ("clip_id", "subject", "y_true", "y_pred"),
        ("Filename", "Subject", "label", "prediction"),
        ("video", "sub", "Ground Truth", "Predicted"),
        ("Sample", "Participant", "gt", "pred"),
        ("file", "subject_id", "target", "PREDS"),
    ],
)
@pytest.mark.parametrize("kind", ["a.csv", "a.tsv", "a.xlsx", "semicolon.csv"])
def test_tables_of_all_kinds_and_names(tmp_path, names, kind):
    table, path = pd.DataFrame(ROWS, columns=names), tmp_path / kind
    if kind.endswith("xlsx"):
        table.to_excel(path, index=False)
    else:
        table.to_csv(path, index=False, sep={"a.csv": ",", "a.tsv": "\t"}.get(kind, ";"), encoding="utf-8-sig")
    frame = read_foreign(path, classes=NAMES).frame
    assert frame["clip_id"].tolist() == ["a", "b", "c"]
    assert frame["subject"].tolist() == ["s1", "s1", "s2"]
    assert frame["y_true"].tolist() == list(NAMES)
    assert frame["y_pred"].tolist() == ["negative", "negative", "surprise"]


def test_options_name_unusual_columns_and_rows_are_numbered(tmp_path):
    path = write(tmp_path / "t.csv", "emo,guess,who\nx,x,p\ny,x,q\n")
    with pytest.raises(MerError, match="lacks the columns y_true: name one by --true; it has emo, guess, who"):
        read_foreign(path)
    found = read_foreign(path, {"y_true": "emo", "y_pred": "guess", "subject": "who", "fold": None})
    assert found.frame["subject"].tolist() == ["p", "q"]
    assert found.frame["clip_id"].tolist() == ["row 2", "row 3"]
    assert "no column names the clips; rows are numbered" in found.notes
    with pytest.raises(MerError, match="has no column 'none' for y_true"):
        read_foreign(path, {"y_true": "none", "y_pred": "guess"})


def test_columns_that_may_each_be_meant_are_asked_for(tmp_path):
    path = write(tmp_path / "t.csv", "clip,label,target,pred\na,0,1,1\n")
    with pytest.raises(MerError, match="label and target may each be y_true"):
        read_foreign(path)
    assert read_foreign(path, {"y_true": "target"}).frame["y_true"].tolist() == ["1"]


def test_clips_of_several_subjects_may_share_a_name(tmp_path):
    path = write(tmp_path / "t.csv", "filename,subject,label,pred\nEP01,sub01,0,0\nEP01,sub02,1,1\n")
    assert read_foreign(path).frame["clip_id"].tolist() == ["sub01/EP01", "sub02/EP01"]
    write(path, "filename,subject,label,pred\nEP01,sub01,0,0\nEP01,sub01,1,1\n")
    with pytest.raises(MerError, match="line 3: EP01 is predicted more than once"):
        read_foreign(path)


def test_labels_written_as_decimals_are_the_same_labels(tmp_path):
    frame = read_foreign(write(tmp_path / "t.csv", "label,pred\n0.0,0\n1.0,-1\n")).frame
    assert frame[["y_true", "y_pred"]].to_numpy().tolist() == [["0", "0"], ["1", "-1"]]


def test_a_label_that_classes_do_not_name_is_refused_by_clip(tmp_path):
    path = write(tmp_path / "t.csv", "clip,label,pred\na,0,Positive\nb,3,0\n")
    with pytest.raises(MerError, match="t.csv, b: y_true '3' is neither an index below 3 nor one of negative"):
        read_foreign(path, classes=NAMES)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("t.csv", "", "not a table that can be read"),
        ("t.csv", "label,pred\n", "holds no prediction"),
        ("t.csv", "label,pred\n0,0\n,1\n", "line 3: y_true is empty"),
        ("t.xlsx", "PK\x03\x04label,pred\n0,0\n", "not a readable xlsx"),
        ("t.xlsx", "no table\n", "lacks the columns y_true"),
        ("t.log", "", "holds no predictions"),
        ("t.log", "Epoch 1, loss 0.3\n", "line 1: cannot read 'Epoch 1, loss 0.3'"),
        ("t.log", "a 0 0\n", "line 1: 'a 0 0' comes before"),
        ("t.log", "Subject: a\nPredicted: [0, 1\n", "line 2: .* is not a list of labels"),
        ("t.log", "Subject: a\nPredicted: [0 1 ... 2]\nGround Truth: [0]\n", "line 2: .* is not a list of labels"),
        ("t.log", "Subject: a\nPredicted: []\n", "line 2: .* is not a list of labels"),
        ("t.log", "Subject: a\nPredicted: [0]\nSubject: b\n", "line 1: the block of a lacks its Ground Truth line"),
        ("t.log", "Subject: a\nPredicted: [0]\nGround Truth: [0, 1]\n", "has 1 predictions for 2 true labels"),
        ("t.log", "Subject: a\nPredicted: [0]\nPredicted: [1]\n", "line 3: a second list of a"),
        (
            "t.log",
            "Subject: a\nPredicted: [0]\nGround Truth: [0]\nSubject: a\nPredicted: [0]\nGround Truth: [0]\n",
            "line 4: the block of a comes a second time",
        ),
    ],
)
def test_what_cannot_be_read_is_named_with_its_line(tmp_path, name, text, message):
    path = write(tmp_path / name, text)
    with pytest.raises(MerError, match=message) as caught:
        read_foreign(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("name", ["log.csv", "log.xlsx", "log", "log.tsv", "log.dat"])
def test_a_log_is_known_by_its_content(tmp_path, name):
    found = read_foreign(write(tmp_path / name, LOG), classes=NAMES)
    assert found.frame["fold"].tolist() == ["0", "0", "0", "1", "1"]
    lines = write(tmp_path / name, "casme2 sub01\nEP02_01f 1 0\nEP03 1 1\n")
    assert read_foreign(lines).frame["clip_id"].tolist() == ["casme2/sub01/EP02_01f", "casme2/sub01/EP03"]


@pytest.mark.parametrize("name", ["t.txt", "t.log", "t", "t.dat", "t.xlsx", "t.xls"])
@pytest.mark.parametrize("separator", [",", "\t", ";"])
def test_a_table_is_known_by_its_content(tmp_path, name, separator):
    path = write(tmp_path / name, "label,pred\n0,0\n1,0\n".replace(",", separator))
    assert read_foreign(path).frame["y_true"].tolist() == ["0", "1"]
    path = write(tmp_path / name, "emo,guess\n0,0\n1,0\n".replace(",", separator))
    assert read_foreign(path, {"y_true": "emo", "y_pred": "guess"}).frame["y_pred"].tolist() == ["0", "0"]


@pytest.mark.parametrize("name", ["none.csv", "none.txt", "none.xlsx"])
def test_absent_file(tmp_path, name):
    with pytest.raises(MerError, match="no such file"):
        read_foreign(tmp_path / name)


def test_column_names_are_not_for_logs(tmp_path):
    with pytest.raises(MerError, match="column names are for"):
        read_foreign(write(tmp_path / "t.log", LOG), {"y_true": "label"})


def test_log_blocks_are_folds_of_one_subject(tmp_path):
    frame = read_foreign(write(tmp_path / "t.log", LOG), classes=NAMES).frame
    assert frame["clip_id"].tolist() == ["sub01/1", "sub01/2", "sub01/3", "sub02/1", "sub02/2"]
    assert frame["fold"].tolist() == ["0", "0", "0", "1", "1"]
    assert frame["y_true"].tolist() == ["negative", "positive", "positive", "negative", "surprise"]
    assert frame["y_pred"].tolist() == ["negative", "positive", "surprise", "surprise", "surprise"]
    assert evaluate(frame, bootstrap=10, permutations=0)["subjects"] == 2


@pytest.mark.parametrize(
    "shown",
    ["[0, 1, 2]", "[0 1 2]", "[0. 1. 2.]", "tensor([0, 1, 2], device='cuda:0')", "array([0, 1, 2])", "[ 0 1\n  2]"],
)
def test_lists_of_python_numpy_and_torch(tmp_path, shown):
    text = f"Subject: s\nPredicted   : {shown}\nGround Truth: {shown}\n"
    assert read_foreign(write(tmp_path / "t.txt", text)).frame["y_pred"].tolist() == ["0", "1", "2"]


def test_a_log_without_subjects_is_one_block(tmp_path):
    frame = read_foreign(write(tmp_path / "t.txt", "Ground Truth: [0, 1]\nPredicted: [1, 1]\n")).frame
    assert "subject" not in frame.columns
    assert frame["y_true"].tolist() == ["0", "1"]


def test_best_epochs_on_the_test_subject_are_called_peeking(tmp_path):
    text = LOG.replace("Predicted", "Best Predicted")
    assert any(note.startswith("PEEKING:") for note in read_foreign(write(tmp_path / "t.log", text)).notes)
    both = LOG.replace("Ground", "Best Predicted: [1, 1, 1]\nGround", 1)
    found = read_foreign(write(tmp_path / "t.log", both))
    assert found.frame["y_pred"].tolist()[:3] == ["0", "1", "2"]
    assert not any(note.startswith("PEEKING:") for note in found.notes)


def test_lines_of_clip_truth_and_prediction(tmp_path):
    frame = read_foreign(write(tmp_path / "t.txt", "casme2 sub01\nEP02_01f 1 0\nsamm 006\n006_1_2 0 2\n")).frame
    assert frame["clip_id"].tolist() == ["casme2/sub01/EP02_01f", "samm/006/006_1_2"]
    assert frame["dataset"].tolist() == ["casme2", "samm"]
    assert frame[["y_true", "y_pred"]].to_numpy().tolist() == [["1", "0"], ["0", "2"]]


def test_a_run_directory_is_read_by_its_predictions(tmp_path):
    write(tmp_path / "predictions.csv", "clip_id,fold,seed,y_true,y_pred,p_x,p_y\na,0,0,x,y,.4,.6\na,0,1,x,x,.6,.4\n")
    frame = read_foreign(tmp_path).frame
    assert evaluate(frame, bootstrap=10, permutations=0)["seeds"] == 2
    assert frame["p_x"].astype(float).tolist() == [0.4, 0.6]


def test_support_says_equal_swapped_or_what_differs():
    frame = pd.DataFrame({"clip_id": list("abc"), "y_true": list("xxy"), "y_pred": list("xyy")})
    assert check_support(frame, {"x": 2, "y": 1, "z": 0})[1]
    swapped, passed = check_support(frame, {"x": 1, "y": 2})
    assert not passed
    assert swapped.startswith("SWAPPED LABELS")
    other, passed = check_support(frame, {"x": 3, "z": 1})
    assert not passed
    assert "x: 2 clips, expected 3" in other
    assert "y: 1 clips, expected 0" in other
    assert "z: 0 clips, expected 1" in other


def test_expected_counts_come_from_text_or_from_the_published_ones():
    assert parse_support(["negative=70", "positive=51"]) == {"negative": 70, "positive": 51}
    with pytest.raises(MerError, match="'negative:70' is not of the form class=count"):
        parse_support(["negative:70"])
    assert published_support("smic-3", "smic-hs") == {"negative": 70, "positive": 51, "surprise": 43}
    with pytest.raises(MerError, match="no published class counts; known are .*smic-3 smic-hs"):
        published_support("smic-3", "mars")
