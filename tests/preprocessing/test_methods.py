"""Methods by name: a line of a table is all that a detector or a flow needs beside its file."""

import sys
from dataclasses import asdict
from types import SimpleNamespace
from typing import get_args, get_type_hints

import numpy as np
import pytest
from helpers.rows import written_row
from helpers.running import mer_tf

from mer_tf.config import MerError, Preprocess, digest, record_settings
from mer_tf.methods import DETECTORS, FLOWS, function_of
from mer_tf.preprocessing.faces import Face, detect_face
from mer_tf.records.clip import process_clip

POINTS = np.array([[30.004, 30], [50, 30], [40, 40], [32, 50], [48, 50]])


def test_every_method_has_its_function_and_the_setting_takes_it():
    for method in FLOWS:
        assert callable(function_of("preprocess.flow", method, FLOWS)())
    for detector in DETECTORS:
        assert callable(function_of("preprocess.detector", detector, DETECTORS))
    hints = get_type_hints(Preprocess)
    assert get_args(hints["flow"]) == ("none", *FLOWS)
    assert get_args(hints["detector"]) == tuple(DETECTORS)


@pytest.fixture
def mine(monkeypatch):
    """A detector of one's own, which finds two faces in every frame."""

    def faces(frame, min_face):
        return [Face(np.array([20.0, 20, s, s]), 0.99999, POINTS) for s in (8.0, 40.0)]

    monkeypatch.setitem(sys.modules, "mine", SimpleNamespace(faces=faces))
    monkeypatch.setitem(DETECTORS, "mine", "mine:faces")


@pytest.mark.usefixtures("mine")
def test_a_detector_is_a_function_and_a_line(tmp_path):
    row = written_row(tmp_path, [np.full((80, 80, 3), 90, np.uint8)] * 2)
    face = process_clip(row, Preprocess(face="crop", size=16, flow="none", detector="mine")).face
    assert (face.box.tolist(), face.confidence, face.landmarks[0].tolist()) == ([20, 20, 40, 40], 1.0, [30.0, 30])
    assert detect_face(np.zeros((80, 80, 3), np.uint8), 41, "mine") is None


def test_a_name_that_nothing_has_is_told_the_nearest(capsys):
    with pytest.raises(MerError, match=r"preprocess.detector: 'mtcn' is unknown; use mtcnn; did you mean mtcnn\?"):
        detect_face(np.zeros((20, 20, 3), np.uint8), 20, "mtcn")
    with pytest.raises(SystemExit):
        mer_tf("preprocess", "--manifest", "x.csv", "--out", "x", "--detector", "mtcn")
    assert "mtcnn" in capsys.readouterr().err


def test_records_of_the_usual_detector_keep_their_names():
    assert record_settings(Preprocess()).keys().isdisjoint({"detector", "landmarks"})
    assert record_settings(Preprocess(detector="mine")) == {**record_settings(Preprocess()), "detector": "mine"}
    before = {k: v for k, v in asdict(Preprocess()).items() if k not in ("detector", "landmarks", "landmarks_from")}
    assert digest(Preprocess()) == digest(before) != digest(Preprocess(detector="mine"))
