"""CASME II: every layout and sheet gives the same clips; single faults cost single clips."""

import random

import openpyxl
import pytest

from mer_tf.config import MerError
from mer_tf.datasets import dataset_listing

HEADER = [
    "Subject",
    "Filename",
    None,
    "OnsetFrame",
    "ApexFrame",
    "OffsetFrame",
    None,
    "Action Units",
    "Estimated Emotion",
]
ROWS = [
    [1, "EP02_01f", None, 3, 4, 6, None, "12", "happiness"],
    [1, "EP03_02", None, 98, 100, 101, None, "4+L10", "disgust"],
    [17, "EP01_15", None, 2, "/", 3, None, "1+2", "surprise"],
]


def sheet(root, rows=ROWS, header=HEADER, name="CASME2-coding-20140508.xlsx", merge=None):
    book = openpyxl.Workbook()
    for line in [header, *rows]:
        book.active.append(line)
    if merge:
        book.active.merge_cells(merge)
    root.mkdir(parents=True, exist_ok=True)
    book.save(root / name)


def clip(root, path, numbers, stem="reg_img"):
    (root / path).mkdir(parents=True)
    for number in numbers:
        (root / path / f"{stem}{number}.jpg").touch()


def tree(root, layout="Cropped", rows=ROWS):
    for subject, name, _, onset, _, offset, *_ in rows:
        clip(root, f"{layout}/sub{subject:02d}/{name}", range(onset - 1, offset + 3))


def listing(root, rows=ROWS, **options):
    sheet(root, rows, **options)
    return dataset_listing("casme2", root)


@pytest.mark.parametrize("layout", ["Cropped", "CASME2_RAW", "CASME2-RAW/CASME2-RAW", "CASME2_RAW_selected", "."])
def test_each_layout_gives_the_same_clips(tmp_path, layout):
    tree(tmp_path, layout)
    found = listing(tmp_path)
    assert found.problems == []
    rows = {r.clip_id: r for r in found.rows}
    assert list(rows) == ["casme2/sub01/EP02_01f", "casme2/sub01/EP03_02", "casme2/sub17/EP01_15"]
    row = rows["casme2/sub01/EP03_02"]
    assert (row.subject, row.dataset, row.fps, row.label_raw, row.aus) == (
        "casme2/sub01",
        "casme2",
        200,
        "disgust",
        "4+L10",
    )
    assert (row.onset, row.apex, row.offset, row.apex_source) == (98, 100, 101, "given")
    assert row.source() == (tmp_path / layout / "sub01" / "EP03_02").resolve()
    blank = rows["casme2/sub17/EP01_15"]
    assert (blank.apex, blank.apex_source, len(blank.sheet_sha)) == (None, "", 64)


def test_the_order_of_rows_and_columns_does_not_matter(tmp_path):
    tree(tmp_path)
    expected = listing(tmp_path).rows
    order = [8, 0, 5, 3, 2, 4, 1, 7, 6]
    rows = [[row[i] for i in order] for row in random.Random(1).sample(ROWS, 3)]
    header = [HEADER[i] for i in order]
    header[0] = "estimated_emotion "
    sheet_header = ["Subject", *[h for h in header if h != "Subject"]]
    rows = [[row[1], row[0], *row[2:]] for row in rows]
    found = listing(tmp_path, rows, header=sheet_header)
    assert [{**vars(r), "sheet_sha": ""} for r in found.rows] == [{**vars(r), "sheet_sha": ""} for r in expected]


def test_a_renamed_column_is_an_error_that_lists_the_accepted(tmp_path):
    tree(tmp_path)
    with pytest.raises(
        MerError, match=r"no column for onset \(accepted: OnsetFrame, Onset\); found: Subject, Filename, Start"
    ):
        listing(tmp_path, header=[h if h != "OnsetFrame" else "Start" for h in HEADER])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({3: "3x"}, "line 2: onset is '3x', not a whole number"),
        ({5: None}, "line 2: offset is empty"),
        ({5: 2}, "line 2: clip casme2/sub01/EP02_01f: offset 2 lies before onset 3"),
        ({1: "EP99"}, "line 2: clip casme2/sub01/EP99: there is no folder"),
        ({3: 200, 4: 201, 5: 202}, "holds 2 to 8, no frame of 200 to 202"),
        ({0: "boy"}, "line 2: no clip without subject and file name"),
    ],
)
def test_a_fault_costs_its_clip_alone(tmp_path, change, message):
    tree(tmp_path)
    first = [change.get(i, v) for i, v in enumerate(ROWS[0])]
    found = listing(tmp_path, [first, *ROWS[1:]])
    assert [r.clip_id for r in found.rows] == ["casme2/sub01/EP03_02", "casme2/sub17/EP01_15"]
    assert any(message in problem for problem in found.problems)


@pytest.mark.parametrize(
    ("change", "message", "apex"),
    [({4: 9}, "apex 9 lies outside 3 to 6", None), ({5: 20}, "12 of its frames 3 to 20 are missing", 4)],
)
def test_a_fault_that_leaves_the_clip_usable_keeps_it(tmp_path, change, message, apex):
    tree(tmp_path)
    found = listing(tmp_path, [[change.get(i, v) for i, v in enumerate(ROWS[0])], *ROWS[1:]])
    assert len(found.rows) == 3
    assert found.rows[0].apex == apex
    assert [message in p for p in found.problems] == [True]


def test_duplicates_and_folders_without_a_row(tmp_path):
    tree(tmp_path)
    clip(tmp_path, "Cropped/sub02/EP01_01", [1, 2])
    changed = [*ROWS[1][:3], 99, *ROWS[1][4:]]
    found = listing(tmp_path, [*ROWS, ROWS[0], changed])
    assert [r.clip_id for r in found.rows] == ["casme2/sub01/EP02_01f", "casme2/sub17/EP01_15"]
    assert [r.clip_id for r in found.left_out] == ["casme2/sub01/EP03_02"]
    text = "\n".join(found.problems)
    assert "EP01_01: no row of CASME2-coding-20140508.xlsx names this clip" in text
    assert (
        "line 2; CASME2-coding-20140508.xlsx, line 5: clip casme2/sub01/EP02_01f is listed 2 times, says the same"
        in text
    )
    assert "clip casme2/sub01/EP03_02 is listed 2 times, says different things" in text


@pytest.mark.parametrize("extra", ["reg_img1.jpg.jpg", "face.jpg", "reg_img04.jpg", "notes.txt", "Thumbs.db"])
def test_a_file_that_does_not_fit_is_named_or_costs_its_clip(tmp_path, extra):
    tree(tmp_path)
    (tmp_path / "Cropped/sub01/EP02_01f" / extra).touch()
    found = listing(tmp_path)
    assert len(found.rows) == 3 - (extra == "reg_img04.jpg")
    assert len(found.problems) == (extra in {"face.jpg", "reg_img04.jpg"})
    assert all(extra in problem for problem in found.problems)


def test_merged_subject_cells_are_read_and_said(tmp_path):
    tree(tmp_path)
    found = listing(tmp_path, merge="A2:A3")
    assert len(found.rows) == 3
    assert ["A2:A3 are merged" in p for p in found.problems] == [True]


def test_objective_classes_come_from_their_own_sheet(tmp_path):
    tree(tmp_path)
    lines = [[1, "EP02_01f", 1], [17, "EP01_15", "VII"]]
    sheet(tmp_path, lines, ["Subject", "Filename", "Objective Class"], "CASME2-ObjectiveClasses.xlsx")
    assert [r.objective for r in listing(tmp_path).rows] == ["I", "", "VII"]


def test_a_broken_sheet_of_objective_classes_costs_them_alone(tmp_path):
    tree(tmp_path)
    sheet(tmp_path, [[1, "EP02_01f", 1]], ["Subject", "Filename", "Group"], "CASME2-ObjectiveClasses.xlsx")
    found = listing(tmp_path)
    assert [r.objective for r in found.rows] == ["", "", ""]
    assert ["no column for objective" in p for p in found.problems] == [True]


def test_missing_parts_are_errors(tmp_path):
    with pytest.raises(MerError, match="no such folder"):
        dataset_listing("casme2", tmp_path / "none")
    with pytest.raises(MerError, match="no annotation sheet"):
        dataset_listing("casme2", tmp_path)
    with pytest.raises(MerError, match="holds neither sub01/ nor Cropped/"):
        listing(tmp_path)
    (tmp_path / "Cropped/sub01").mkdir(parents=True)
    with pytest.raises(MerError, match=r"no clips; the first of 3 problem\(s\): CASME2-coding.*no folder"):
        listing(tmp_path)
