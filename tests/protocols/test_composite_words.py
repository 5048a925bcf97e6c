"""Beside a composite's scores: times, differences, published figures, what was tuned, clips always wrong."""

import base64
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from mer_tf.config import Clip, Data, Evaluation, Experiment, MerError
from mer_tf.evaluation.predictions import predictions_frame
from mer_tf.models import PRETRAINED
from mer_tf.models.ststnet import StstNet
from mer_tf.protocols.composite_words import differences, notes, printed, published_only, said_in_advance, tuned
from mer_tf.protocols.pictures.always_wrong import always_wrong, write_always_wrong
from mer_tf.study import Composite, Study

CLASSES = ("negative", "positive", "surprise")
EXPERIMENT = Experiment(
    name="words", data=Data(dataset="flow-images", label_protocol="megc2019-3", subjects=4), clip=Clip(frames=1)
)


def table(said):
    """Predictions of six clips of three people whose classes are 0, 1, 2, 0, 1, 2."""
    clips = pd.DataFrame({"clip_id": list("abcdef"), "subject": list("xxyyzz"), "dataset": "smic"})
    truth = [CLASSES[k % 3] for k in range(6)]
    return predictions_frame(clips.assign(fold=0, seed=0, y_true=truth), np.eye(3)[said], CLASSES, "whole")


TABLES = {"best": table([0, 1, 2, 0, 1, 0]), "pixels": table([0, 1, 0, 0, 0, 1])}
MODELS = {"best": "patch_kernel", "pixels": "flow_logistic"}


def test_differences_are_to_the_recommended_row_on_the_same_clips():
    (row,) = differences(TABLES, MODELS, 50).to_dict("records")
    assert (row["method"], row["less"]) == ("pixels", "best")
    assert row["UAR"] == pytest.approx(3 / 6 - 5 / 6)
    assert row["UAR_low"] <= row["UAR"] <= row["UAR_high"]
    assert differences({"best": TABLES["best"]}, {"best": "ststnet"}, 50).empty


def test_published_figures_carry_their_marks():
    assert printed("htnet", "UF1") == {"published": ".8603", "marks": "e"}
    assert printed("rcn", "UAR") == {"published": ".7190", "marks": "m"}
    assert printed("ststnet", "UF1") == {"published": ".7353", "marks": "mn"}
    assert printed("majority", "UF1") == {"published": "", "marks": ""}
    known = dict(published_only({"STSTNet": "ststnet"}))
    assert {"LBP-TOP", "Bi-WOOF", "OFF-ApexNet"} <= set(known)
    assert "ststnet" not in known.values()
    (note,) = notes({"STSTNet": "ststnet"})
    assert "truth and prediction exchanged" in note


def test_what_was_chosen_on_the_test_set_is_said():
    assert "study of about 360" in " ".join(tuned({"best": {"model.name": "patch_kernel"}}))
    shipped = {name: {"model.name": "au_flow", "model.weights": name} for name in PRETRAINED}
    tight, published = tuned(shipped)
    assert "no zero-shot row" in tight
    assert published.startswith("au-flow-4, not tuned on them")


def test_every_row_says_its_time_in_advance():
    methods = {"recommended": {"model.name": "patch_kernel"}, "RCN": {"model.name": "rcn"}}
    methods["HTNet"] = {"model.name": "htnet"}
    kernel, small, network = said_in_advance(EXPERIMENT, methods, 442, 68)
    assert "about 11 s" in kernel
    assert "minutes of processor time for 68 folds" in small
    assert "68 trainings; the first says" in network


def test_clips_that_every_row_gets_wrong_are_shown_with_their_images(tmp_path):
    assert always_wrong(TABLES)["clip_id"].tolist() == ["f"]
    images = {name: np.full((28, 28, 3), 9, np.uint8) for name in "abcdef"}
    page = write_always_wrong(TABLES, images, tmp_path).read_text()
    assert "1 clips that every row gets wrong" in page
    assert base64.b64decode(page.split("base64,")[1].split('"')[0]).startswith(b"\x89PNG")


def test_a_row_that_is_named_is_never_left_out_in_silence():
    methods = {"onset frame": {"model.name": "onset_frame"}, "majority": {"model.name": "majority"}}
    small = replace(EXPERIMENT, model=StstNet(), evaluation=Evaluation(split="loso"))
    study = Study(small, small, methods={"paper": methods, "embedded": methods})
    with pytest.raises(MerError, match="--methods onset frame: each clip here is one ready-made flow image"):
        Composite(small, methods=("onset frame",)).start(study, {})
