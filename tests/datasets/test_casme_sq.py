"""CAS(ME)^2: a sheet without header, folder names by two naming rules, several expressions in one folder."""

import openpyxl
import pytest
from helpers.trees import write_frames

from mer_tf.config import MerError
from mer_tf.datasets.adapters.casme_sq import casme_sq_listing

NAME = "CAS(ME)^2code_final(Updated).xlsx"
ROWS = [
    [1, "anger1_1", 5, 8, 12, "4+10", "anger", "macro-expression", "anger"],
    [1, "disgust1_1", 3, 9, 0, "4", "disgust", "Micro-expression", "disgust"],
    [1, "disgust1_2", 20, 22, 24, "L14", "others", "micro-expression", "disgust"],
    [2, "disgust1_1", 1, 2, 4, "9", "disgust", "micro-expression", "happiness"],
]
SUBJECTS = [["p", "s15", 1], ["p", "s16", 2]]
VIDEOS = [["0101", "disgust1"], [401, "anger1"]]


def sheet(root, rows=ROWS, subjects=SUBJECTS, videos=VIDEOS):
    book = openpyxl.Workbook()
    for title, lines in (("CASMEcode_final", rows), ("naming rule1", subjects), ("naming rule2", videos)):
        tab = book.create_sheet(title)
        for line in lines:
            tab.append(line)
    del book["Sheet"]
    book.save(root / NAME)


@pytest.fixture
def tree(tmp_path):
    write_frames(tmp_path / "rawpic/s15/15_0101disgustingteeth", range(1, 31), "img{:03d}.jpg")
    write_frames(tmp_path / "rawpic/s15/15_0401girlcrashing", range(1, 31), "img{:03d}.jpg")
    write_frames(tmp_path / "rawpic/s16/16_0101disgustingteeth", range(1, 31), "img{:03d}.jpg")
    sheet(tmp_path)
    return tmp_path


def test_the_naming_rules_lead_to_the_folders(tree):
    listing = casme_sq_listing(tree, None)
    rows = {r.clip_id: r for r in listing.rows}
    assert not listing.problems
    assert set(rows) == {
        f"casme-sq/{c}" for c in ("s15/anger1_1", "s15/disgust1_1", "s15/disgust1_2", "s16/disgust1_1")
    }
    anger = rows["casme-sq/s15/anger1_1"]
    assert anger.frames_dir == "rawpic/s15/15_0401girlcrashing", "401 is 0401"
    assert (anger.subject, anger.session, anger.label_raw) == ("cas_me_2/s15", "macro-expression", "anger")
    assert (anger.onset, anger.apex, anger.offset, anger.fps) == (5, 8, 12, 30.0)


def test_offset_0_means_the_apex(tree):
    row = {r.clip_id: r for r in casme_sq_listing(tree, None).rows}["casme-sq/s15/disgust1_1"]
    assert (row.onset, row.apex, row.offset, row.session) == (3, 9, 9, "micro-expression")


def test_one_name_for_two_expressions_and_one_row_twice(tree):
    again = [1, "anger1_1", 15, 16, 18, "4", "anger", "micro-expression", "anger"]
    sheet(tree, [again, *ROWS, ROWS[3]])
    listing = casme_sq_listing(tree, None)
    spans = {r.clip_id: (r.onset, r.offset) for r in listing.rows if "anger1_1" in r.clip_id}
    assert spans == {"casme-sq/s15/anger1_1-5": (5, 12), "casme-sq/s15/anger1_1-15": (15, 18)}
    (problem,) = listing.problems
    assert "casme-sq/s16/disgust1_1 is listed 2 times" in problem
    assert len(listing.rows) == 5


def test_a_folder_in_the_wrong_place_or_of_one_expression_is_found(tree):
    (tree / "rawpic/s16/16_0101disgustingteeth").rename(tree / "rawpic/s15/16_0101disgustingteeth")
    write_frames(tree / "rawpic/s15/disgust1_2", range(20, 25), "img{:03d}.jpg")
    rows = {r.clip_id: r for r in casme_sq_listing(tree, None).rows}
    assert rows["casme-sq/s16/disgust1_1"].frames_dir == "rawpic/s15/16_0101disgustingteeth"
    assert rows["casme-sq/s16/disgust1_1"].subject == "cas_me_2/s16"
    assert rows["casme-sq/s15/disgust1_2"].frames_dir == "rawpic/s15/disgust1_2"


def test_what_the_rules_do_not_know_is_a_problem(tree):
    sheet(tree, [*ROWS, [9, "anger1_1", 1, 2, 3, "4", "anger", "m", "a"], [1, "joy_1", 1, 2, 3, "4", "joy", "m", "a"]])
    listing = casme_sq_listing(tree, None)
    assert len(listing.rows) == 4
    assert sum("is not in the naming rules" in p for p in listing.problems) == 2
    sheet(tree, [*ROWS, [2, "anger1_1", 1, 2, 3, "4", "anger", "m", "a"]])
    assert [p for p in casme_sq_listing(tree, None).problems if "no folder" in p and "16_0401" in p]


def test_offset_0_without_apex_is_left_out_and_said(tree):
    sheet(tree, [*ROWS[:1], [1, "disgust1_1", 3, "/", 0, "4", "disgust", "micro-expression", "disgust"]])
    listing = casme_sq_listing(tree, None)
    assert [r.clip_id for r in listing.rows] == ["casme-sq/s15/anger1_1"]
    assert "offset 0 lies before onset 3" in listing.problems[0]


def test_missing_or_wrong_rules_are_refused(tree):
    sheet(tree, subjects=[["x", "y", "z"]])
    with pytest.raises(MerError, match="are not the naming rules"):
        casme_sq_listing(tree, None)
    book = openpyxl.Workbook()
    book.active.append(ROWS[0])
    book.save(tree / NAME)
    with pytest.raises(MerError, match="tab"):
        casme_sq_listing(tree, None)
