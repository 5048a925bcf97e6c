"""Cells and files that can be nothing: each is a problem of its own row or clip, and costs no other."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import openpyxl
import pytest
from helpers.rows import made_row
from helpers.trees import write_frames
from hypothesis import given, settings

from mer_tf.config import MerError
from mer_tf.datasets import dataset_listing
from mer_tf.datasets.apex import estimate_apexes
from mer_tf.datasets.clip_frames import read_clip
from mer_tf.datasets.manifest import read_manifest, write_manifest
from mer_tf.files import following
from mer_tf.preprocessing.frames import read_frame
from mer_tf.preprocessing.video import probe_video
from mer_tf.synthetic.layouts.write import write_lookalike

NAMES = ("/etc/passwd", "../../../etc", "a" * 300, "x" * 5000, "x\0y", "9" * 5000)
NUMBERS = ("9" * 5000, str(2**63), "-" + "9" * 30, "1e400", "\0", "inf")
SHEETS = {
    "casme2": (0, "Subject", "Filename", "OnsetFrame"),
    "samm": (13, "Subject", "Filename", "Onset Frame"),
    "casme": (0, "Subject", "Filename", "OnsetF"),
    "casme3-c": (0, "sub", "count", "onset"),
    "casme3-a": (0, "Subject", "Filename", "Onset"),
    "mmew": (0, "Subject", "Filename", "OnsetFrame"),
    "4dme": (0, "sub_ID", "fold_name", "Onset"),
    "samm-lv": (9, "Subject", "Filename", "Onset"),
}
"""Place of the header, and the titles of subject, clip and onset."""


def cells(sheet: Path) -> list[list[Any]]:
    return [list(line) for line in openpyxl.load_workbook(sheet).worksheets[0].iter_rows(values_only=True)]


def write_csv(path: Path, lines: Sequence[Sequence[Any]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows(lines)
    return path


def said(dataset: str, root: Path, sheet: Path) -> tuple[list[tuple[Any, ...]], list[str]]:
    listing = dataset_listing(dataset, root, sheet)
    return [(r.clip_id, r.frames_dir, r.onset, r.apex, r.offset, r.label_raw) for r in listing.rows], listing.problems


@pytest.mark.parametrize("dataset", SHEETS)
def test_a_bad_cell_costs_its_row_alone(tmp_path: Path, dataset: str) -> None:
    root = write_lookalike(dataset, tmp_path / "tree")
    (found,) = (p for p in root.glob("*.xlsx") if "Objective" not in p.name)
    lines = cells(found)
    header, *titles = SHEETS[dataset]
    subject, clip, onset = (lines[header].index(title) for title in titles)
    sheet = write_csv(tmp_path / "codes.csv", lines)
    before, problems = said(dataset, root, sheet)
    assert problems == []
    people = () if dataset == "mmew" else ("9" * 5000, "/etc", "\0")  # there the clip names the person
    bad = [(column, v) for column, values in ((clip, NAMES), (subject, people), (onset, NUMBERS)) for v in values]
    first = len(lines) + 1
    for column, value in bad:
        lines.append([*lines[header + 1]])
        lines[-1][column] = value
    after, problems = said(dataset, root, write_csv(sheet, lines))
    assert after == before
    for number, cell in enumerate(bad, first):
        assert any(f"line {number}:" in problem for problem in problems), cell


@pytest.fixture(scope="module")
def casme2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("casme2")
    for clip in ("EP1", "EP2"):
        write_frames(root / "Cropped/sub01" / clip, range(1, 6), "reg_img{}.jpg")
    return root


@settings(max_examples=60, deadline=None, derandomize=True)
@given(row=st.tuples(*[st.one_of(st.text(), st.integers().map(str), st.floats().map(str))] * 7))
def test_no_row_of_any_text_ends_a_listing(casme2: Path, row: tuple[str, ...]) -> None:
    header = ["Subject", "Filename", "OnsetFrame", "ApexFrame", "OffsetFrame", "Action Units", "Estimated Emotion"]
    whole = [["1", "EP1", "1", "3", "5", "4", "disgust"], ["1", "EP2", "1", "/", "5", "4", "fear"]]
    sheet = write_csv(casme2 / "codes.csv", [header, whole[0], row, whole[1]])
    assert [r.clip_id for r in dataset_listing("casme2", casme2, sheet).rows] == [
        "casme2/sub01/EP1",
        "casme2/sub01/EP2",
    ]


def test_links_and_pipes_in_a_tree_are_problems_of_their_clips(tmp_path: Path) -> None:
    home = tmp_path / "HS/s01/micro/negative"
    for clip in ("s01_ne_01", "s01_ne_02"):
        write_frames(home / clip, range(1, 6), "reg_image{}.bmp")
    (home / "s01_ne_03").symlink_to(home / "s01_ne_03")
    (home / "s01_ne_04").symlink_to("/etc")
    (home / "s01_ne_01/reg_image6.bmp").symlink_to("reg_image6.bmp")
    (home / "s01_ne_02/reg_image3.bmp").unlink()
    os.mkfifo(home / "s01_ne_02/reg_image3.bmp")
    listing = dataset_listing("smic-hs", tmp_path)
    assert [(r.clip_id[-2:], r.onset, r.offset) for r in listing.rows] == [("01", 1, 6), ("02", 1, 5)]
    assert any("reg_image6.bmp" in p and "s01_ne_01" in p for p in listing.problems)
    assert any("reg_image3.bmp" in p and "s01_ne_02" in p for p in listing.problems)
    assert any("outside its root" in p and "s01_ne_04" in p for p in listing.problems)
    for row, name in zip(
        listing.rows, ("reg_image6.bmp", r"reg_image3.bmp: cannot be read \(it is no file"), strict=True
    ):
        with pytest.raises(MerError, match=name):
            read_clip(row)


@pytest.mark.parametrize("follow", [False, True])
def test_a_clip_whose_folder_is_a_link_to_itself_costs_no_other(casme2: Path, tmp_path: Path, follow: bool) -> None:
    header = ["Subject", "Filename", "OnsetFrame", "ApexFrame", "OffsetFrame", "Action Units", "Estimated Emotion"]
    lines = [["1", clip, "1", "3", "5", "4", "fear"] for clip in ("EP1", "EP3", "EP2")]
    (casme2 / "Cropped/sub01/EP3").unlink(missing_ok=True)
    (casme2 / "Cropped/sub01/EP3").symlink_to("EP3")
    with following([tmp_path] if follow else []):
        listing = dataset_listing("casme2", casme2, write_csv(tmp_path / "codes.csv", [header, *lines]))
    assert len(listing.rows) == 2
    (problem,) = listing.problems
    assert "line 3" in problem
    assert "EP3" in problem


@pytest.mark.parametrize("name", ["pipe.png", "self.png", "folder.png", "a\0b.png", "x" * 300 + ".png", "absent.png"])
def test_what_is_no_file_is_refused_by_name(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "self.png").symlink_to("self.png")
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(MerError, match="cannot be read"):
        read_frame(tmp_path / name)


def test_a_pipe_is_no_video(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "v.avi")
    with pytest.raises(MerError, match=r"v\.avi: cannot be read"):
        probe_video(tmp_path / "v.avi")


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"frames_dir": "x\0y"}, "is no path"),
        ({"frames_dir": "self/x"}, "is no path"),
        ({"offset": 2**63}, "64 bits"),
        ({"fps": float("inf")}, "fps"),
        ({"onset": "9" * 5000}, "whole numbers"),
    ],
)
def test_a_manifest_names_the_line_that_can_be_nothing(tmp_path: Path, changed: dict[str, Any], reason: str) -> None:
    (tmp_path / "self").symlink_to(tmp_path / "self")
    row = made_row(root=tmp_path, **changed)
    with pytest.raises(MerError, match=f"line 2.*{reason}"):
        read_manifest(write_manifest([row], tmp_path / "manifest.csv"))


def test_an_apex_of_a_clip_that_can_be_no_path_is_a_problem_of_that_clip(tmp_path: Path) -> None:
    row = made_row(root=tmp_path, frames_dir="y" * 300)
    assert estimate_apexes([row], "peak", on_error="skip") == [row]
