"""MMEW: frames numbered from 1 in emotion folders; the sheet and the folder may disagree."""

import pytest
from helpers.trees import write_frames, write_sheet

from mer_tf.config import MerError
from mer_tf.datasets.adapters.mmew import mmew_listing

HEADER = [
    "Subject",
    "Filename",
    "OnsetFrame",
    "ApexFrame",
    "OffsetFrame",
    "Action Units",
    "Estimated Emotion",
    "remarks",
]
ROWS = [
    [1, "S01-02-001", 1, 6, 12, "1+2", "surprise", None],
    [1, "S01-02-002", 1, 30, 12, "1+2", "Surprise", "a bad apex"],
    [30, "S30-04-001", 1, 3, 99, "L14", "others", "a bad offset"],
]


def sheet(root, rows):
    write_sheet(root / "MMEW_Micro_Exp.xlsx", [HEADER, *rows])


@pytest.fixture
def tree(tmp_path):
    for clip in ("surprise/S01-02-001", "surprise/S01-02-002", "others/S30-04-001"):
        write_frames(tmp_path / "Micro_Expression" / clip, range(1, 13))
    (tmp_path / "Macro_Expression/S01/anger").mkdir(parents=True)
    sheet(tmp_path, ROWS)
    return tmp_path


def test_rows_and_the_known_kinds_of_error(tree):
    listing = mmew_listing(tree, None)
    first, second, third = listing.rows
    assert (first.clip_id, first.subject, first.fps) == ("mmew/S01/S01-02-001", "mmew/S01", 90.0)
    assert (first.onset, first.apex, first.offset, first.label_raw) == (1, 6, 12, "surprise")
    assert first.frames_dir == "Micro_Expression/surprise/S01-02-001"
    assert (second.apex, second.label_raw, third.subject) == (None, "surprise", "mmew/S30")
    assert len(listing.problems) == 2
    assert "S01-02-002: apex 30 lies outside 1 to 12" in listing.problems[0]
    assert "S30-04-001: 87 of its frames 1 to 99 are missing" in listing.problems[1]


def test_a_clip_in_the_folder_of_another_emotion(tree):
    sheet(tree, [[*ROWS[0][:6], "disgust", None], *ROWS[1:]])
    listing = mmew_listing(tree, None)
    assert (listing.rows[0].label_raw, listing.rows[0].frames_dir) == (
        "disgust",
        "Micro_Expression/surprise/S01-02-001",
    )
    assert any("S01-02-001 is 'disgust' in the sheet and lies in the folder 'surprise'" in p for p in listing.problems)


def test_folder_without_row_and_row_without_folder(tree):
    sheet(tree, [*ROWS[:2], [2, "S02-01-001", 1, 2, 3, "12", "happiness", None]])
    listing = mmew_listing(tree, None)
    assert len(listing.rows) == 2
    assert any("S30-04-001: no row of MMEW_Micro_Exp.xlsx" in p for p in listing.problems)
    assert any("happiness/S02-01-001" in p and "no folder" in p for p in listing.problems)


def test_the_subject_is_in_the_clip_name_or_else_in_its_cell(tree):
    (tree / "Micro_Expression/others/S30-04-001").rename(tree / "Micro_Expression/others/odd")
    nameless = [[None, "", 1, 2, 3, "4", "others", None], [None, "odd", 1, 2, 3, "4", "others", None]]
    sheet(tree, [ROWS[0], [30, "odd", 1, 3, 12, "L14", "others", None], *nameless])
    listing = mmew_listing(tree, None)
    assert [r.clip_id for r in listing.rows] == ["mmew/S01/S01-02-001", "mmew/S30/odd"]
    for what in ("line 4: clip not given", "line 5: neither subject nor clip 'odd'"):
        assert any(what in p for p in listing.problems), what


def test_the_macro_expressions_are_not_taken_for_the_clips(tree):
    with pytest.raises(MerError, match="holds folders like"):
        mmew_listing(tree / "Macro_Expression", tree / "MMEW_Micro_Exp.xlsx")
