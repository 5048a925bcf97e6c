"""manifest.csv: written sorted, read strictly."""

import dataclasses

import pandas as pd
import pytest
from helpers.rows import made_row

from mer_tf.config import MerError
from mer_tf.datasets.labels import load_protocol, protocol_names
from mer_tf.datasets.manifest import manifest_digest, read_manifest, write_manifest

ROW = made_row(clip_id="smic-hs/b", subject="smic/s01", frames_dir="tmp", onset=3, offset=20, label_raw="negative")
ROWS = [ROW, dataclasses.replace(ROW, clip_id="smic-hs/a", apex=7, aus="4+7")]


def test_round_trip_does_not_depend_on_order(tmp_path):
    first = write_manifest(ROWS, tmp_path / "a.csv").read_bytes()
    assert first == write_manifest(ROWS[::-1], tmp_path / "b.csv").read_bytes()
    assert read_manifest(tmp_path / "a.csv") == ROWS[::-1]
    assert manifest_digest(ROWS) == manifest_digest(ROWS[::-1])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"onset": "x"}, "line 2: onset, apex and offset must be whole numbers"),
        ({"offset": 1}, "line 2: offset 1 lies before onset 3"),
        ({"fps": 0.0}, "line 2: fps must be positive"),
        ({"frames_dir": ""}, "line 2: exactly one of frames_dir, video and image"),
        ({"video": "v.avi"}, "line 2: exactly one of frames_dir, video and image"),
        ({"image": "v.png"}, "line 2: exactly one of frames_dir, video and image"),
        ({"root": "/tmp", "frames_dir": "", "image": "../v.png"}, "line 2: '../v.png' points outside its root"),
        ({"root": "/tmp", "frames_dir": "../etc"}, "line 2: '../etc' points outside its root"),
        ({"subject": ""}, "line 2: clip_id and subject must not be empty"),
    ],
)
def test_a_bad_row_is_named_with_its_line(tmp_path, change, message):
    path = write_manifest([dataclasses.replace(ROW, **change)], tmp_path / "m.csv")
    with pytest.raises(MerError, match=message):
        read_manifest(path)


def test_repeated_clip_empty_and_wrong_files(tmp_path):
    path = write_manifest([ROW, ROW], tmp_path / "m.csv")
    with pytest.raises(MerError, match="more than once: smic-hs/b"):
        read_manifest(path)
    with pytest.raises(MerError, match="no clips"):
        read_manifest(write_manifest([], tmp_path / "empty.csv"))
    path.write_text("a,b\n1,2\n")
    with pytest.raises(MerError, match="lacks the columns clip_id"):
        read_manifest(path)
    with pytest.raises(MerError, match="no such file; make a manifest with"):
        read_manifest(tmp_path / "none.csv")


def test_source_must_exist(tmp_path):
    with pytest.raises(MerError, match="does not exist"):
        dataclasses.replace(ROW, root=str(tmp_path), frames_dir="gone").source()


def test_an_image_is_a_source_of_its_own(tmp_path):
    row = dataclasses.replace(ROW, root=str(tmp_path), frames_dir="", image="a .png")
    (tmp_path / "a .png").touch()
    assert read_manifest(write_manifest([row], tmp_path / "m.csv")) == [row]
    assert row.image_path() == (tmp_path / "a .png").resolve()
    with pytest.raises(MerError, match=r"clip smic-hs/b: a \.png is one image .* not its frames"):
        row.source()
    with pytest.raises(MerError, match="has frames, not an image"):
        ROW.image_path()


def test_a_manifest_of_an_older_version_is_read(tmp_path):
    path = write_manifest([ROW], tmp_path / "m.csv")
    frame = pd.read_csv(path, dtype=str, keep_default_na=False).drop(columns=["apex_source", "image", "objective"])
    frame.to_csv(path, index=False)
    assert read_manifest(path) == [ROW]


def test_class_order_comes_from_the_protocol():
    protocol = load_protocol("smic-4")
    assert protocol.classes == ("negative", "positive", "surprise", "non-micro")
    assert protocol.class_index(ROW) == 0
    assert protocol.class_index(dataclasses.replace(ROW, label_raw="non-micro")) == 3
    assert load_protocol("smic-3").class_index(dataclasses.replace(ROW, label_raw="non-micro")) is None
    assert load_protocol("smic-2").classes == ("non-micro", "micro")


def test_unknown_protocol_lists_the_known():
    with pytest.raises(MerError, match="smic-3, smic-4"):
        load_protocol("smic")
    assert "smic-4" in protocol_names()
