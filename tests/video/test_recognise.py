"""Who is asked about an event, and what an answer says."""

from types import SimpleNamespace

import numpy as np
import pytest

from mer_tf.config import MerError
from mer_tf.serving.answers import record
from mer_tf.serving.trained import load_run
from mer_tf.synthetic.faces.appearance import draw_neutral, make_subject
from mer_tf.synthetic.faces.portraits import load_portraits
from mer_tf.video import recognise
from mer_tf.video.recognise import Answer, ByFlow, ByRun, Shown, asked_of

FIVE = np.array([[100.0, 100], [140, 100], [120, 125], [104, 142], [136, 142]])


def test_an_answer_without_a_majority_is_uncertain_and_one_that_is_refused_says_why():
    unsure = Answer({"positive": 0.4, "negative": 0.35, "surprise": 0.25}, "right 4 of 9 times")
    assert unsure.told()["answer"] == unsure.words()["text"] == "uncertain"
    assert (
        "no class has 50% (positive 0.40, negative 0.35, surprise 0.25); right 4 of 9 times" in unsure.words()["long"]
    )
    sure = Answer({"positive": 0.8, "negative": 0.2}, "right 4 of 9 times")
    assert (sure.told()["answer"], sure.words()["text"]) == ("positive", "positive 0.80")
    refused = Answer(refused="the head is turned away")
    assert refused.told() == {"answer": "", "probabilities": {}, "record": "", "refused": "the head is turned away"}
    assert refused.words() == {"text": "none", "long": "No answer: the head is turned away."}


def test_the_shipped_recogniser_sees_the_flow_in_the_face(monkeypatch):
    seen = []
    known = SimpleNamespace(
        classes=("negative", "positive", "surprise"),
        trained_on="drawings",
        limits=("Three classes.",),
        probabilities=lambda images: (seen.append(images), np.array([[0.1, 0.2, 0.7]]))[1],
    )
    monkeypatch.setattr(recognise, "of_drawn", lambda: known)
    neutral = draw_neutral(make_subject(load_portraits()[0], np.random.default_rng(2)), np.random.default_rng(2))
    frame = neutral.image.clip(0, 255).astype(np.uint8)
    asked = asked_of(None)
    assert isinstance(asked, ByFlow)
    assert asked([]) == []
    (answer,) = asked([Shown(frame, frame, FIVE, 30.0)])
    assert answer.best == "surprise"
    assert seen[0].shape == (1, 28, 28, 3)
    assert asked.limits == ("It was trained on drawings.", "Three classes.")


def test_a_run_of_one_s_own_is_asked_by_its_own_preprocessing_and_its_record_is_said(own_run):
    rng = np.random.default_rng(0)
    parts = [[rng.integers(0, 256, (30, 40, 3), np.uint8) for _ in range(5)] for _ in range(2)]
    asked = asked_of(own_run)
    assert isinstance(asked, ByRun)
    answers = asked([Shown(part[0], part[2], FIVE, 30.0, part, 2) for part in parts])
    assert [sum(a.probabilities.values()) for a in answers] == pytest.approx([1, 1], abs=1e-3)
    assert set(answers[0].probabilities) == {"negative", "positive", "surprise"}
    trained = load_run(own_run)
    for answer in answers:
        assert answer.record == record(trained, max(answer.probabilities, key=answer.probabilities.get))
        assert "run" in answer.record
    assert own_run.name in asked.limits[0]
    assert "one model, trained on all clips" in asked.limits[1]


def test_what_is_no_run_is_refused(tmp_path):
    with pytest.raises(MerError):
        asked_of(tmp_path / "nothing")([Shown(*[np.zeros((8, 8, 3), np.uint8)] * 2, FIVE, 30.0, (), 0)])
