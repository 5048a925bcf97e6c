"""CASME's sheet and both of its trees, and the folder search that all sheet-annotated data sets share."""

import pytest
from helpers.trees import write_frames, write_sheet

from mer_tf.config import MerError
from mer_tf.datasets.adapters.casme import casme_listing
from mer_tf.datasets.adapters.folders import ClipFolders, frames_home

HEADER = ["Subject", "Filename", None, "OnsetF", "ApexF1", "ApexF2", "OffsetF", None, "AU", "Emotion"]


@pytest.fixture
def tree(tmp_path):
    write_frames(tmp_path / "Cropped/sub01/EP01_5", range(3, 12), "reg_EP01_5-{}.jpg")
    write_frames(tmp_path / "Cropped/sub02/EP09_1", [7, 8, 9], "reg_EP01_5-{}.jpg")
    write_frames(tmp_path / "CASME_raw_selected/sub01/EP01_5", range(3, 12), "EP01_5-{:03d}.jpg")
    rows = [[1, "EP01_5", None, 3, 6, 8, 11, None, "L12A+15", "Disgust"]]
    rows += [["02", "ep09_1", None, 7.0, "/", None, "9.0", None, 4, "tense"]]
    write_sheet(tmp_path / "CASME-coding.xlsx", [HEADER, *rows])
    return tmp_path


def test_rows_of_both_spellings(tree):
    listing = casme_listing(tree, None)
    first, second = listing.rows
    assert not listing.problems
    assert (first.clip_id, first.subject) == ("casme/sub01/EP01_5", "casme/sub01")
    assert (first.onset, first.apex, first.offset, first.fps) == (3, 6, 11, 60.0)
    assert (first.label_raw, first.aus, first.apex_source) == ("disgust", "L12A+15", "given")
    assert first.frames_dir == "Cropped/sub01/EP01_5"
    assert (second.onset, second.apex, second.offset, second.aus, second.apex_source) == (7, None, 9, "4", "")
    assert second.source().name == "EP09_1", "the folder is found whatever its case"


def test_the_other_tree_is_chosen_by_root(tree):
    listing = casme_listing(tree / "CASME_raw_selected", tree / "CASME-coding.xlsx")
    assert [r.frames_dir for r in listing.rows] == ["sub01/EP01_5"]
    assert [p for p in listing.problems if "casme/sub02/ep09_1" in p and "no folder" in p]


def test_faults_cost_only_their_own_clip(tree):
    write_frames(tree / "Cropped/sub02/EP10_1", [1, 2], "reg_EP01_5-{}.jpg")
    write_frames(tree / "Cropped/sub03/EP01_1", [1, 2, 3], "reg_EP01_5-{}.jpg")
    rows = [
        [1, "EP01_5", None, 3, 6, None, 11, None, "12", "disgust"],
        [2, "EP09_1", None, 7, 12, None, 9, None, "4", "tense"],
        [3, "EP01_1", None, "one", 2, None, 3, None, "4", "tense"],
        [None, "EP01_9", None, 1, 2, None, 3, None, "4", "tense"],
        [4, "/etc", None, 1, 2, None, 3, None, "4", "tense"],
        [5, "../../..", None, 1, 2, None, 3, None, "4", "tense"],
    ]
    write_sheet(tree / "CASME-coding.xlsx", [HEADER, *rows])
    listing = casme_listing(tree, None)
    assert [(r.clip_id, r.apex) for r in listing.rows] == [("casme/sub01/EP01_5", 6), ("casme/sub02/EP09_1", None)]
    for what in ("apex 12 lies outside 7 to 9", "line 4: onset is 'one'", "line 5: subject not given", "sub04/etc"):
        assert any(what in p for p in listing.problems), what
    assert any("outside its root" in p or "sub05/../../.." in p for p in listing.problems)
    assert any("EP10_1: no row of CASME-coding.xlsx" in p for p in listing.problems)


def test_no_tree_no_sheet_no_column(tmp_path, tree):
    (tmp_path / "empty").mkdir()
    with pytest.raises(MerError, match=r"neither it nor a folder Cropped, .* \(found: no folder\)"):
        casme_listing(tmp_path / "empty", tree / "CASME-coding.xlsx")
    (tree / "CASME-coding.xlsx").rename(tree / "list.xlsx")
    with pytest.raises(MerError, match="holds no annotation sheet"):
        casme_listing(tree, None)
    write_sheet(tree / "list.xlsx", [HEADER[:4], [1, "EP01_5", None, 3]])
    with pytest.raises(MerError, match="no column for apex"):
        casme_listing(tree, tree / "list.xlsx")


def test_an_archive_unpacked_into_itself_is_found(tmp_path):
    (tmp_path / "rawpic/rawpic/s15/clip").mkdir(parents=True)
    (tmp_path / "rawpic/.hidden").mkdir()
    home = frames_home(tmp_path, ["RAWPIC"], r"s\d+")
    assert home == tmp_path / "rawpic/rawpic"
    assert ClipFolders(home).all == [home / "s15/clip"]
