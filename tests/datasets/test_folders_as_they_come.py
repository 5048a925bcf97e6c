"""Trees as people have them: renamed, nested, cut into clips, and with links to where the data really is."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Iterable
from pathlib import Path

import hypothesis.strategies as st
import pytest
from helpers.trees import write_frames, write_sheet
from hypothesis import given, settings

from mer_tf.cli.data_commands import manifest
from mer_tf.config import MerError
from mer_tf.datasets import dataset_listing
from mer_tf.datasets.adapters.folders import nested_home
from mer_tf.datasets.clip_frames import read_clip
from mer_tf.datasets.manifest import read_manifest
from mer_tf.synthetic.layouts.write import write_lookalike

CASME2 = ["Subject", "Filename", "OnsetFrame", "ApexFrame", "OffsetFrame", "Action Units", "Estimated Emotion"]


def touch(folder: Path, names: Iterable[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).touch()


def casme2(root: Path, *layouts: str) -> Path:
    """One clip below each layout, and its sheet."""
    for layout in layouts:
        touch(root / layout / "sub01/EP1", [f"img{n}.jpg" for n in range(1, 6)])
    write_sheet(root / "CASME2-coding-20140508.xlsx", [CASME2, [1, "EP1", 1, 3, 5, "4", "disgust"]])
    return root


@pytest.mark.parametrize(
    "layouts",
    [
        ["."],
        ["Cropped"],
        ["Cropped/Cropped"],
        ["Cropped-updated"],
        ["Cropped-updated/Cropped", "CASME2_RAW/CASME2-RAW"],
        ["CASME2_preprocessed_Li Xiaobai", "CASME2_compressed"],
        ["preprocessed by A. Person"],
        ["CASME2/download/Cropped", "CASME2/download/CASME2_RAW_selected"],
        ["data/one/level more"],
    ],
)
def test_casme2_is_found_under_the_names_people_have(tmp_path: Path, layouts: list[str]) -> None:
    listing = dataset_listing("casme2", casme2(tmp_path, *layouts))
    assert [r.frames_dir for r in listing.rows] == [(Path(layouts[0]) / "sub01/EP1").as_posix()]
    assert listing.problems == []


@pytest.mark.parametrize("layouts", [["Cropped", "cropped"], ["a", "b"], ["x/Cropped-1", "x/Cropped-2"]])
def test_two_trees_of_one_name_are_a_choice_of_the_user(tmp_path: Path, layouts: list[str]) -> None:
    with pytest.raises(
        MerError, match=f"several folders may hold the clips .*{layouts[0]}.*{layouts[1]}.* as the root"
    ):
        dataset_listing("casme2", casme2(tmp_path, *layouts))


NESTED = ["smic-hs", "casme", "casme-sq", "casme3-a", "casme3-c", "samm", "samm-lv", "mmew", "4dme"]


@pytest.mark.parametrize("dataset", NESTED)
@pytest.mark.parametrize("nested", ["one more", "one/two more"])
def test_every_data_set_may_be_nested(tmp_path: Path, dataset: str, nested: str) -> None:
    root = write_lookalike(dataset, tmp_path / "tree")
    before = dataset_listing(dataset, root)
    sheets = [p for p in root.iterdir() if p.suffix == ".xlsx"]
    outer = tmp_path / "outer"
    outer.mkdir()
    for sheet in sheets:
        shutil.move(sheet, outer / sheet.name)
    shutil.move(root, outer / nested) if "/" not in nested else shutil.copytree(root, outer / nested)
    after = dataset_listing(dataset, outer)
    assert [(r.clip_id, r.onset, r.offset) for r in after.rows] == [(r.clip_id, r.onset, r.offset) for r in before.rows]
    assert {r.frames_dir.split("/")[0] for r in after.rows} == {nested.split("/")[0]}
    assert len(after.problems) == len(before.problems)


def test_casme3_clips_cut_out_are_found(tmp_path: Path) -> None:
    header = ["Subject", "Filename", "Onset", "Apex", "Offset", "AU", "Objective class", "emotion"]
    rows = [["spNO.1", "a", 355, 357, 360, "4", "III", "fear"], ["spNO.216", "d", 3647, 2668, 2694, "4", "III", "fear"]]
    write_sheet(tmp_path / "cas(me)3_part_A_ME_label_JpgIndex_v2.xlsx", [header, *rows])
    for kind, suffix in (("depth", "png"), ("frame", "jpg")):
        touch(tmp_path / f"Part_A_ME_clip/{kind}/spNO.1_a_355", [f"{n}.{suffix}" for n in range(355, 361)])
        touch(tmp_path / f"Part_A_ME_clip/{kind}/spNO.216_d_3647", [f"{n}.{suffix}" for n in range(2647, 2695)])
    listing = dataset_listing("casme3-a", tmp_path)
    assert listing.problems == []
    assert [(r.frames_dir, r.onset) for r in listing.rows] == [
        ("Part_A_ME_clip/frame/spNO.1_a_355", 355),
        ("Part_A_ME_clip/frame/spNO.216_d_3647", 2647),
    ]


WORDS = st.text("abcXYZ -_", min_size=1, max_size=6).map(lambda text: f"q{text}".strip())


@settings(max_examples=20, deadline=None, derandomize=True)
@given(before=st.lists(WORDS, max_size=2), after=WORDS, others=st.lists(WORDS, max_size=3, unique=True))
def test_the_folder_named_most_like_the_layout_is_found_wherever_it_is(
    tmp_path_factory: pytest.TempPathFactory, before: list[str], after: str, others: list[str]
) -> None:
    root = tmp_path_factory.mktemp("tree")
    home = root.joinpath(*before, f"Cropped{after}")
    touch(home / "sub01", [])
    for other in others:
        touch(root / f"r{other}" / "sub01", [])
    assert nested_home(root, ("cropped", "raw"), r"sub\d+") == home


@pytest.fixture
def linked(tmp_path: Path) -> tuple[Path, Path]:
    """A SMIC tree whose second subject is a link to elsewhere, and that place."""
    root, store = tmp_path / "root", tmp_path / "store"
    write_frames(root / "HS/s01/micro/negative/s01_ne_01", range(1, 4), "reg_image{}.bmp")
    write_frames(store / "people/two/micro/negative/s02_ne_01", range(5, 9), "reg_image{}.bmp")
    (root / "HS/s02").symlink_to(store / "people/two")
    return root, store


def test_links_are_followed_into_folders_that_the_user_names(linked: tuple[Path, Path]) -> None:
    root, store = linked
    refused = dataset_listing("smic-hs", root)
    assert [r.clip_id for r in refused.rows] == ["smic-hs/s01_ne_01"]
    assert "--follow-links" in refused.problems[0]
    manifest("smic-hs", root, root / "manifest.csv", follow_links=(store,), strict=False)
    first, second = read_manifest(root / "manifest.csv")
    assert (first.root, first.frames_dir) == (str(root), "HS/s01/micro/negative/s01_ne_01")
    assert (second.root, second.frames_dir) == (str(store), "people/two/micro/negative/s02_ne_01")
    assert read_clip(second)[1].tolist() == [5, 6, 7, 8]


def test_links_that_lead_elsewhere_are_refused(linked: tuple[Path, Path]) -> None:
    root, store = linked
    out = root / "manifest.csv"
    manifest("smic-hs", root, out, follow_links=(store / "people/two/micro",))
    assert len(read_manifest(out)) == 2
    (store / "other").mkdir()
    manifest("smic-hs", root, out, follow_links=(store / "other",))
    assert len(read_manifest(out)) == 1
    with pytest.raises(MerError, match="gone: no such folder; --follow-links"):
        manifest("smic-hs", root, out, follow_links=(store / "gone",))


def test_linked_flow_images_are_followed(tmp_path: Path) -> None:
    write_frames(tmp_path / "store/u_test/0", [1], "a{} .png")
    (tmp_path / "root").mkdir()
    (tmp_path / "root/s01").symlink_to(tmp_path / "store")
    manifest("flow-images", tmp_path / "root", tmp_path / "m.csv", follow_links=(tmp_path / "store",))
    (row,) = read_manifest(tmp_path / "m.csv")
    assert (row.root, row.image) == (str(tmp_path / "store"), "u_test/0/a1 .png")
    assert row.image_path().is_file()


@pytest.fixture
def linked_frames(tmp_path: Path) -> tuple[Path, Path]:
    """A clip whose frames are links to files of other names, in two folders of a store, beside one of plain files."""
    root, store = tmp_path / "root", tmp_path / "store"
    write_frames(root / "HS/s01/micro/negative/s01_ne_01", [5, 6, 7, 8])
    home = root / "HS/s02/micro/negative/s02_ne_01"
    home.mkdir(parents=True)
    for half in (0, 1):
        write_frames(store / f"half{half}", [6 - half, 8 - half], "camera_{}.bmp")
    for number in (5, 6, 7, 8):
        (home / f"reg_image{number}.bmp").symlink_to(store / f"half{number % 2}/camera_{number}.bmp")
    return root, store


def test_links_of_single_frames_are_a_named_problem_or_followed(linked_frames: tuple[Path, Path]) -> None:
    root, store = linked_frames
    out = root / "manifest.csv"
    refused = dataset_listing("smic-hs", root)
    assert [r.clip_id for r in refused.rows] == ["smic-hs/s01_ne_01"]
    assert "s02_ne_01 is left out" in refused.problems[0]
    assert "4 of its files are links out of the root" in refused.problems[0]
    manifest("smic-hs", root, out)
    assert "links" not in out.read_text().splitlines()[0]
    manifest("smic-hs", root, out, follow_links=(store / "half0",))
    assert len(read_manifest(out)) == 1, "half of the frames lead elsewhere"
    manifest("smic-hs", root, out, follow_links=(store,))
    first, second = read_manifest(out)
    assert (first.links, second.links) == ("", str(store))
    assert (second.root, second.frames_dir) == (str(root), "HS/s02/micro/negative/s02_ne_01")
    assert read_clip(second)[1].tolist() == [5, 6, 7, 8]
    with pytest.raises(MerError, match="points outside its root"):
        read_clip(dataclasses.replace(second, links=str(store / "half0")))


def test_links_of_frames_within_the_root_need_no_word(tmp_path: Path) -> None:
    write_frames(tmp_path / "HS/s01/micro/negative/s01_ne_01", [5, 6, 7, 8])
    home = tmp_path / "HS/s02/micro/negative/s02_ne_01"
    home.mkdir(parents=True)
    for source in (tmp_path / "HS/s01/micro/negative/s01_ne_01").iterdir():
        (home / source.name).symlink_to(source)
    listing = dataset_listing("smic-hs", tmp_path)
    assert listing.problems == []
    assert [row.links for row in listing.rows] == ["", ""]
    assert read_clip(listing.rows[1])[1].tolist() == [5, 6, 7, 8]
