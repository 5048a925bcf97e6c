"""The SMIC adapter on look-alike trees: both spellings, three cameras, numeric frame order, clear errors."""

import numpy as np
import pytest
from skimage.io import imsave

from mer_tf.config import MerError
from mer_tf.datasets import dataset_listing

IMAGE = np.zeros((4, 4, 3), np.uint8)


def clip(root, path, numbers):
    folder = root / path
    folder.mkdir(parents=True)
    for number in numbers:
        imsave(folder / f"reg_image{number}.bmp", IMAGE, check_contrast=False)


@pytest.mark.parametrize("style", ["s1", "s01"])
def test_both_spellings_give_the_same_rows(tmp_path, style):
    clip(tmp_path, f"HS/{style}/micro/negative/{style}_ne_01", [98, 99, 100, 101])
    clip(tmp_path, f"HS/{style}/micro/surprise/{style}_sur_01", [7, 8])
    clip(tmp_path, f"HS/{style}/non_micro/{style}_non_01", [1, 2])
    rows = {r.clip_id: r for r in dataset_listing("smic-hs", tmp_path).rows}
    assert set(rows) == {"smic-hs/s01_ne_01", "smic-hs/s01_sur_01", "smic-hs/s01_non_01"}
    assert {r.subject for r in rows.values()} == {"smic/s01"}
    assert rows["smic-hs/s01_non_01"].label_raw == "non-micro"
    first = rows["smic-hs/s01_ne_01"]
    assert (first.onset, first.offset, first.fps, first.label_raw) == (98, 101, 100.0, "negative")
    assert first.source() == (tmp_path / f"HS/{style}/micro/negative/{style}_ne_01").resolve()


@pytest.mark.parametrize(("name", "folder", "fps"), [("smic-vis", "VIS", 25.0), ("smic-nir", "nir", 25.0)])
def test_cameras_share_subjects_but_not_clips(tmp_path, name, folder, fps):
    clip(tmp_path, f"{folder}/s3/micro/positive/s3_po_02", [1, 2])
    (row,) = dataset_listing(name, tmp_path).rows
    assert (row.clip_id, row.subject, row.fps) == (f"{name}/s03_po_02", "smic/s03", fps)
    assert dataset_listing(name, tmp_path / folder).rows[0].clip_id == row.clip_id


def test_one_subject_under_two_names_is_refused(tmp_path):
    clip(tmp_path, "HS/s1/micro/negative/s1_ne_01", [1, 2])
    clip(tmp_path, "HS/s01/micro/negative/s01_ne_02", [1, 2])
    with pytest.raises(MerError, match="s01 and s1 are the same subject s01"):
        dataset_listing("smic-hs", tmp_path)


def test_missing_root_empty_tree_and_wrong_folder(tmp_path):
    with pytest.raises(MerError, match="no such folder"):
        dataset_listing("smic-hs", tmp_path / "none")
    with pytest.raises(MerError, match="holds no folder HS/"):
        dataset_listing("smic-hs", tmp_path)
    (tmp_path / "HS").mkdir()
    with pytest.raises(MerError, match=r"no clips|expected <subject>"):
        dataset_listing("smic-hs", tmp_path)
    with pytest.raises(MerError, match="unknown data set 'smik'; known: smic-hs"):
        dataset_listing("smik", tmp_path)


@pytest.mark.parametrize(("names", "message"), [([], "holds no frame"), (["a.bmp"], "no frame number")])
def test_unreadable_folder_is_named(tmp_path, names, message):
    folder = tmp_path / "HS/s1/micro/negative/s1_ne_01"
    folder.mkdir(parents=True)
    for name in names:
        imsave(folder / name, IMAGE, check_contrast=False)
    with pytest.raises(MerError, match=f"s1_ne_01.*{message}"):
        dataset_listing("smic-hs", tmp_path)


def test_a_frame_number_twice_is_refused(tmp_path):
    clip(tmp_path, "HS/s1/micro/negative/s1_ne_01", [1, 2, "01"])
    with pytest.raises(MerError, match="frame number 1 occurs more than once"):
        dataset_listing("smic-hs", tmp_path)
