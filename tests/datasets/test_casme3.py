"""CAS(ME)^3: part A numbers the expressions of a video, part C has two layouts and no apex."""

import pytest
from helpers.trees import write_frames, write_sheet

from mer_tf.config import MerError
from mer_tf.datasets.adapters.casme3 import casme3_a_listing, casme3_c_listing

A_NAME = "cas(me)3_part_A_ME_label_JpgIndex_v2.xlsx"
A_HEADER = ["Subject", "Filename", "Onset", "Apex", "Offset", "AU", "Objective class", "emotion"]
A_ROWS = [
    ["spNO.1", "a", 40, 44, 47, "4+L7", 3, "disgust"],
    ["spNO.1", "a", 5, 6, 9, "12", "II", "happy"],
    ["spNO.1", "b", 5, 6, 9, "1+2", "I", "others"],
    ["spNO.2", "a", 5, 2, 9, "4", "III", "Others"],
]
C_NAME = "CAS(ME)3_part_C_ME.xlsx"
C_HEADER = ["sub", "count", "onset", "offset", "au", "emotion", "PHY"]


@pytest.fixture
def tree(tmp_path):
    for video in ("spNO.1/a", "spNO.1/b", "spNO.2/a"):
        write_frames(tmp_path / f"part_A/{video}/color", range(1, 51))
        write_frames(tmp_path / f"part_A/{video}/depth", [1])
    write_sheet(tmp_path / A_NAME, [A_HEADER, *A_ROWS])
    return tmp_path


def spans(listing):
    return {r.clip_id.removeprefix("casme3-a/"): (r.onset, r.apex, r.offset) for r in listing.rows}


def test_expressions_of_one_video_are_told_apart_whatever_the_order_of_rows(tree):
    listing = casme3_a_listing(tree, None)
    expected = {
        "spNO.1/a-5": (5, 6, 9),
        "spNO.1/a-40": (40, 44, 47),
        "spNO.1/b-5": (5, 6, 9),
        "spNO.2/a-5": (5, None, 9),
    }
    assert spans(listing) == expected
    write_sheet(tree / A_NAME, [A_HEADER, *A_ROWS[::-1]])
    assert spans(casme3_a_listing(tree, None)) == expected


def test_fields_of_a_row(tree):
    listing = casme3_a_listing(tree, None)
    rows = {r.clip_id.removeprefix("casme3-a/spNO."): r for r in listing.rows}
    row = rows["1/a-40"]
    assert row.frames_dir == "part_A/spNO.1/a/color"
    assert (row.subject, row.fps, row.aus, row.objective) == ("cas_me_3/spNO.1", 30.0, "4+L7", "3")
    labels = {name: r.label_raw for name, r in rows.items()}
    expected = {"1/a-5": "happy", "1/a-40": "disgust", "1/b-5": "others", "2/a-5": "others"}
    assert labels == expected, "Others is others"
    assert [p for p in listing.problems if "spNO.2/a-5: apex 2 lies outside 5 to 9" in p]
    assert len(listing.problems) == 1


def test_an_unreadable_row_renames_no_other_clip(tree):
    whole = set(spans(casme3_a_listing(tree, None)))
    broken = [row if row[2] != 5 or row[:2] != ["spNO.1", "a"] else [*row[:2], "x", *row[3:]] for row in A_ROWS]
    write_sheet(tree / A_NAME, [A_HEADER, *broken])
    assert set(spans(casme3_a_listing(tree, None))) == whole - {"spNO.1/a-5"}


def test_a_repeated_row_counts_once(tree):
    write_sheet(tree / A_NAME, [A_HEADER, *A_ROWS, A_ROWS[0]])
    listing = casme3_a_listing(tree, None)
    assert len(listing.rows) == 4
    assert any("casme3-a/spNO.1/a-40 is listed 2 times" in p for p in listing.problems)


def test_the_sheet_of_all_expressions_gives_its_micro_expressions(tree):
    kinds = ["Macro-expression", "Micro-expression", "micro", ""]
    (tree / A_NAME).unlink()
    rows = [[*row, kind] for row, kind in zip(A_ROWS, kinds, strict=True)]
    write_sheet(tree / "CAS(ME)3_part_A_v2.xlsx", [[*A_HEADER, "Expression type"], *rows])
    assert set(spans(casme3_a_listing(tree, None))) == {"spNO.1/a-5", "spNO.1/b-5", "spNO.2/a-5"}


def test_the_sheet_by_frame_number_is_preferred_and_colour_folders_may_be_flat(tree):
    write_sheet(tree / "CAS(ME)3_part_A_v1.xlsx", [A_HEADER, A_ROWS[0]])
    write_frames(tree / "part_A/spNO.3/c", range(1, 11))
    write_sheet(tree / A_NAME, [A_HEADER, *A_ROWS, ["SPNO.3", "C", 1, 2, 3, "4", "III", "fear"]])
    listing = casme3_a_listing(tree, None)
    assert [r.frames_dir for r in listing.rows if r.label_raw == "fear"] == ["part_A/spNO.3/c"]
    assert len(listing.rows) == 5


def test_a_row_without_names_is_not_lost_in_silence(tree):
    write_sheet(tree / A_NAME, [A_HEADER, *A_ROWS, [None, None, 1, 2, 3, "4", "I", "fear"]])
    listing = casme3_a_listing(tree, None)
    assert len(listing.rows) == 4
    assert any("line 6: subject and video not given" in p for p in listing.problems)


def test_part_c_in_both_layouts(tmp_path):
    write_frames(tmp_path / "part_C/01/a/color", range(1, 31))
    write_frames(tmp_path / "part_C/2/1/color", range(100, 111))
    write_frames(tmp_path / "part_C/2/2/color", range(200, 211))
    rows = [[1, 1, 3, 9, "4,7", "negative", "x"], [1, 2, 20, 28, "12", "Positive", "x"]]
    rows += [[2, 1, 100, 110, "4，14", "negative", "x"], [2, 2, 200, 210, None, "others", "x"]]
    write_sheet(tmp_path / C_NAME, [C_HEADER, *rows])
    listing = casme3_c_listing(tmp_path, None)
    assert not listing.problems
    assert {r.clip_id: (r.frames_dir, r.onset, r.offset) for r in listing.rows} == {
        "casme3-c/01/1": ("part_C/01/a/color", 3, 9),
        "casme3-c/01/2": ("part_C/01/a/color", 20, 28),
        "casme3-c/02/1": ("part_C/2/1/color", 100, 110),
        "casme3-c/02/2": ("part_C/2/2/color", 200, 210),
    }
    assert [r.aus for r in listing.rows] == ["4+7", "12", "4+14", ""]
    assert {(r.apex, r.apex_source) for r in listing.rows} == {(None, "")}
    assert listing.rows[1].label_raw == "positive"


def test_part_c_faults(tmp_path):
    write_frames(tmp_path / "part_C/01/a/color", range(1, 31))
    rows = [[1, 1, 3, 9, "4", "negative"], ["x", 1, 3, 9, "4", "negative"], [1, 2, None, 9, "4", "negative"]]
    write_sheet(tmp_path / C_NAME, [C_HEADER[:6], *rows, [7, "/etc", 3, 9, "4", "negative"]])
    listing = casme3_c_listing(tmp_path, None)
    assert [r.clip_id for r in listing.rows] == ["casme3-c/01/1"]
    for what in ("line 3: subject 'x' holds no number", "line 4: onset is empty", "casme3-c/07/etc"):
        assert any(what in p for p in listing.problems), what


def test_wrong_roots(tmp_path, tree):
    with pytest.raises(MerError, match="holds folders like"):
        casme3_c_listing(tree, tree / A_NAME)
    with pytest.raises(MerError, match="no such folder|holds no annotation sheet|holds folders like"):
        casme3_a_listing(tmp_path / "none", None)
