"""Who is asked about an event, and what an answer says."""

from dataclasses import replace

import numpy as np
import pytest

from mer_tf.au_flow.recogniser import Recogniser
from mer_tf.config import MerError
from mer_tf.evaluation.calibration import Calibration, read_calibration
from mer_tf.models.patch_codes import card_of
from mer_tf.serving.answers import record
from mer_tf.serving.pictures import Heat
from mer_tf.serving.trained import load_run
from mer_tf.synthetic.faces.appearance import draw_neutral, make_subject
from mer_tf.synthetic.faces.portraits import load_portraits
from mer_tf.video import recognise
from mer_tf.video.recognise import Answer, ByFlow, ByRun, Shown, asked_of

FIVE = np.array([[100.0, 100], [140, 100], [120, 125], [104, 142], [136, 142]])


def test_an_answer_without_a_majority_is_uncertain_and_one_that_is_refused_says_why():
    unsure = Answer({"positive": 0.4, "negative": 0.35, "surprise": 0.25}, "right 4 of 9 times")
    before = replace(unsure, uncalibrated={"positive": 0.8, "negative": 0.1, "surprise": 0.1})
    assert "(positive 0.40, negative 0.35, surprise 0.25; before calibration 0.80)" in before.words()["long"]
    assert before.told()["uncalibrated"]["positive"] == 0.8
    assert unsure.told()["answer"] == unsure.words()["text"] == "uncertain"
    assert (
        "no class has 50% (positive 0.40, negative 0.35, surprise 0.25); right 4 of 9 times" in unsure.words()["long"]
    )
    sure = Answer({"positive": 0.8, "negative": 0.2}, "right 4 of 9 times")
    assert (sure.told()["answer"], sure.words()["text"]) == ("positive", "positive 0.80")
    refused = Answer(refused="the head is turned away")
    nothing = {"answer": "", "probabilities": {}, "uncalibrated": {}, "record": ""}
    assert refused.told() == {**nothing, "refused": "the head is turned away"}
    assert refused.words() == {"text": "none", "long": "No answer: the head is turned away."}


CLASSES = ("negative", "positive", "surprise")
TESTED = Calibration(CLASSES, (2.0, 1.0, 2.0), (40, 30, 25), (20, 30, 10))
"""Of a recogniser that was too sure of negative and surprise."""


class Known(Recogniser):
    """Says 16 to 4 to 1 for surprise, and that of surprise it is half as sure in logarithms."""

    def __init__(self, calibration=TESTED):
        super().__init__(None, (), None, CLASSES, "drawings", ("Three classes.",), calibration, "tested clips")
        object.__setattr__(self, "seen", [])

    def probabilities(self, images):
        self.seen.append(images)
        return np.tile(np.array([1, 4, 16]) / 21, (len(images), 1))


@pytest.fixture(scope="module")
def still():
    neutral = draw_neutral(make_subject(load_portraits()[0], np.random.default_rng(2)), np.random.default_rng(2))
    return neutral.image.clip(0, 255).astype(np.uint8)


def test_the_shipped_recogniser_sees_the_flow_in_the_face_and_says_what_its_tests_bear(monkeypatch, still):
    known = Known()
    monkeypatch.setattr(recognise, "of_drawn", lambda: known)
    asked = asked_of(None)
    assert isinstance(asked, ByFlow)
    assert asked([]) == []
    (answer,) = asked([Shown(still, still, FIVE, 30.0)])
    assert answer.best == "surprise"
    assert list(answer.probabilities.values()) == pytest.approx(np.array([1, 2, 4]) / 7)
    assert list(answer.uncalibrated.values()) == pytest.approx(np.array([1, 4, 16]) / 21)
    assert answer.record == "surprise was right 10 of 25 times on tested clips"
    assert answer.heat is None
    assert known.seen[0].shape == (1, 28, 28, 3)
    assert asked.limits == ("It was trained on drawings.", "Three classes.")


def test_heat_says_what_an_answer_hangs_on_or_why_there_is_none(monkeypatch, still):
    shown = Shown(still, still, FIVE, 30.0, explain=True)
    sure, unsure = Known(), Known(Calibration(CLASSES, (9.0,) * 3, (30,) * 3, (10,) * 3))
    said = []
    for known in (sure, unsure):
        monkeypatch.setattr(recognise, "of_drawn", lambda known=known: known)
        (answer,) = ByFlow()([shown])
        said.append(answer.heat.said)
    assert said[0].startswith("No heat map: wherever the motion is taken out, “surprise” loses less")
    assert len(sure.seen[1]) == 37, "the image as it is, and 36 times with the motion taken out somewhere"
    assert said[1] == "No heat map: no class is named, so there is nothing to explain."


def test_the_card_of_the_shipped_recogniser_says_how_often_it_was_right_on_what_it_did_not_know():
    stored = card_of("flow-patches-1")["answers_kept_out"]
    assert stored["left_out"] == "renderer direct"
    calibration = read_calibration(stored["answers"])
    assert sum(calibration.given) == 360
    believed = calibration(np.array([[0.888, 0.08, 0.032]]))[0]
    assert 0.6 < believed[0] < 0.888
    assert all(0.9 < t < 3 for t in calibration.temperatures)


def test_a_run_of_one_s_own_is_asked_by_its_own_preprocessing_and_its_tests_are_believed(own_run):
    rng = np.random.default_rng(0)
    parts = [[rng.integers(0, 256, (30, 40, 3), np.uint8) for _ in range(5)] for _ in range(2)]
    asked = asked_of(own_run)
    assert isinstance(asked, ByRun)
    answers = asked([Shown(part[0], part[2], FIVE, 30.0, part, 2, True) for part in parts])
    assert [sum(a.probabilities.values()) for a in answers] == pytest.approx([1, 1], abs=1e-3)
    assert set(answers[0].probabilities) == set(CLASSES)
    trained = load_run(own_run)
    for answer in answers:
        assert answer.record == record(trained, max(answer.probabilities, key=answer.probabilities.get))
        assert "run" in answer.record
        believed = trained.calibration(np.array([[answer.uncalibrated[name] for name in CLASSES]]))[0]
        assert [answer.probabilities[name] for name in CLASSES] == pytest.approx(believed, abs=1e-5)
        named = "Grad-CAM" if answer.best != "uncertain" else "no class is named"
        assert named in answer.heat.said
        assert (answer.heat.picture is None) == (answer.best == "uncertain")
    assert own_run.name in asked.limits[0]
    assert "one model, trained on all clips" in asked.limits[1]


def test_heat_of_a_run_is_drawn_over_the_frame_next_to_the_apex():
    frames = np.stack([np.full((48, 48, 3), 40 * k, np.uint8) for k in range(3)])
    maps = np.zeros((3, 48, 48), np.float32)
    maps[1, :10, :10] = 1
    shown = Shown(frames[0], frames[1], FIVE, 30.0, [frames[0]] * 9, 4, True)
    heat = recognise._heat_of_run(shown, Heat(frames, np.array([0, 5, 10]), maps), "Grad-CAM of map a")
    assert heat.picture.shape == (192, 192, 3)
    assert np.ptp(heat.picture[5, 5].astype(int)) > 50
    assert heat.picture[150, 150].tolist() == [40, 40, 40]
    assert recognise._heat_of_run(shown, None, "no heat map: no layer").said == "No heat map: no layer."


def test_what_is_no_run_is_refused(tmp_path):
    with pytest.raises(MerError):
        asked_of(tmp_path / "nothing")([Shown(*[np.zeros((8, 8, 3), np.uint8)] * 2, FIVE, 30.0, (), 0)])
