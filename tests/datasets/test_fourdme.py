"""4DME: several emotions at once, uncertain action units, raw and cropped grey frames."""

import openpyxl
import pytest
from helpers.trees import write_frames, write_sheet

from mer_tf.config import MerError
from mer_tf.datasets.adapters.fourdme import certain_aus, fourdme_listing

FLAGS = ["Positive", "Negative", "Surprise", "Repression", "Others"]
HEADER = ["sub_ID", "fold_name", "Emotion", *FLAGS, "Onset", "Apex", "Offset", "AUs", "AU1", "AU4"]
ROWS = [
    ["S01", "S01_1", "x", 0, 1, 0, 1, 0, 3, 5, 9, "AU4+AU7(k)", 0, 1],
    ["S01", "S01_2", "x", 1, 0, None, 0, 0, 3.0, 5.0, 9.0, "AU1+AU2", 1, 0],
    ["S02", "S02_1", "Others", 0, 0, 0, 0, 0, 3, 5, 9, "AU4(k)", 0, 1],
]


def sheet(root, rows):
    write_sheet(root / "4DME_Labelling_Micro_release v1.xlsx", [HEADER, *rows])


@pytest.fixture
def tree(tmp_path):
    for home in ("gray_micro", "gray_micro_crop"):
        for clip in ("S01/S01_1", "S01/S01_2", "S02/S02_1"):
            write_frames(tmp_path / home / clip, range(3, 10))
    sheet(tmp_path, ROWS)
    return tmp_path


def test_labels_join_the_flagged_emotions(tree):
    listing = fourdme_listing(tree, None)
    assert not listing.problems
    assert [r.label_raw for r in listing.rows] == ["Negative+Repression", "Positive", "Others"]
    first = listing.rows[0]
    assert (first.clip_id, first.subject, first.fps) == ("4dme/S01/S01_1", "4dme/S01", 60.0)
    assert (first.onset, first.apex, first.offset) == (3, 5, 9)
    assert first.frames_dir == "gray_micro_crop/S01/S01_1"
    assert [r.aus for r in listing.rows] == ["4", "1+2", ""]


def test_the_raw_tree_by_its_own_name(tree):
    rows = fourdme_listing(tree / "gray_micro", tree / "4DME_Labelling_Micro_release v1.xlsx").rows
    assert rows[0].source() == (tree / "gray_micro/S01/S01_1").resolve()


@pytest.mark.parametrize(
    ("text", "aus"),
    [("AU4+AU7(k)", "4"), ("AU4 (K) + L14", "L14"), ("au1+2+R12", "1+2+R12"), ("AU 4", "4"), ("", ""), ("AU4(k)", "")],
)
def test_uncertain_units_are_left_out(text, aus):
    assert certain_aus(text) == aus


def test_faults(tree):
    sheet(tree, [ROWS[0], [*ROWS[1][:3], "yes", *ROWS[1][4:]], [*ROWS[2][:9], 99, *ROWS[2][10:]], ["S03", "S03_1"]])
    listing = fourdme_listing(tree, None)
    assert [(r.label_raw, r.apex) for r in listing.rows] == [("Negative+Repression", 5), ("x", 5), ("Others", None)]
    for what in ("line 3: Positive is 'yes'", "S02_1: apex 99 lies outside 3 to 9", "line 5: onset is empty"):
        assert any(what in p for p in listing.problems), what


def test_a_missing_flag_column_is_named(tree):
    book = openpyxl.Workbook()
    book.active.append([h for h in HEADER if h != "Repression"])
    book.active.append(["S01"])
    book.save(tree / "4DME_Labelling_Micro_release v1.xlsx")
    with pytest.raises(MerError, match="no column for Repression"):
        fourdme_listing(tree, None)
