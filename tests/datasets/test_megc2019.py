"""The MEGC 2019 composite: three data sets beside each other, cut to the clips of the protocol."""

import pytest
from helpers.trees import write_sheet

from mer_tf.config import MerError
from mer_tf.datasets import dataset_listing

CASME2 = ["Subject", "Filename", "OnsetFrame", "ApexFrame", "OffsetFrame", "Action Units", "Estimated Emotion"]
SAMM = ["Subject", "Filename", "Onset Frame", "Apex Frame", "Offset Frame", "Action Units", "Estimated Emotion"]
NAMES = {"smic": "SMIC_all_cropped", "casme2": "CASME II", "samm": "samm"}


def clip(folder):
    folder.mkdir(parents=True)
    for number in (1, 2, 3):
        (folder / f"img{number}.jpg").touch()


def tree(root, names=NAMES):
    clip(root / names["smic"] / "HS/s1/micro/negative/s1_ne_01")
    clip(root / names["smic"] / "HS/s1/non_micro/s1_non_01")
    rows = [[1, "EP02_01f", 1, 2, 3, "12", "happiness"], [2, "EP01_01", 1, 2, 3, "4", "others"]]
    rows += [[4, "EP12_01f", 1, "/", 3, "4", "disgust"], [5, "EP09_05f", 1, 2, 3, "4", "disgust"]]
    write_sheet(root / names["casme2"] / "CASME2-coding-20140508.xlsx", [CASME2, *rows])
    for subject, name, *_ in rows:
        clip(root / names["casme2"] / f"Cropped/sub{subject:02d}/{name}")
    rows = [[6, "006_1_2", 1, 2, 3, "AU4", "Anger"], [6, "006_1_3", 1, 2, 3, "AU4", "Other"]]
    write_sheet(root / names["samm"] / "SAMM_Micro_FACS_Codes_v2.xlsx", [SAMM, *rows])
    for _, name, *_ in rows:
        clip(root / names["samm"] / f"006/{name}")


def test_rows_keep_their_data_set_and_only_clips_of_the_protocol_stay(tmp_path):
    tree(tmp_path)
    rows = dataset_listing("megc2019", tmp_path).rows
    assert [(r.clip_id, r.dataset) for r in rows] == [
        ("casme2/sub01/EP02_01f", "casme2"),
        ("samm/006/006_1_2", "samm"),
        ("smic-hs/s01_ne_01", "smic-hs"),
    ]
    assert all(r.source().is_dir() for r in rows)


def test_each_data_set_must_be_there_once(tmp_path):
    tree(tmp_path, NAMES | {"samm": "SAMM_longvideos"})
    with pytest.raises(MerError, match="must hold one folder of SAMM, e.g. SAMM/; found: none"):
        dataset_listing("megc2019", tmp_path)
    (tmp_path / "CASME2_RAW").mkdir()
    with pytest.raises(MerError, match="one folder of CASME II, e.g. CASME_II/; found: CASME II, CASME2_RAW"):
        dataset_listing("megc2019", tmp_path)
    with pytest.raises(MerError, match="no common sheet"):
        dataset_listing("megc2019", tmp_path, tmp_path / "s.xlsx")
