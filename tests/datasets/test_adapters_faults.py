"""Faults put into a tree and its sheet, one at a time: each is reported by place and mend, and costs no other clip."""

import os
import shutil
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache, partial

import openpyxl
import pytest

from mer_tf.config import MerError
from mer_tf.datasets import dataset_listing

SHEETS = {
    "casme2": ("CASME2-coding-20140508.xlsx", 1, "Subject Filename OnsetFrame ApexFrame OffsetFrame"),
    "samm": ("SAMM_Micro_FACS_Codes_v2.xlsx", 14, "Subject,Filename,Onset Frame,Apex Frame,Offset Frame"),
    "casme": ("CASME-coding.xlsx", 1, "Subject Filename OnsetF ApexF1 OffsetF"),
    "casme3-c": ("CAS(ME)3_part_C_ME.xlsx", 1, "sub count onset onset offset"),
    "mmew": ("MMEW_Micro_Exp.xlsx", 1, "Subject Filename OnsetFrame ApexFrame OffsetFrame"),
    "4dme": ("4DME_Labelling_Micro_release v1.xlsx", 1, "sub_ID fold_name Onset Apex Offset"),
    "samm-lv": ("SAMM_LongVideos_V2_Release.xlsx", 10, "Subject Filename Onset Apex Offset"),
    "casme3-a": ("cas(me)3_part_A_ME_label_JpgIndex_v2.xlsx", 1, "Subject Filename Onset Apex Offset"),
}
"""Sheet, line of its header, and titles of its columns for subject, clip, onset, apex and offset."""
WITH_APEX = [name for name in SHEETS if name != "casme3-c"]
SHARED = ["samm-lv", "casme3-a"]
"""Data sets whose clips share folders: whole videos."""
OWN = [name for name in SHEETS if name not in SHARED]
in_every_set = pytest.mark.parametrize("case", SHEETS, indirect=True)
where_apexes_are = pytest.mark.parametrize("case", WITH_APEX, indirect=True)


@cache
def fourth_clip(sheet, header, titles):
    """Columns of a sheet by key, and what its fourth row says by key."""
    page = openpyxl.load_workbook(sheet).worksheets[0]
    found = {page.cell(header, c).value: c for c in range(1, page.max_column + 1)}
    keys = ("subject", "clip", "onset", "apex", "offset")
    columns = {k: found[t] for k, t in zip(keys, titles.split("," if "," in titles else " "), strict=True)}
    return columns, {key: page.cell(header + 4, column).value for key, column in columns.items()}


def linked(source, target):
    """Frames may be links, since a test only adds and deletes them; a sheet is written into."""
    (shutil.copy if source.endswith(".xlsx") else os.link)(source, target)


@dataclass
class Case:
    """A copy of a small look-alike, what it lists when whole, and one of its clips (the fourth of the sheet)."""

    dataset: str
    whole: object
    root: object
    before: dict

    def __post_init__(self):
        name, self.header, titles = SHEETS[self.dataset]
        self.sheet, self.line = self.root / name, self.header + 4
        self.columns, said = fourth_clip(self.whole / name, self.header, titles)
        onset, offset = said["onset"], said["offset"]
        (self.clip,) = (
            clip
            for clip, r in self.before.items()
            if (r.onset, r.offset) == (onset, offset) and str(said["clip"]) in clip
        )
        self.row = self.before[self.clip]
        self.folder = self.root / self.row.frames_dir

    @contextmanager
    def editing(self):
        book = openpyxl.load_workbook(self.sheet)
        yield book.worksheets[0]
        book.save(self.sheet)

    def set(self, key, value):
        with self.editing() as page:
            page.cell(self.line, self.columns[key]).value = value

    def listed(self):
        """Rows by clip id, and problems."""
        listing = dataset_listing(self.dataset, self.root)
        digests = {r.sheet_sha for r in listing.rows}
        assert len(digests) == 1
        return {r.clip_id: r for r in listing.rows}, listing.problems

    def check(self, *needed, kept, more=1):
        """Only this clip is touched; the `needed` texts occur in one problem, of at most `more`."""
        after, problems = self.listed()
        assert any(all(str(text) in problem for text in needed) for problem in problems), problems
        assert len(problems) <= more, problems
        others = self.before.keys() - {self.clip}
        assert after.keys() - {self.clip} == others
        said = partial(map, lambda r: (r.onset, r.apex, r.offset, r.label_raw, r.frames_dir, r.subject))
        assert list(said(after[c] for c in sorted(others))) == list(said(self.before[c] for c in sorted(others)))
        assert (self.clip in after) == kept
        return after.get(self.clip)


@pytest.fixture(params=OWN)
def case(request, tree_of, listed, tmp_path):
    """A whole look-alike of each data set with a headed sheet, one clip a folder."""
    whole, listing = tree_of(request.param), listed(request.param)
    root = shutil.copytree(whole, tmp_path / "tree", copy_function=linked)
    assert listing.problems == []
    return Case(request.param, whole, root, {r.clip_id: replace(r, root=str(root)) for r in listing.rows})


@in_every_set
def test_a_renamed_column_is_named_with_the_headers_found(case):
    with case.editing() as page:
        title = page.cell(case.header, case.columns["onset"])
        title.value = "Begin"
    with pytest.raises(MerError, match=r"no column for onset \(accepted: .*\); found: .*Begin") as error:
        case.listed()
    assert case.sheet.name in str(error.value)


@in_every_set
@pytest.mark.parametrize("value", ["12a", 12.5, None])
def test_an_onset_that_is_no_number(case, value):
    case.set("onset", value)
    case.check(case.sheet.name, f"line {case.line}", "onset", kept=False, more=2)


@where_apexes_are
def test_an_apex_that_is_not_given_is_no_fault(case):
    case.set("apex", "/")
    after, problems = case.listed()
    assert problems == []
    assert after.keys() == case.before.keys()
    assert after[case.clip].apex is None
    assert after[case.clip].apex_source == ""


@where_apexes_are
def test_an_apex_outside_the_clip_is_dropped_and_said(case):
    case.set("apex", case.row.offset + 2)
    row = case.check(f"line {case.line}", case.clip, f"apex {case.row.offset + 2}", kept=True)
    assert row.apex is None


@in_every_set
def test_an_offset_before_the_onset(case):
    case.set("offset", case.row.onset - 1)
    case.check(f"line {case.line}", case.clip, f"offset {case.row.onset - 1}", kept=False)


@in_every_set
def test_merged_cells_are_named(case):
    column = case.columns["onset"]
    with case.editing() as page:
        letter = page.cell(1, column).column_letter
        page.merge_cells(f"{letter}{case.line - 1}:{letter}{case.line}")
    after, problems = case.listed()
    assert any(f"{letter}{case.line - 1}:{letter}{case.line}" in p and "merged" in p for p in problems)
    assert case.before.keys() - after.keys() <= {case.clip}


@in_every_set
def test_a_clip_stated_twice_counts_once(case):
    with case.editing() as page:
        page.append([cell.value for cell in page[case.line]])
    row = case.check(f"line {case.line}", case.clip, "2 times", kept=True)
    assert row.onset == case.row.onset


def test_a_clip_stated_in_two_ways_is_left_out(case):
    with case.editing() as page:
        page.append([cell.value for cell in page[case.line]])
        page.cell(page.max_row, case.columns["offset"]).value -= 1
    case.check(f"line {case.line}", case.clip, "2 times", kept=False)


def test_a_clip_without_its_folder(case):
    home = case.folder.parent if case.folder.name == "color" else case.folder
    shutil.rmtree(home)
    case.check(f"line {case.line}", case.clip, home, kept=False)


@pytest.mark.parametrize("case", [name for name in OWN if name in WITH_APEX], indirect=True)
def test_a_folder_without_its_row(case):
    with case.editing() as page:
        page.delete_rows(case.line)
    case.check(case.folder, case.sheet.name, kept=False)


@pytest.mark.parametrize("end", [0, -1])
def test_frames_missing_at_an_end_are_counted(case, end):
    numbered = sorted(case.folder.iterdir(), key=lambda p: (len(p.stem), p.stem))
    numbered[end].unlink()
    row = case.check(f"line {case.line}", case.clip, "1 of its frames", kept=True)
    assert (row.onset, row.offset) == (case.row.onset, case.row.offset)


def test_an_empty_folder(case):
    for path in case.folder.iterdir():
        path.unlink()
    case.check(case.clip, case.folder, "holds no frame", kept=False)


def test_a_frame_number_twice(case):
    frame = next(case.folder.iterdir())
    shutil.copy(frame, frame.with_suffix(".png"))
    case.check(case.clip, case.folder, "more than once", kept=False)


def test_files_of_other_programs_are_passed_over(case):
    (case.folder / "Thumbs.db").touch()
    (case.folder.parent / ".DS_Store").touch()
    after, problems = case.listed()
    assert problems == []
    assert after == case.before


@in_every_set
def test_an_empty_sheet_names_itself(case):
    with case.editing() as page:
        page.delete_rows(case.header + 1, page.max_row)
    with pytest.raises(MerError, match="no clips"):
        case.listed()


@in_every_set
def test_no_sheet_at_all_names_what_to_put_where(case):
    case.sheet.unlink()
    with pytest.raises(MerError, match="holds no annotation sheet"):
        case.listed()


@in_every_set
def test_a_sheet_kept_elsewhere_is_given_by_name(case, tmp_path):
    elsewhere = case.sheet.rename(tmp_path / "codes.xlsx")
    rows = dataset_listing(case.dataset, case.root, elsewhere).rows
    assert {r.clip_id for r in rows} == case.before.keys()
