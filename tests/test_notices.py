"""What a reader must know is told by fields; sentences of runs from before there were fields are read too."""

from dataclasses import asdict

import pytest

from mer_tf.files import facts
from mer_tf.inputs.after import after_notice, published_system
from mer_tf.model import models
from mer_tf.notices import (
    LEAKY,
    SYNTHETIC,
    UNREADABLE,
    danger,
    note,
    read_notices,
)

OLD = {
    "LEAKY SPLIT: clips of one subject stand on both sides of a fold": danger(
        LEAKY, "clips of one subject stand on both sides of a fold"
    ),
    "RANDOM WEIGHTS: resnet50 was never trained": danger("random_weights", "resnet50 was never trained"),
    "synthetic look-alike, 3 px at the apex: no evidence about people": note(
        SYNTHETIC, "synthetic look-alike, 3 px at the apex: no evidence about people"
    ),
    "2 of 9 clips could not be read: errors.csv": note(UNREADABLE, "2 of 9 clips could not be read: errors.csv"),
    "encoder auto became mtcnn-onet": note("", "encoder auto became mtcnn-onet"),
}


@pytest.mark.parametrize("text", OLD)
def test_sentences_of_old_runs_become_notices_and_read_as_before(text):
    (found,) = read_notices([text])
    assert found == OLD[text]
    assert str(found) == text


def test_fields_survive_json():
    notices = tuple(OLD.values())
    assert read_notices([asdict(one) for one in notices]) == notices


def test_what_is_no_notice_is_a_note_of_its_words():
    assert read_notices([{"level": "?", "text": 3}, None]) == (note("", "3"), note("", "None"))


def test_what_is_only_after_its_publication_says_so_and_why():
    rows = facts("after.csv")
    assert set(rows["model"]) <= set(models())
    assert set(rows["mark"]) <= {"inferred", "ours"}
    assert published_system("fcnn3d") == "Li et al. 2018 (3D-FCNN)"
    (said,) = after_notice("fcnn3d")
    assert said.text.startswith("fcnn3d is after Li et al. 2018 (3D-FCNN), not it: ")
    assert (published_system("ststnet"), after_notice("ststnet")) == ("", ())
