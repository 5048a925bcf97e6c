"""Folders, rows and subjects whose names become one: always a named problem, and no clip is lost or read twice."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import hypothesis.strategies as st
import pytest
from helpers.rows import made_row
from helpers.trees import write_frames, write_sheet
from hypothesis import given, settings

from mer_tf.config import MerError
from mer_tf.datasets import dataset_listing
from mer_tf.datasets.manifest import read_manifest, write_manifest
from mer_tf.datasets.names import clashing_names, plain_case, plain_name
from mer_tf.synthetic.layouts.write import write_lookalike

CASME2 = ["Subject", "Filename", "OnsetFrame", "ApexFrame", "OffsetFrame", "Action Units", "Estimated Emotion"]


def casme2(root: Path, folders: list[str], rows: list[tuple[str, str]]) -> None:
    """Folders of frames 1 to 5, and rows (subject, clip) of them."""
    for folder in folders:
        write_frames(root / "Cropped" / folder, range(1, 6), "reg_img{}.jpg")
    lines = [[subject, clip, 1, 3, 5, "4", "disgust"] for subject, clip in rows]
    write_sheet(root / "CASME2-coding.xlsx", [CASME2, *lines])


def test_names_as_people_and_systems_write_them() -> None:
    assert plain_name(" Sub01/EP0020 ") == "sub1/ep20"
    assert plain_name("s0") == "s0"
    assert plain_case("Andre\u0301") == plain_case("Andr\u00e9")
    names = ["s1", "s01", "s10", "s100", "S2", "s2"]
    assert [c.split(" are ")[0] for c in clashing_names(names, plain_name)] == ["S2 and s2", "s01 and s1"]


def test_casme2_subjects_of_two_spellings(tmp_path: Path) -> None:
    casme2(tmp_path, ["sub01/EP1", "sub1/EP1", "sub1/EP2"], [("1", "EP1"), ("01", "EP2")])
    listing = dataset_listing("casme2", tmp_path)
    assert [(r.clip_id, r.frames_dir) for r in listing.rows] == [
        ("casme2/sub01/EP1", "Cropped/sub01/EP1"),
        ("casme2/sub01/EP2", "Cropped/sub1/EP2"),
    ]
    assert len(listing.problems) == 2
    assert any("sub01 and sub1" in p for p in listing.problems)
    assert any("sub01/EP1 and" in p and "sub1/EP1" in p and "the first is taken" in p for p in listing.problems)


def test_casme_clips_that_differ_in_case(tmp_path: Path) -> None:
    root = write_lookalike("casme", tmp_path / "tree")
    row = dataset_listing("casme", root).rows[0]
    folder = root / row.frames_dir
    shutil.copytree(folder, folder.with_name(folder.name.lower()))
    after = dataset_listing("casme", root)
    assert row in after.rows
    (problem,) = after.problems
    assert folder.name.lower() in problem


def test_casme3_c_people_of_two_spellings(tmp_path: Path) -> None:
    for person in ("01", "1", "sub2"):
        write_frames(tmp_path / f"part_C/{person}/a/color", range(1, 11))
    header = ["sub", "count", "onset", "offset", "au", "emotion"]
    write_sheet(tmp_path / "CAS(ME)3_part_C_ME.xlsx", [header, [1, 1, 2, 6, "4", "a"], [2, 1, 3, 7, "4", "b"]])
    listing = dataset_listing("casme3-c", tmp_path)
    assert [r.frames_dir for r in listing.rows] == ["part_C/01/a/color", "part_C/sub2/a/color"]
    (problem,) = listing.problems
    assert "part_C/01 and" in problem


def test_mmew_one_clip_in_two_emotions(tmp_path: Path) -> None:
    root = write_lookalike("mmew", tmp_path / "tree")
    row = dataset_listing("mmew", root).rows[0]
    folder = root / row.frames_dir
    other = next(p for p in folder.parent.parent.iterdir() if p != folder.parent)
    shutil.copytree(folder, other / folder.name)
    after = dataset_listing("mmew", root)
    assert row in after.rows
    assert any(str(folder) in p and str(other / folder.name) in p and "emotion is taken" in p for p in after.problems)


def test_smic_cameras_of_two_spellings(tmp_path: Path) -> None:
    for camera, micro in (("HS", "micro"), ("hs", "Micro")):
        write_frames(tmp_path / f"{camera}/s01/{micro}/negative/s01_ne_01", [1, 2], "reg_image{}.bmp")
    with pytest.raises(MerError, match="HS and hs are the same camera"):
        dataset_listing("smic-hs", tmp_path)
    assert len(dataset_listing("smic-hs", tmp_path / "hs").rows) == 1


def test_flow_image_subjects_of_two_spellings(tmp_path: Path) -> None:
    for subject, clip in (("s01", "a"), ("s1", "b"), ("006", "c"), ("6", "c")):
        write_frames(tmp_path / f"{subject}/u_test/0", [1], clip + "{} .png")
    listing = dataset_listing("flow-images", tmp_path)
    assert [r.clip_id for r in listing.rows] == ["flow-images/s01/a1", "flow-images/s01/b1"]
    assert [r.clip_id for r in listing.left_out] == ["flow-images/006/c1"]
    assert sum("s01 and s1 are one and the same subject" in p for p in listing.problems) == 1


def test_subjects_of_a_sheet_in_two_spellings(tmp_path: Path) -> None:
    write_frames(tmp_path / "part_A/spNO.1/a/color", range(1, 11))
    header = ["Subject", "Filename", "Onset", "Apex", "Offset", "AU", "Objective class", "emotion"]
    lines = [
        [name, "a", start, start + 1, start + 2, "4", "I", "fear"] for name, start in (("spNO.1", 1), ("spNO.01", 6))
    ]
    write_sheet(tmp_path / "cas(me)3_part_A_ME_label_JpgIndex_v2.xlsx", [header, *lines])
    listing = dataset_listing("casme3-a", tmp_path)
    assert len(listing.rows) == 2
    (problem,) = listing.problems
    assert "cas_me_3/spNO.01 and cas_me_3/spNO.1" in problem


def test_subjects_of_a_manifest_in_two_spellings(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    subjects = enumerate(["s1", "s01", "s2"])
    rows = [made_row(clip_id=f"x/{s}/{i}", subject=f"x/{s}", root=tmp_path) for i, s in subjects]
    read_manifest(write_manifest(rows, tmp_path / "manifest.csv"))
    assert "the subjects x/s01 and x/s1" in caplog.text
    assert "x/s2" not in caplog.text


SPELLINGS = [str, "{:02d}".format, "{:03d}".format, "sub{}".format, "sub{:02d}".format, "SUB{}".format]
PEOPLE = st.dictionaries(
    st.integers(1, 30),
    st.lists(st.sampled_from(SPELLINGS), min_size=1, max_size=3, unique=True),
    min_size=1,
    max_size=3,
)


@settings(max_examples=12, deadline=None, derandomize=True)
@given(people=PEOPLE)
def test_casme2_reads_any_spellings_once_and_names_each_clash(people: dict[int, list[Callable[[int], str]]]) -> None:
    clips = {(n, f"{spell(n)}/EP{n}") for n, spells in people.items() for spell in spells}
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        casme2(root, ["sub99/EP99", *(f for _, f in clips)], [(str(n), f"EP{n}") for n in [99, *people]])
        listing = dataset_listing("casme2", root)
    assert [r.clip_id for r in listing.rows] == sorted(f"casme2/sub{n:02d}/EP{n}" for n in [99, *people])
    clashing = [n for n in people if len([m for m, _ in clips if m == n]) > 1]
    assert len(listing.problems) == 2 * len(clashing)
