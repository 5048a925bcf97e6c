"""Annotation sheets: columns by name, whatever their order, spelling, file type; faults named by line."""

import openpyxl
import pytest

from mer_tf.config import MerError
from mer_tf.datasets.adapters.sheets import find_sheet, read_sheet
from mer_tf.files import sha256

COLUMNS = {"subject": ("Subject",), "clip": ("Filename",), "onset": ("OnsetFrame", "Onset Frame")}


def xlsx(path, lines, merge=(), title="Sheet1"):
    book = openpyxl.Workbook()
    book.active.title = title
    for line in lines:
        book.active.append(line)
    for cells in merge:
        book.active.merge_cells(cells)
    book.save(path)
    return path


def read(path, **options):
    return read_sheet(path, **({"columns": COLUMNS, "header_key": "subject"} | options))


def values(sheet):
    lines = [int(row.where.rpartition(" ")[2]) for row in sheet.rows]
    return [(n, r.text("subject"), r.text("clip"), r.integer("onset")) for n, r in zip(lines, sheet.rows, strict=True)]


def test_columns_are_found_by_name_below_text_rows_and_between_blank_columns(tmp_path):
    lines = [["SAMM, version 2"], [], [None, "SUBJECT ", None, "onset_frame", "note", "file name"]]
    lines += [[None, 1, None, 4.0, "no", "a"], [None, None, None, None, "footer"], [None, "02", None, "5.0", "", "b"]]
    sheet = read(xlsx(tmp_path / "s.xlsx", lines))
    assert values(sheet) == [(4, "1", "a", 4), (6, "02", "b", 5)]
    assert sheet.problems == []
    assert sheet.sha256 == sha256(tmp_path / "s.xlsx")


def test_a_header_that_occurs_twice_is_said(tmp_path):
    sheet = read(xlsx(tmp_path / "s.xlsx", [["Subject", "Filename", "OnsetFrame", "file_name"], [1, "a", 4, "b"]]))
    assert values(sheet) == [(2, "1", "a", 4)]
    assert ["'Filename' occurs 2 times" in p for p in sheet.problems] == [True]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_csv_of_any_separator_reads_like_xlsx(tmp_path, separator):
    lines = [["Subject", "Filename", "OnsetFrame"], ["1", "a", "4"], ["", "", ""], ["2", "b", "x"]]
    path = tmp_path / "s.csv"
    path.write_text("\ufeff" + "\n".join(separator.join(line) for line in lines))
    assert values(read(path)) == values(read(xlsx(tmp_path / "s.xlsx", lines)))


@pytest.mark.parametrize("cell", ["12.5", 12.5, "x", "#REF!", "1e3", True])
def test_a_number_that_is_not_whole_is_none_and_one_problem(tmp_path, cell):
    sheet = read(xlsx(tmp_path / "s.xlsx", [["Subject", "Filename", "OnsetFrame"], [1, "a", cell]]))
    assert sheet.rows[0].integer("onset") is None
    assert sheet.rows[0].integer("onset", optional=True) is None
    (problem,) = sheet.problems
    assert problem.startswith(f"s.xlsx, line 2: onset is '{cell}', not a whole number")


@pytest.mark.parametrize("cell", ["/", None, " "])
def test_not_given_is_a_problem_only_where_it_must_be_given(tmp_path, cell):
    sheet = read(xlsx(tmp_path / "s.xlsx", [["Subject", "Filename", "OnsetFrame"], [1, "a", cell]]))
    assert sheet.rows[0].integer("onset", optional=True) is None
    assert sheet.problems == []
    assert sheet.rows[0].integer("onset") is None
    assert len(sheet.problems) == 1


def test_merged_cells_share_the_value_and_are_a_problem(tmp_path):
    lines = [["a title"], ["Subject", "Filename", "OnsetFrame"], [1, "a", 4], [None, "b", 5], [2, "c", 6]]
    sheet = read(xlsx(tmp_path / "s.xlsx", lines, merge=["A1:C1", "A3:A4"]))
    assert [r.text("subject") for r in sheet.rows] == ["1", "1", "2"]
    (problem,) = sheet.problems
    assert "line 3: the cells A3:A4 are merged and all read as '1'" in problem


def test_a_missing_column_lists_what_is_there_and_what_is_accepted(tmp_path):
    path = xlsx(tmp_path / "s.xlsx", [["Subject", "Filename", "Start"], [1, "a", 4]])
    with pytest.raises(
        MerError, match=r"s\.xlsx: no column for onset \(accepted: OnsetFrame, Onset Frame\); found: Su"
    ):
        read(path)
    assert read(path, optional=("onset",)).rows[0].text("onset") == ""


def test_without_a_header_the_order_counts(tmp_path):
    path = xlsx(tmp_path / "s.xlsx", [[1, "a", 4]])
    assert values(read(path, has_header=False)) == [(1, "1", "a", 4)]
    with pytest.raises(MerError, match="no header row; expected one that begins with 'subject'"):
        read(path)


def test_tabs_by_number(tmp_path):
    path = xlsx(tmp_path / "s.xlsx", [["Subject", "Filename", "OnsetFrame"], [1, "a", 4]], title="Code final")
    assert len(read(path, tab=0).rows) == 1
    with pytest.raises(MerError, match=r"has 1 tab\(s\)"):
        read(path, tab=1)


def test_files_that_are_no_sheets(tmp_path):
    with pytest.raises(MerError, match="cannot be read"):
        read(tmp_path / "none.xlsx")
    (tmp_path / "cut.xlsx").write_bytes(xlsx(tmp_path / "s.xlsx", [["Subject"]]).read_bytes()[:900])
    with pytest.raises(MerError, match="not a readable xlsx"):
        read(tmp_path / "cut.xlsx")
    (tmp_path / "old.xls").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    with pytest.raises(MerError, match="not a readable xls"):
        read(tmp_path / "old.xls")
    (tmp_path / "latin.csv").write_bytes("Subject,é".encode("latin-1"))
    with pytest.raises(MerError, match="save it as xlsx or as UTF-8"):
        read(tmp_path / "latin.csv")


def test_a_sheet_is_looked_for_by_the_order_of_its_names(tmp_path):
    (tmp_path / "deep").mkdir()
    for name in ("deep/CODE-1.XLSX", "other.csv", "~$code-1.xlsx"):
        (tmp_path / name).touch()
    assert find_sheet(tmp_path, ("code*.xlsx", "other*"), None).name == "other.csv"
    assert find_sheet(tmp_path, ("code*.xlsx",), None).name == "CODE-1.XLSX"
    assert find_sheet(tmp_path, ("code*",), tmp_path / "mine.xlsx").name == "mine.xlsx"
    with pytest.raises(MerError, match=r"no annotation sheet \(labels\*\); put it there or name it with --sheet"):
        find_sheet(tmp_path, ("labels*",), None)
    (tmp_path / "deep" / "code-2.xlsx").touch()
    with pytest.raises(MerError, match="several sheets fit"):
        find_sheet(tmp_path, ("code*.xlsx",), None)
