"""Tables and pictures derived from predictions alone."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

from mer_tf.config import MerError
from mer_tf.evaluation.metrics import evaluate
from mer_tf.reporting.plots import confusion_pair, confusion_png
from mer_tf.reporting.tables import class_table, published_table, results_table

FRAME = pd.DataFrame(
    {"clip_id": list("abcdef"), "subject": list("112233"), "y_true": list("xxyxyy"), "y_pred": list("xyyxyx")}
)


def test_accuracy_never_stands_alone():
    text = results_table({"ours": evaluate(FRAME, permutations=99)})
    head, _, ours, majority, note = text.splitlines()
    assert head.split() == ["accuracy", "UAR", "UF1", "n", "p", "(UAR)"]
    assert ours.startswith("ours")
    assert ours.count("[") == 3
    assert "50.0%" in majority
    assert "6 clips of 3 subjects" in note


def test_class_table_has_support():
    assert class_table(evaluate(FRAME, permutations=0)).splitlines()[2].split() == ["x", "0.667", "0.667", "0.667", "3"]


def test_published_figures_stay_as_printed():
    assert " 60.60 " in published_table(["C/T3/BiLSTM/N13"])
    with pytest.raises(MerError, match="no row C/T9; known: C/T3/LSTM/N13"):
        published_table(["C/T9"])


def test_confusion_picture_and_csv(tmp_path):
    counts = np.array([[5, 1], [0, 0]])
    picture = imread(confusion_png(counts, ["x", "y"], "title", tmp_path / "c.png"))
    assert min(picture.shape[:2]) > 200
    assert picture[..., :3].std() > 0.05
    confusion_pair(FRAME, ["x", "y"], "title", tmp_path)
    assert pd.read_csv(tmp_path / "confusion.csv", index_col="true").loc["x", "y"] == 1
