"""Flow images in the interchange layout: test parts only, names with a blank, subjects of three data sets."""

import pytest

from mer_tf.config import MerError
from mer_tf.datasets import dataset_listing


def image(root, path):
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).touch()


def test_one_row_an_image_of_the_test_part(tmp_path):
    image(tmp_path, "sub1/u_test/0/EP02_01f .png")
    image(tmp_path, "s1/u_test/1/s1_po_01 .png")
    image(tmp_path, "006/u_test/2/006_1_2.png")
    image(tmp_path, "006/u_train/0/EP02_01f .png")
    image(tmp_path, "006/u_test/2/.DS_Store")
    found = dataset_listing("flow-images", tmp_path)
    assert found.problems == []
    assert [(r.clip_id, r.subject, r.label_raw, r.fps) for r in found.rows] == [
        ("flow-images/006/006_1_2", "samm/006", "surprise", 200),
        ("flow-images/s01/s1_po_01", "smic/s01", "positive", 100),
        ("flow-images/sub01/EP02_01f", "casme2/sub01", "negative", 200),
    ]
    row = found.rows[2]
    assert (row.dataset, row.frames_dir, row.video, row.image) == ("flow-images", "", "", "sub1/u_test/0/EP02_01f .png")
    assert row.image_path() == (tmp_path / row.image).resolve()


def test_what_does_not_fit_is_said(tmp_path):
    image(tmp_path, "s1/u_test/0/a .png")
    image(tmp_path, "s1/u_test/3/b .png")
    image(tmp_path, "readme/u_test/0/c .png")
    image(tmp_path, "s2/u_test/0/d .png")
    image(tmp_path, "s2/u_test/1/d.png")
    (tmp_path / "s1/u_test/0/out.png").symlink_to("/etc/hostname")
    found = dataset_listing("flow-images", tmp_path)
    assert [r.clip_id for r in found.rows] == ["flow-images/s01/a"]
    assert [r.clip_id for r in found.left_out] == ["flow-images/s02/d"]
    text = "\n".join(found.problems)
    for part in (
        "3: not a class (0, 1, 2)",
        "readme: not a subject",
        "outside its root",
        "clip flow-images/s02/d is s2",
    ):
        assert part in text


def test_no_image_no_root_and_a_sheet(tmp_path):
    with pytest.raises(MerError, match="no clips"):
        dataset_listing("flow-images", tmp_path)
    with pytest.raises(MerError, match="no such folder"):
        dataset_listing("flow-images", tmp_path / "none")
    with pytest.raises(MerError, match="take no sheet"):
        dataset_listing("flow-images", tmp_path, tmp_path / "s.xlsx")
