"""What a file name says: the frame number by the pattern that most names share, and which files are no frames."""

from __future__ import annotations

import os
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from mer_tf.config import MerError
from mer_tf.preprocessing.frame_names import frame_names, gaps, thinned
from mer_tf.preprocessing.frames import image_files, list_frames

SYSTEM = ("._img101.png", ".DS_Store", "Thumbs.db", "desktop.ini", ".hidden.png")


def made(folder: Path, *names: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).touch()
    return folder


@pytest.mark.parametrize(
    ("names", "numbers", "strangers"),
    [
        (["reg_image000125.bmp", "reg_image000126.bmp", "reg_image000125 (2).bmp"], [125, 126], 1),
        (["img1.png", "img2.png", "img1 copy.png", "img3.png", "img2 2.png"], [1, 2, 3], 2),
        (["img46.jpg", "img47.jpg", "img46 - Copy.jpg", "preview.jpg"], [46, 47], 2),
        (["006_05562.jpg", "006_05563.jpg"], [5562, 5563], 0),
        (["frame7_x2.png", "frame8_x2.png", "frame10_x2.png"], [7, 8, 10], 0),
        (["IMG_1.JPG", "img_2.jpg"], [1, 2], 0),
        (["clip (1).jpg", "clip (2).jpg", "clip (10).jpg"], [1, 2, 10], 0),
        (["7.png", "8.png", "2_7.png"], [7, 8], 1),
        (["f1_0.033.png", "f2_0.066.png", "f31_1.033.png"], [1, 2, 31], 0),
        (["only12.png"], [12], 0),
        (["img1.jpg.jpg", "img2.jpg", "img3.JPG.png"], [1, 2, 3], 0),
    ],
)
def test_numbers_are_read_by_the_shared_pattern(
    tmp_path: Path, names: list[str], numbers: list[int], strangers: int
) -> None:
    found = frame_names(made(tmp_path / "clip", *names, *SYSTEM))
    assert found.numbers == numbers
    assert len(found.strangers) == strangers
    assert bool(found.said(tmp_path)) == bool(strangers)
    assert all(name in found.said(tmp_path) for name in found.strangers)


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (["._img1.png", "Thumbs.db"], "holds no frame"),
        (["a.png", "b.png"], "no frame number in the file name a.png"),
        (["img1.png", "img01.png"], r"frame number 1 occurs more than once \(img01.png, img1.png\)"),
        (["img1.png", "img2.png", "reg1.png", "reg2.png"], "follow no one pattern"),
        (["img1.png", f"img{2**63}.png"], "beyond 64 bits"),
    ],
)
def test_a_folder_whose_names_say_nothing_sure_is_refused(tmp_path: Path, names: list[str], reason: str) -> None:
    with pytest.raises(MerError, match=reason):
        frame_names(made(tmp_path / "clip", *names))


def test_what_is_no_file_is_named(tmp_path: Path) -> None:
    folder = made(tmp_path / "clip", "img1.png", "img2.png")
    (folder / "img3.png").symlink_to(folder / "img3.png")
    (folder / "img4.png").symlink_to(folder / "absent.png")
    (folder / "img5.png").symlink_to(folder / "img1.png")
    (folder / "img6.png").mkdir()
    os.mkfifo(folder / "img7.png")
    found = frame_names(folder)
    assert found.numbers == list(range(1, 8))
    assert found.no_files == ["img3.png", "img4.png", "img6.png", "img7.png"]
    assert "img3.png, img4.png, img6.png ..." in found.said(folder)


def test_what_is_left_out_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = made(tmp_path / "clip", "img1.png", "img2.png", "img1 (2).png")
    assert [(f.number, f.path.name) for f in list_frames(folder)] == [(1, "img1.png"), (2, "img2.png")]
    assert "img1 (2).png" in caplog.text


def test_images_of_a_tree_leave_the_systems_folders_out(tmp_path: Path) -> None:
    made(tmp_path / "b", "a.png", "._a.png")
    made(tmp_path / "__MACOSX", "a.png")
    made(tmp_path / ".trash", "a.png")
    assert image_files(tmp_path, deep=True) == [tmp_path / "b/a.png"]


@pytest.mark.parametrize(
    ("numbers", "span", "step"),
    [
        ([1, 3, 5], (1, 5), 2),
        ([1, 3, 5], (0, 6), 2),
        ([1, 3, 5], (1, 7), 0),
        ([10, 13, 16, 19], (9, 21), 3),
        ([1, 2, 3], (1, 3), 0),
        ([1, 3], (1, 3), 0),
        ([1, 3, 4], (1, 4), 0),
    ],
)
def test_a_thinned_clip_has_every_nth_frame_of_its_span(numbers, span, step):
    assert thinned(numbers, *span) == step


def test_gaps_are_named() -> None:
    assert gaps([1, 2, 3]) == ""
    assert gaps([1, 3, 7]) == "2, 4 to 6"
    assert gaps([0, 2, 4, 6, 8, 10]) == "1, 3, 5 and 2 more gap(s)"


WORDS = st.text("abIMG_- .", min_size=0, max_size=6)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    before=WORDS,
    after=WORDS,
    fixed=st.one_of(st.just(""), st.integers(0, 99).map("{}x".format)),
    width=st.integers(1, 7),
    numbers=st.sets(st.integers(0, 10**6), min_size=3, max_size=6),
    copies=st.sampled_from([" (2)", " - Copy", " copy 3", "~1"]),
)
def test_copies_never_change_the_numbers(
    tmp_path_factory: pytest.TempPathFactory,
    before: str,
    after: str,
    fixed: str,
    width: int,
    numbers: set[int],
    copies: str,
) -> None:
    stems = {n: f"f{fixed}{before}{n:0{width}d}{after}" for n in numbers}
    folder = made(tmp_path_factory.mktemp("clip"), *(f"{stem}.png" for stem in stems.values()), *SYSTEM)
    first = stems[min(numbers)]
    made(folder, f"{first}{copies}.png")
    found = frame_names(folder)
    assert found.numbers == sorted(numbers)
    assert found.names == [f"{stems[n]}.png" for n in sorted(numbers)]
    assert found.strangers == [f"{first}{copies}.png"]
