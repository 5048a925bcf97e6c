"""Look-alike trees: exact published names and numbers, atomic, repeatable, and never over other files."""

import os
from collections import Counter

import openpyxl
import pytest

from mer_tf.config import MerError
from mer_tf.files import sha256
from mer_tf.synthetic.layouts import files, write
from mer_tf.synthetic.layouts.write import PLANS, write_lookalike


def table(path, tab=0):
    book = openpyxl.load_workbook(path)
    return [list(row) for row in book.worksheets[tab].iter_rows(values_only=True)]


def content(root):
    """Name -> hash of each file; a picture of many names is read once."""
    inodes = {p: p.stat().st_ino for p in root.rglob("*") if p.is_file()}
    hashes = {inode: sha256(p) for inode, p in {inode: p for p, inode in inodes.items()}.items()}
    return {p.relative_to(root).as_posix(): hashes[inode] for p, inode in inodes.items()}


@pytest.mark.parametrize(
    ("dataset", "layout"), [(d, layout) for d, (_, layouts) in PLANS.items() for layout in layouts]
)
def test_every_layout_is_written_and_repeats_to_the_byte(tree_of, tmp_path, dataset, layout):
    again = write_lookalike(dataset, tmp_path / "again", layout=layout)
    assert content(tree_of(dataset, "small", layout)) == content(again)
    assert [p.name for p in tmp_path.iterdir()] == ["again"]


def test_another_seed_gives_other_clips(tree_of, tmp_path):
    two = write_lookalike("samm", tmp_path / "two", seed=1)
    frames = [{p.relative_to(root) for p in root.rglob("*.jpg")} for root in (tree_of("samm"), two)]
    assert frames[0] != frames[1]


def test_casme2_has_the_published_names_and_the_known_anomaly(tree_of):
    root = tree_of("casme2")
    header, *rows = table(root / "CASME2-coding-20140508.xlsx")
    assert header[:2] == ["Subject", "Filename"]
    assert [i for i, title in enumerate(header) if title is None] == [2, 6]
    assert [4, "EP12_01f", None, 261, "/", 321, None, "4+7", "disgust"] in rows
    frames = sorted(p.name for p in (root / "Cropped/sub04/EP12_01f").iterdir())
    assert frames == sorted(f"reg_img{n}.jpg" for n in range(261, 322))


def test_raw_trees_differ_by_the_frames_around_the_clip(tree_of):
    names = {
        tree: sorted(p.name for p in (tree_of("casme2", "small", tree) / tree / clip).iterdir())
        for tree, clip in {"CASME2_RAW": "sub04/EP12_01f", "CASME2_RAW_selected": "sub04/EP12_01f"}.items()
    }
    assert names["CASME2_RAW_selected"] == sorted(f"img{n}.jpg" for n in range(261, 322))
    assert set(names["CASME2_RAW"]) - set(names["CASME2_RAW_selected"]) == {
        f"img{n}.jpg" for n in (*range(256, 261), *range(322, 327))
    }


def test_the_updated_sheet_has_one_clip_more_and_five_others(tree_of):
    old, new = tree_of("casme2", "published"), tree_of("casme2", "published", "Cropped+updated")
    before = {(r[0], r[1]): r[2:] for r in table(old / "CASME2-coding-20140508.xlsx")[1:]}
    after = {(r[0], r[1]): r[2:] for r in table(new / "CASME2-coding-updated.xlsx")[1:]}
    assert (len(before), len(after)) == (255, 256)
    assert set(after) - set(before) == {(24, "EP02_07")}
    assert after[24, "EP02_07"] == [None, 61, 91, 106, None, "4", "disgust"]
    assert {clip for clip in before if before[clip] != after[clip]} == {
        (7, "EP06_01"),
        (12, "EP09_02"),
        (12, "EP09_06"),
        (16, "EP01_08"),
        (20, "EP16_01"),
    }
    subjects = Counter(subject for subject, _ in before)
    assert {s: subjects[s] for s in (5, 9, 10, 17, 19, 21, 22, 26)} == {
        5: 19,
        9: 14,
        10: 14,
        17: 36,
        19: 16,
        21: 2,
        22: 2,
        26: 17,
    }


def test_samm_sheet_has_its_header_on_the_14th_row(tree_of):
    root = tree_of("samm", "published")
    rows = table(root / "SAMM_Micro_FACS_Codes_v2.xlsx")
    assert rows[13][:4] == ["Subject", "Filename", "Inducement Code", "Onset Frame"]
    assert rows[1][0].startswith("Subject")
    assert len(rows) == 14 + 159
    assert Counter(r[10] for r in rows[14:]) == {"VII": 84, "I": 24, "III": 20, "II": 13, "IV": 8, "VI": 7, "V": 3}
    subject, clip, _, onset = rows[14][:4]
    assert (root / "SAMM" / subject / clip / f"{subject}_{onset:05d}.jpg").is_file()


def test_casme_sq_names_its_folders_by_the_naming_rules(tree_of):
    sheet = "CAS(ME)^2code_final(Updated).xlsx"
    root = tree_of("casme-sq", "published")
    clips, subjects, videos = (table(root / sheet, tab) for tab in range(3))
    codes = {name: code for code, name in videos}
    folders = {participant: folder for _, folder, participant in subjects}
    assert len(clips) == 357
    assert {r[7] for r in clips} == {"micro-expression", "macro-expression"}
    assert sum(r[4] == 0 for r in clips) > 0
    for participant, name, onset, apex, offset, *_ in clips[:20]:
        home = folders[participant]
        (folder,) = (root / "rawpic" / home).glob(f"{home[1:]}_{codes[name.split('_')[0]]}*")
        assert (folder / f"img{onset:03d}.jpg").is_file()
        assert (folder / f"img{offset or apex:03d}.jpg").is_file()


def test_flow_images_come_once_as_test_and_repeat_in_training(tree_of):
    root = tree_of("flow-images")
    files = list(root.rglob("*.png"))
    folds = {p.relative_to(root).parts[0] for p in files}
    tests = [p for p in files if "u_test" in p.parts]
    assert all(p.name.endswith(" .png") for p in files)
    assert len(files) == len(folds) * len(tests)
    copies = [p for p in files if p.name == tests[0].name]
    assert len({sha256(p) for p in copies}) == 1
    assert len({sha256(p) for p in tests}) == len(tests)


def test_shuffled_rows_change_the_sheet_alone(tree_of, tmp_path):
    plain = tree_of("mmew")
    mixed = write_lookalike("mmew", tmp_path / "mixed", shuffle_rows=True)
    one, two = table(plain / "MMEW_Micro_Exp.xlsx"), table(mixed / "MMEW_Micro_Exp.xlsx")
    assert one != two
    assert one[0] == two[0]
    assert sorted(map(str, one)) == sorted(map(str, two))
    before, after = content(plain), content(mixed)
    assert before.keys() == after.keys()
    assert {name for name in before if before[name] != after[name]} == {"MMEW_Micro_Exp.xlsx", write.MARKER}


def test_a_finished_tree_is_left_alone_and_others_are_refused(tmp_path):
    root = write_lookalike("casme3-c", tmp_path / "c")
    stamp = root.stat().st_mtime_ns
    assert write_lookalike("casme3-c", root) == root
    assert root.stat().st_mtime_ns == stamp
    with pytest.raises(MerError, match="seed 0 not 1"):
        write_lookalike("casme3-c", root, seed=1)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/holiday.jpg").touch()
    with pytest.raises(MerError, match="no look-alike"):
        write_lookalike("casme3-c", tmp_path / "mine")
    assert [p.name for p in (tmp_path / "mine").iterdir()] == ["holiday.jpg"]


def test_an_empty_folder_may_become_a_tree(tmp_path):
    assert (write_lookalike("casme3-c", tmp_path) / "part_C").is_dir()


def test_a_failure_leaves_nothing_behind(tmp_path, monkeypatch):
    def full(*_):
        raise OSError("no space left on device")

    monkeypatch.setattr(files, "write_sheet", full)
    with pytest.raises(OSError, match="no space"):
        write_lookalike("casme3-c", tmp_path / "c")
    assert list(tmp_path.iterdir()) == []


def test_without_hard_links_the_files_are_copies(tree_of, tmp_path, monkeypatch):
    linked = tree_of("casme3-c")

    def refused(*_):
        raise PermissionError("no hard links here")

    monkeypatch.setattr(os, "link", refused)
    copied = write_lookalike("casme3-c", tmp_path / "copied")
    assert content(linked) == content(copied)
    assert all(p.stat().st_nlink == 1 for p in copied.rglob("*.jpg"))
    assert any(p.stat().st_nlink > 1 for p in linked.rglob("*.jpg"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"dataset": "casme4"}, "no look-alike of the data set 'casme4'; there are smic-hs"),
        ({"layout": "raw"}, "layout must be one of Cropped, CASME2_RAW"),
        ({"counts": "all"}, "counts must be published or small"),
        ({"seed": -1}, "seed must be 0 or more"),
    ],
)
def test_bad_arguments_are_named(tmp_path, arguments, message):
    with pytest.raises(MerError, match=message):
        write_lookalike(**{"dataset": "casme2", "out": tmp_path / "x"} | arguments)
