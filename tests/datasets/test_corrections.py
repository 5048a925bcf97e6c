"""Corrections apply by clip id, and only to the value they were written for."""

import dataclasses

import pytest
from helpers.rows import made_row

from mer_tf.datasets.adapters import corrections
from mer_tf.datasets.adapters.corrections import Correction, correct
from mer_tf.datasets.manifest import ClipRow

ROW = made_row(clip_id="casme2/a", onset=3, offset=20, label_raw="disgust", aus="4")


@pytest.fixture
def known(monkeypatch):
    table = {"casme2/a": []}
    monkeypatch.setattr(corrections, "corrections", lambda: table)

    def add(field, old, new, dataset="casme2"):
        table["casme2/a"].append(Correction("casme2/a", dataset, field, old, new, "why", "whence"))

    return add


def test_each_field_gets_its_new_value(known):
    known("apex", "/", "7")
    known("offset", "20", "19")
    known("aus", "4", "4+7")
    changed, refused = correct(ROW)
    assert (changed.apex, changed.offset, changed.aus, refused) == (7, 19, "4+7", [])
    assert changed == dataclasses.replace(ROW, apex=7, offset=19, aus="4+7")


def test_a_value_that_is_right_already_is_left_in_silence(known):
    known("offset", "18", "20")
    assert correct(ROW) == (ROW, [])


def test_any_other_value_is_kept_and_reported(known):
    known("offset", "18", "19")
    changed, (sentence,) = correct(ROW)
    assert changed == ROW
    assert "clip casme2/a: offset is '20'" in sentence
    assert "for '18'; it is not applied" in sentence


def test_another_data_set_and_another_clip_are_left(known):
    known("offset", "20", "19", dataset="casme2-raw")
    assert correct(ROW) == (ROW, [])
    assert correct(dataclasses.replace(ROW, clip_id="casme2/b")) == (dataclasses.replace(ROW, clip_id="casme2/b"), [])


def test_the_table_is_complete_and_known_to_the_rows():
    fields = {f.name for f in dataclasses.fields(ClipRow)}
    for clip, entries in corrections.corrections().items():
        for entry in entries:
            assert entry.field in fields
            assert entry.reason
            assert entry.source
            assert clip.startswith(f"{entry.dataset}/")


def test_the_one_apex_that_the_sheet_of_casme2_does_not_give():
    row = dataclasses.replace(ROW, clip_id="casme2/sub04/EP12_01f", onset=261, offset=321)
    assert correct(row)[0].apex == 294
