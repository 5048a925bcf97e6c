"""Annotations that can hardly be meant are named, the user decides, and nothing is changed in silence."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from helpers.rows import made_row
from helpers.trees import write_sheet
from hypothesis import given, settings

from mer_tf.check import check
from mer_tf.cli.data_commands import manifest
from mer_tf.config import Data, Experiment, MerError
from mer_tf.datasets import dataset_listing, told
from mer_tf.datasets.counts import manifest_report
from mer_tf.datasets.doubts import decided, doubt, doubts
from mer_tf.datasets.manifest import ClipRow, read_manifest
from mer_tf.inputs.clips import data_rows

HEADER = ["Subject", "Filename", "Onset", "Apex", "Offset", "AU", "Objective class", "emotion"]
JPG = "cas(me)3_part_A_ME_label_JpgIndex_v2.xlsx"
ROWS = [
    ["spNO.1", "a", 40, 44, 47, "4+L7", 3, "disgust"],
    ["spNO.1", "a", 5, 5, 9, "12", "II", "happy"],
    ["spNO.1", "b", 5, 6, 85, "1+2", "I", "others"],
    ["spNO.2", "a", 7, 7, 7, "4", "III", "fear"],
]
AT_ONSET, LONG = "casme3-a/spNO.1/a-5", "casme3-a/spNO.1/b-5"


def touch_frames(folder: Path, numbers: Iterable[int]) -> None:
    """Empty files: a manifest opens no image."""
    folder.mkdir(parents=True)
    for number in numbers:
        (folder / f"{number}.jpg").touch()


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for video in ("spNO.1/a", "spNO.1/b", "spNO.2/a"):
        touch_frames(tmp_path / f"part_A/{video}/color", range(1, 91))
    write_sheet(tmp_path / JPG, [HEADER, *ROWS])
    return tmp_path


WHOLE = made_row(clip_id="x/c", onset=10, apex=12, offset=20, fps=30.0, label_raw="fear")


def row(**changes: Any) -> ClipRow:
    return dataclasses.replace(WHOLE, **changes)


def test_doubtful_clips_are_named_kept_and_no_problem(tree: Path, caplog: pytest.LogCaptureFixture) -> None:
    listing = dataset_listing("casme3-a", tree)
    assert listing.problems == listing.notes == []
    assert set(doubts(listing.rows)) == {AT_ONSET, LONG}
    report, clean = manifest_report(listing, None)
    assert clean
    assert f"{AT_ONSET}: its apex 5 is its onset" in report
    assert f"{LONG}: it lasts 2.7 seconds" in report
    assert [r.apex for r in told(dataset_listing("casme3-a", tree), "casme3-a") if r.clip_id == AT_ONSET] == [5]
    assert "2 clip(s) of doubtful annotation" in caplog.text


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"apex": 10}, "its apex 10 is its onset"),
        ({"apex": None}, ""),
        ({"onset": 20, "apex": 20}, ""),
        ({"offset": 69}, "it lasts 2.0 seconds"),
        ({"offset": 69, "fps": 200.0}, ""),
        (
            {"offset": 3009, "apex": 10},
            "its onset, so there is no motion from one to the other and it lasts 100.0 s",
        ),
        ({"offset": 3009, "session": "macro-expression"}, ""),
        ({"offset": 3009, "label_raw": "macro"}, ""),
        ({"offset": 3009, "label_raw": "non-micro"}, ""),
        ({"offset": 3009, "video": "v.mp4", "frames_dir": ""}, ""),
    ],
)
def test_what_is_doubtful(changes: dict[str, object], said: str) -> None:
    found = doubt(row(**changes))
    assert said in found
    assert bool(found) == bool(said)


@settings(max_examples=50, derandomize=True, deadline=None)
@given(onset=st.integers(0, 99), rise=st.integers(0, 99), fall=st.integers(0, 99), fps=st.sampled_from([25.0, 200.0]))
def test_no_choice_but_estimate_changes_an_annotation(onset: int, rise: int, fall: int, fps: float) -> None:
    clip, sound = row(onset=onset, apex=onset + rise, offset=onset + rise + fall, fps=fps), row(clip_id="x/d")
    assert decided([clip, sound], "keep", "given") == [clip, sound]
    assert decided([clip, sound], "skip", "given") == [c for c in (clip, sound) if not doubt(c)]
    estimated = decided([clip, sound], "estimate", "midpoint")
    assert [c.apex for c in estimated] == [None if rise == 0 < fall else clip.apex, 12]


def test_the_command_lets_the_user_choose(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tree / "manifest.csv"
    manifest("casme3-a", tree, out, strict=False, doubtful="skip")
    assert {r.clip_id for r in read_manifest(out)} == {"casme3-a/spNO.1/a-40", "casme3-a/spNO.2/a-7"}
    assert "2 clips of 2 subjects" in capsys.readouterr().out
    manifest("casme3-a", tree, out, doubtful="estimate", apex="midpoint")
    apexes = {r.clip_id: (r.apex, r.apex_source) for r in read_manifest(out)}
    assert apexes[AT_ONSET] == (7, "midpoint")
    assert apexes["casme3-a/spNO.1/a-40"] == (44, "given")
    with pytest.raises(MerError, match="say how with apex=midpoint"):
        manifest("casme3-a", tree, out, doubtful="estimate")
    with pytest.raises(MerError, match="none is left"):
        decided([row(apex=10)], "skip", "given")


def test_known_faults_of_the_published_sheet_are_corrected_and_said(tmp_path: Path) -> None:
    faulty = [
        ["spNO.216", "d", 3647, 2668, 2694, "4", "III", "fear"],
        ["spNO.216", "e", 0, 0, 25, "4", "III", "fear"],
        ["spNO.149", "d", 112, 83, 120, "4", "III", "fear"],
    ]
    for video, numbers in (("216/d", range(2600, 2701)), ("216/e", range(1, 31)), ("149/d", range(100, 131))):
        touch_frames(tmp_path / f"part_A/spNO.{video}/color", numbers)
    write_sheet(tmp_path / JPG, [HEADER, *faulty])
    listing = dataset_listing("casme3-a", tmp_path)
    assert listing.problems == []
    assert {r.clip_id[9:]: (r.onset, r.apex, r.offset) for r in listing.rows} == {
        "spNO.216/d-3647": (2647, 2668, 2694),
        "spNO.216/e-0": (1, None, 25),
        "spNO.149/d-112": (112, None, 120),
    }
    assert len(listing.notes) == 4
    assert any("onset 3647 is read as 2647" in note and "line 2" in note for note in listing.notes)
    report, clean = manifest_report(listing, None)
    assert clean
    assert "apex 83 is read as not given: the apex lies before the onset" in report


def test_the_sheet_of_all_expressions_as_published_has_no_emotions(tree: Path) -> None:
    """Its columns are those of public loaders: an expression type, an objective class, no emotion."""
    (tree / JPG).unlink()
    kinds = ["Micro-expression", "Macro-expression", "Micro-expression", "Micro-expression"]
    lines = [[*r[:6], kind, r[6]] for r, kind in zip(ROWS, kinds, strict=True)]
    write_sheet(tree / "CAS(ME)3_part_A_v2.xlsx", [[*HEADER[:6], "Expression type", "Objective class"], *lines])
    listing = dataset_listing("casme3-a", tree)
    assert [r.clip_id for r in listing.rows] == ["casme3-a/spNO.1/a-40", LONG, "casme3-a/spNO.2/a-7"]
    assert {r.label_raw for r in listing.rows} == {""}
    (problem,) = listing.problems
    assert "CAS(ME)3_part_A_v2.xlsx: states no emotions" in problem


def test_an_experiment_has_the_same_choice(tree: Path) -> None:
    def rows(**given: Any) -> dict[str, tuple[int | None, str]]:
        data = Data(dataset="casme3-a", root=str(tree), **given)
        return {r.clip_id: (r.apex, r.apex_source) for r in data_rows(data, tree / "cache")}

    assert rows()[AT_ONSET] == (5, "given")
    assert set(rows(doubtful="skip")) == {"casme3-a/spNO.1/a-40", "casme3-a/spNO.2/a-7"}
    estimated = rows(doubtful="estimate", apex="midpoint")
    assert (estimated[AT_ONSET], estimated[LONG]) == ((7, "midpoint"), (6, "given"))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"doubtful": "estimate", "root": "x"}, "say how with data.apex=midpoint"),
        ({"doubtful": "skip", "manifests": ("m.csv",)}, "of a manifest's clips `mer-tf manifest` decides"),
        ({"apex": "midpoint"}, "they are for data.root"),
    ],
)
def test_a_choice_that_says_nothing_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(MerError, match=said):
        check(Experiment("x", data=Data(**given)))
