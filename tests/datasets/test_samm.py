"""SAMM and SAMM Long Videos: headers below text rows, intervals of one video, single faults."""

import pytest
from helpers.trees import write_sheet

from mer_tf.config import MerError
from mer_tf.datasets import dataset_listing

TEXT = [["SAMM Micro-Movements"], ["Released 2016"], [], ["Notes:", "Frames at 200 fps"], []]
HEADER = ["Subject", "Filename", "Inducement Code", "Onset Frame", "Apex Frame", "Offset Frame", "Duration", "Micro"]
HEADER += ["Action Units", "Estimated Emotion", "Objective Classes", "Notes"]
ROWS = [
    [6, "006_1_2", 1, 5562, 5566, 5570, 9, "Micro - 1/2", "AU12 or AU14", "Happiness", "I", None],
    ["011", "011_2_1", 2, 100, 101, 102, 3, "Micro - 1/2", "AU4", "Other", "vii", "left"],
]
LONG_HEADER = [
    "Subject",
    "Filename",
    "Inducement Code",
    "Onset",
    "Apex",
    "Offset",
    "Duration",
    "Type",
    "Action Units",
    "Notes",
]
LONG_ROWS = [
    [6, "006_1_2", 1, 3, 4, 5, 3, "Micro - 1/2", "12", None],
    [6, "006_1_3", 1, 7, 9, 12, 6, "Macro", "4", None],
    [11, "011_2_1", 2, 2, 5, 0, 4, "Macro", "4", None],
]


def clip(folder, stem, numbers, digits):
    folder.mkdir(parents=True)
    for number in numbers:
        (folder / f"{stem}_{number:0{digits}d}.jpg").touch()


def samm(root, rows=ROWS, home="."):
    write_sheet(root / "SAMM_Micro_FACS_Codes_v2.xlsx", [*TEXT, HEADER, *rows])
    clip(root / home / "006/006_1_2", "006", range(5562, 5571), 5)
    clip(root / home / "011/011_2_1", "011", range(100, 103), 5)
    return dataset_listing("samm", root)


def long_videos(root, rows=LONG_ROWS, home="SAMM_longvideos"):
    write_sheet(root / "SAMM_LongVideos_V2_Release.xlsx", [*[["text"]] * 9, LONG_HEADER, *rows])
    clip(root / home / "006_1", "006_1", range(1, 21), 4)
    clip(root / home / "011_2", "011_2", range(1, 21), 4)
    return dataset_listing("samm-lv", root)


@pytest.mark.parametrize("home", [".", "SAMM"])
def test_clips_of_samm(tmp_path, home):
    found = samm(tmp_path, home=home)
    assert found.problems == []
    first, second = found.rows
    assert (first.clip_id, first.subject, first.onset, first.apex, first.offset) == (
        "samm/006/006_1_2",
        "samm/006",
        5562,
        5566,
        5570,
    )
    assert (first.label_raw, first.aus, first.objective, first.fps) == ("Happiness", "AU12 or AU14", "I", 200)
    assert (second.clip_id, second.subject, second.objective) == ("samm/011/011_2_1", "samm/011", "VII")
    assert first.source() == (tmp_path / home / "006/006_1_2").resolve()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({0: None}, "line 7: subject '' and file name '006_1_2' name no clip"),
        ({1: "011_1_2"}, "line 7: subject '6' and file name '011_1_2' name no clip"),
        ({5: "?"}, "line 7: offset is '?', not a whole number"),
        ({1: "006_9_9"}, "line 7: clip samm/006/006_9_9: there is no folder"),
    ],
)
def test_a_fault_costs_its_clip_alone(tmp_path, change, message):
    found = samm(tmp_path, [[change.get(i, v) for i, v in enumerate(ROWS[0])], ROWS[1]])
    assert [r.clip_id for r in found.rows] == ["samm/011/011_2_1"]
    assert any(message in p for p in found.problems)
    assert any("006_1_2: no row of SAMM_Micro_FACS_Codes_v2.xlsx" in p for p in found.problems)


def test_long_videos_are_intervals_of_shared_folders(tmp_path):
    found = long_videos(tmp_path)
    spans = {r.clip_id: (r.label_raw, r.onset, r.apex, r.offset, r.frames_dir) for r in found.rows}
    assert spans == {
        "samm-lv/006/006_1_2": ("micro", 3, 4, 5, "SAMM_longvideos/006_1"),
        "samm-lv/006/006_1_3-macro": ("macro", 7, 9, 12, "SAMM_longvideos/006_1"),
        "samm-lv/011/011_2_1-macro": ("macro", 2, 5, 5, "SAMM_longvideos/011_2"),
    }
    assert {r.subject for r in found.rows} == {"samm/006", "samm/011"}
    assert ["offset 0 is no frame, the apex 5 is taken" in p for p in found.problems] == [True]


def test_long_videos_of_unknown_type_or_without_folder(tmp_path):
    rows = [[*LONG_ROWS[0][:7], "Blink", "12", None], LONG_ROWS[1], [7, "007_3_1", 1, 2, 3, 4, 3, "Macro", "", None]]
    found = long_videos(tmp_path, rows)
    assert [r.clip_id for r in found.rows] == ["samm-lv/006/006_1_3-macro"]
    text = "\n".join(found.problems)
    assert "line 11: type 'Blink' is neither micro nor macro" in text
    assert "clip samm-lv/007/007_3_1-macro: there is no folder" in text
    assert "011_2: no row of" in text


def test_a_root_without_subjects(tmp_path):
    write_sheet(tmp_path / "SAMM_Micro_FACS_Codes_v2.xlsx", [HEADER, *ROWS])
    with pytest.raises(MerError, match="neither it nor a folder in it holds 006/006_1_2/"):
        dataset_listing("samm", tmp_path)
