"""Which file of landmarks is a clip's, which of its rows a frame's, and what is said of those that do not fit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers.openface import write_openface
from helpers.rows import made_row
from helpers.trees import write_frames

from mer_tf.config import MerError, Preprocess
from mer_tf.preprocessing.landmark_tables import read_landmarks
from mer_tf.preprocessing.landmarks import canonical_landmarks
from mer_tf.records import landmark_files
from mer_tf.records.landmark_files import (
    filed_face,
    landmark_faults,
    landmarks_digest,
    require_landmarks,
    settings_faults,
)

FACE = canonical_landmarks() * 100


def faces(count: int) -> np.ndarray:
    """A face for each of `count` images, ten pixels further right in each."""
    return FACE + np.arange(count)[:, None, None] * (10, 0)


@pytest.fixture
def row(tmp_path: Path):
    write_frames(tmp_path / "data" / "s1" / "clip", range(8, 13), "img{}.jpg")
    return made_row(root=tmp_path / "data", frames_dir="s1/clip", onset=8, offset=12)


def place(row, folder: Path) -> tuple[int, int]:
    """Which image the face is from, counted from 0, and the number of that frame."""
    face, number = filed_face(row, folder)
    return round((face.fitted[30, 0] - FACE[30, 0]) / 10), number


def test_images_are_counted_by_name_as_text(row, tmp_path: Path) -> None:
    """img10, img11, img12, img8, img9: so OpenFace sorts them, and frame 8 is the fourth."""
    write_openface(tmp_path / "points" / "clip.csv", faces(5))
    assert place(row, tmp_path / "points") == (3, 8)
    assert place(replace(row, onset=10), tmp_path / "points") == (0, 10)


def test_a_frame_without_landmarks_is_passed_over_as_one_without_a_face(row, tmp_path: Path) -> None:
    write_openface(tmp_path / "points" / "clip.csv", faces(5), [1, 1, 1, 0, 1])
    assert place(row, tmp_path / "points") == (4, 9)
    write_openface(tmp_path / "points" / "clip.csv", faces(5), [0] * 5)
    with pytest.raises(MerError, match=r"clip toy/c: .*clip.csv, line 5, .*success 0: no landmarks .* leave the clip"):
        place(row, tmp_path / "points")


def test_videos_are_counted_from_their_first_frame(tmp_path: Path) -> None:
    (tmp_path / "v.mp4").touch()
    row = made_row(root=tmp_path, video="v.mp4", onset=2, offset=4)
    write_openface(tmp_path / "points" / "v.csv", faces(6))
    assert place(row, tmp_path / "points") == (2, 2)
    with pytest.raises(MerError, match="taken by time.*landmarks=onnx or mtcnn"):
        place(replace(row, sampling="time"), tmp_path / "points")
    with pytest.raises(MerError, match="has 6 rows for 8 images"):
        place(replace(row, offset=7), tmp_path / "points")


def test_the_file_whose_path_ends_as_the_clip_is_taken(row, tmp_path: Path) -> None:
    points = tmp_path / "points"
    for name, count in (("toy/c.csv", 5), ("s2/clip.csv", 4), ("other.csv", 3)):
        write_openface(points / name, faces(count))
    assert place(row, points) == (3, 8)
    write_openface(points / "s1" / "clip.csv", faces(5))
    with pytest.raises(
        MerError, match=r"s1/clip.csv and .*toy/c.csv may both be its landmarks; name the one toy/c.csv"
    ):
        place(row, points)


def test_a_file_of_another_subject_is_not_taken(row, tmp_path: Path) -> None:
    write_openface(tmp_path / "points" / "s2" / "clip.csv", faces(5))
    with pytest.raises(MerError, match="holds no c.csv"):
        place(row, tmp_path / "points")
    write_openface(tmp_path / "points" / "clip.csv", faces(5))
    config = Preprocess(landmarks="file", landmarks_from=str(tmp_path / "points"))
    other = replace(row, clip_id="toy/d", frames_dir="s3/clip")
    assert len(landmarks_digest([row], config)) == 1
    with pytest.raises(MerError, match=r"clip.csv: may be the landmarks of toy/c and of toy/d; name it toy/c.csv"):
        landmarks_digest([other, row], config)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: None, "holds no c.csv"),
        (lambda text: "\n".join(text.splitlines()[:-1]), "has 4 rows for 5 images .* fit the landmarks of all"),
        (lambda text: text.replace(" x_67", " x67"), "has 67 columns x_0 ... and 68 y_0"),
        (lambda text: text.replace(" success", " succes"), "lacks the columns success"),
        (lambda text: text.replace("\n3, 0,", "\n4, 0,"), r"line 4: is frame '4' where 3 comes"),
        (lambda text: text.replace("\n3, 0,", "\n3, 1,"), "follows 2 faces"),
        (lambda text: text.replace("13.80", "13.x", 1), r"line 2: '13.x' is no number"),
        (lambda text: text.replace("13.80", "", 1), "line 2: has success 1 and lacks a coordinate"),
    ],
)
def test_files_that_do_not_fit_name_themselves_and_the_mend(row, tmp_path: Path, change, said: str) -> None:
    path = write_openface(tmp_path / "points" / "clip.csv", faces(5))
    text = change(path.read_text())
    path.unlink() if text is None else path.write_text(text)
    config = Preprocess(landmarks="file", landmarks_from=str(path.parent))
    with pytest.raises(MerError, match=said):
        require_landmarks([row], config)
    (fault,) = landmark_faults([row, made_row(image="x.png", clip_id="toy/i")], config)
    assert str(path if text is not None else path.parent) in fault


def test_a_table_is_read_once_as_long_as_it_stays(row, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = []
    monkeypatch.setattr(landmark_files, "read_landmarks", lambda path: read.append(path) or read_landmarks(path))
    path = write_openface(tmp_path / "points" / "clip.csv", faces(5))
    require_landmarks([row], Preprocess(landmarks="file", landmarks_from=str(path.parent)))
    assert place(row, path.parent) == (3, 8)
    assert read == [path]
    write_openface(path, faces(5), [1, 1, 1, 0, 1])
    assert place(row, path.parent) == (4, 9)
    assert read == [path, path]


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (Preprocess(landmarks_from="x"), "say what it holds"),
        (Preprocess(landmarks="mesh", landmarks_from="x"), "say what it holds"),
        (Preprocess(landmarks="file"), "give the folder of the CSV files with preprocess.landmarks_from"),
        (Preprocess(landmarks="onnx"), "give the ONNX file"),
        (Preprocess(landmarks="file", landmarks_from="/none"), "/none: no such folder"),
        (Preprocess(landmarks="onnx", landmarks_from="/none"), "/none: no such landmark model"),
    ],
)
def test_settings_that_say_too_little_are_refused(config: Preprocess, said: str) -> None:
    (fault,) = settings_faults(config)
    assert said in fault


def test_the_mesh_names_the_extra_that_ships_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mer_tf.preprocessing.landmarks.find_spec", lambda name: None)
    (fault,) = settings_faults(Preprocess(landmarks="mesh"))
    assert 'pip install "mer_tf[mesh]"' in fault
