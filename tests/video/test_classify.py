"""What `mer-tf classify` refuses: each a clip of which a recogniser would be sure without a reason."""

import json

import cv2
import numpy as np
import pytest

from mer_tf.cli import main
from mer_tf.synthetic.faces.appearance import draw_neutral, make_subject
from mer_tf.synthetic.faces.portraits import load_portraits
from mer_tf.video import classify, people
from mer_tf.video.preconditions import Moment, frontal, refusal, shift

FRONTAL = np.array([[100.0, 100], [140, 100], [120, 125], [104, 142], [136, 142]])


@pytest.fixture(scope="module")
def face():
    """A drawn neutral face and its five points."""
    neutral = draw_neutral(make_subject(load_portraits()[0], np.random.default_rng(2)), np.random.default_rng(2))
    points = neutral.points
    eyes = [(points[f"eye_outer_{s}"] + points[f"eye_inner_{s}"]) / 2 for s in ("left", "right")]
    five = np.array([*eyes, points["nose_tip"], points["mouth_corner_left"], points["mouth_corner_right"]])
    return neutral.image.clip(0, 255).astype(np.uint8), five


def asked(folder, frames, *options):
    """Classify frames of a folder; the answer's file and what was printed."""
    (folder / "frames").mkdir()
    for number, frame in enumerate(frames):
        cv2.imwrite(str(folder / "frames" / f"img{number:03d}.png"), frame[..., ::-1])
    main(["classify", str(folder / "frames"), "--out", str(folder / "out"), *options])
    return json.loads((folder / "out" / "classify.json").read_text())


def title(number):
    """A frame of an animated title: shapes and words, and no face."""
    picture = np.full((180, 240, 3), (250, 210, 90), np.uint8)
    cv2.circle(picture, (60 + 6 * number, 80), 35, (220, 60, 60), -1)
    cv2.putText(picture, "THE SHOW", (20, 160), cv2.FONT_HERSHEY_SIMPLEX, 1.2, (20, 40, 160), 3)
    return picture


def test_a_cartoon_title_without_a_face_has_no_answer(tmp_path, capsys):
    said = asked(tmp_path, [title(k) for k in range(6)])
    assert said["probabilities"] is None
    assert said["refused"] == "no face is found in the onset frame"
    shown = capsys.readouterr().out
    assert "no answer: no face is found" in shown
    assert not any(word in shown for word in ("positive", "negative", "surprise"))
    assert not (tmp_path / "out" / "classify.png").exists()


def test_a_smile_of_nineteen_seconds_has_no_answer(face, tmp_path, monkeypatch):
    frame, five = face
    monkeypatch.setattr(people, "find_faces", lambda picture: [five])
    said = asked(tmp_path, [frame] * 20, "--fps", "1", "--apex", "19")
    assert said["refused"].startswith("onset and apex lie 19.0 s apart")


def test_a_head_that_turns_away_has_no_answer(face, tmp_path, monkeypatch):
    frame, five = face
    turned = five.copy()
    turned[2, 0] += 0.3 * (five[1, 0] - five[0, 0])
    seen = iter([[five], [turned]])
    monkeypatch.setattr(people, "find_faces", lambda picture: next(seen))
    said = asked(tmp_path, [frame] * 4, "--apex", "3")
    assert said["refused"].startswith("the head is turned away in the apex frame")


def test_a_crop_that_would_lie_on_hair_has_no_answer(face, tmp_path, monkeypatch):
    frame, five = face
    seen = iter([[five], [five + np.array([0, 40])]])
    monkeypatch.setattr(people, "find_faces", lambda picture: next(seen))
    said = asked(tmp_path, [frame, np.roll(frame, 40, axis=0)], "--apex", "1")
    assert "of its width from onset to apex, so a crop does not follow it" in said["refused"]


def test_a_noisy_still_has_no_answer(face, tmp_path, monkeypatch):
    frame, five = face
    monkeypatch.setattr(people, "find_faces", lambda picture: [five])
    rng = np.random.default_rng(0)
    noisy = [np.clip(frame + rng.normal(0, 12, frame.shape), 0, 255).astype(np.uint8) for _ in range(12)]
    said = asked(tmp_path, noisy)
    assert "does not stand out" in said["refused"]


def test_a_crop_that_slips_between_has_no_answer(face, tmp_path, monkeypatch):
    frame, five = face
    monkeypatch.setattr(people, "find_faces", lambda picture: [five])
    other = np.ascontiguousarray(frame[::-1, ::-1])
    said = asked(tmp_path, [frame, other, other, frame], "--apex", "3")
    assert said["refused"] == "the crop slips off the face between onset and apex"


def test_a_face_that_comes_later_is_pointed_to_and_of_several_the_taking_is_said(face, tmp_path, monkeypatch):
    frame, five = face
    empty = np.full_like(frame, 90)
    found = {True: [], False: [five, five + np.array([90, 0])]}
    monkeypatch.setattr(people, "find_faces", lambda picture: found[bool(np.ptp(picture.colours) == 0)])
    said = asked(tmp_path, [empty] * 20 + [frame] * 15)
    assert said["refused"].endswith("the first face that was found is in frame 30 (`--onset 30`)")
    clip = classify.read_pair(tmp_path / "frames", 20, 22)
    _, _, notes = classify._checked(clip, classify.open_source(tmp_path / "frames", None), False)
    assert "2 faces are in the onset frame" in notes[0]


def test_frontal_is_told_by_the_nose_and_the_eyes():
    assert frontal(FRONTAL)
    aside = FRONTAL.copy()
    aside[2, 0] += 10
    assert not frontal(aside)
    narrow = FRONTAL * (0.6, 1)
    assert not frontal(narrow)
    tilted = FRONTAL @ np.array([[0.9, 0.43], [-0.43, 0.9]])
    assert frontal(tilted), "a head may lean"


@pytest.mark.parametrize(
    ("size", "noise", "why"), [(2.0, 0.05, ""), (0.2, 0.01, "does not stand out"), (1.0, 0.3, "it takes 1.35 px here")]
)
def test_motion_must_stand_out_of_the_noise(size, noise, why):
    said = refusal(Moment(FRONTAL, FRONTAL + 1, 0.2, size, noise))
    assert why in said
    assert bool(said) == bool(why)
    assert shift(FRONTAL, FRONTAL + np.array([0, 8.4])) == pytest.approx(0.1)
