"""predictions.csv: written once, read from anybody."""

import numpy as np
import pandas as pd
import pytest

from mer_tf.config import MerError
from mer_tf.evaluation.predictions import predictions_frame, read_predictions, write_predictions

CLIPS = pd.DataFrame(
    {"clip_id": ["b", "a"], "dataset": "d", "subject": ["d/1", "d/2"], "fold": 0, "seed": 0, "y_true": ["x", "y"]}
)


def test_round_trip_sorted_with_probabilities(tmp_path):
    frame = predictions_frame(CLIPS, np.array([[0.9, 0.1], [0.7, 0.3]]), ["x", "y"], "whole")
    back = read_predictions(write_predictions(frame, tmp_path / "predictions.csv"))
    assert back["clip_id"].tolist() == ["a", "b"]
    assert back["y_pred"].tolist() == ["x", "x"]
    assert back["p_y"].astype(float).tolist() == [0.3, 0.1]
    assert list(back.columns)[:6] == ["clip_id", "dataset", "subject", "fold", "seed", "window"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("clip_id,y_true\na,x\n", "lacks the columns y_pred"),
        ("clip_id,y_true,y_pred\na,x,x\nb,,x\n", "line 3: y_true is empty"),
        ("clip_id,y_true,y_pred\na,x,x\na,x,y\n", "line 3: a is predicted more than once"),
        ("clip_id,y_true,y_pred\n", "holds no prediction"),
        ("", "not a CSV file"),
    ],
)
def test_bad_files_are_named_with_their_line(tmp_path, text, message):
    path = tmp_path / "p.csv"
    path.write_text(text)
    with pytest.raises(MerError, match=message) as caught:
        read_predictions(path)
    assert str(path) in str(caught.value)


def test_absent_file(tmp_path):
    with pytest.raises(MerError, match="no such file"):
        read_predictions(tmp_path / "none.csv")


def test_labels_stay_text(tmp_path):
    path = tmp_path / "p.csv"
    path.write_text("clip_id,y_true,y_pred\n1,0,0\n2,1,NA\n")
    assert read_predictions(path)["y_pred"].tolist() == ["0", "NA"]
