"""The tree is SMIC's, its bytes depend on its arguments alone, and its labels show in nothing but the expression."""

from __future__ import annotations

import dataclasses
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest

from mer_tf.config import Data, MerError
from mer_tf.datasets import dataset_listing
from mer_tf.files import sha256
from mer_tf.parallel import use_workers
from mer_tf.synthetic.action_units.table import combinations
from mer_tf.synthetic.embedded import draw_tree
from mer_tf.synthetic.faces import clip as synthetic_clip
from mer_tf.synthetic.faces.portraits import POINTS, load_portraits
from mer_tf.synthetic.trees import smic as synthetic
from mer_tf.synthetic.trees.contact_sheet import write_preview
from mer_tf.synthetic.trees.smic import SyntheticClip, smic_clips, write_smic

SMALL: dict[str, Any] = {"subjects": 2, "clips_per_class": 1, "progress": False}


@pytest.fixture(autouse=True)
def short_clips(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clips of a few frames, so that trees are drawn in a second."""
    monkeypatch.setattr(synthetic_clip, "FRAMES", (5, 9))


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(synthetic_clip, "FRAMES", (5, 9))
        return write_smic(tmp_path_factory.mktemp("tree") / "smic", **SMALL)


@pytest.fixture(scope="module")
def people() -> list[SyntheticClip]:
    """A clip of each of 18 subjects and a second one of four, of one class; other classes would be drawn alike."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(synthetic_clip, "LABELS", {"negative": "ne"})
        second = [c for c in smic_clips(subjects=4, clips_per_class=2) if c.name.endswith("02")]
        return [*smic_clips(subjects=18, clips_per_class=1), *second]


def picture(path: Path) -> np.ndarray:
    image = cv2.imread(str(path))
    assert image is not None
    return np.asarray(image)


def digests(root: Path) -> dict[str, str]:
    return {p.relative_to(root).as_posix(): sha256(p) for p in sorted(root.rglob("*")) if p.is_file()}


def test_the_adapter_reads_the_tree(tree: Path) -> None:
    rows = dataset_listing("smic-hs", tree).rows
    assert [r.clip_id for r in rows[:4]] == [f"smic-hs/s01_{c}_01" for c in ("ne", "non", "po", "sur")]
    assert {r.subject for r in rows} == {"smic/s01", "smic/s02"}
    assert {r.label_raw for r in rows} == {"negative", "positive", "surprise", "non-micro"}
    truth = pd.read_csv(tree / "synthetic_truth.csv", keep_default_na=False).set_index("clip")
    lines = truth.to_dict("index")
    for row in rows:
        line = lines[row.clip_id.split("/")[1]]
        files = sorted(row.source().iterdir())
        assert (line["onset"], line["offset"]) == (row.onset, row.offset)
        assert len(files) == row.offset - row.onset + 1
        assert files[0].name == f"reg_image{row.onset}.bmp"
        assert line["apex"] == "" or row.onset < int(line["apex"]) <= row.offset


def test_frames_are_24_bit_bitmaps_of_one_size(tree: Path) -> None:
    path = next(tree.rglob("*.bmp"))
    header = path.read_bytes()[:54]
    assert header[:2] == b"BM"
    assert int.from_bytes(header[28:30], "little") == 24
    assert picture(path).shape == (240, 320, 3)


def test_nothing_but_frames_lies_in_the_tree(tree: Path) -> None:
    assert {p.suffix for p in (tree / "HS").rglob("*") if p.is_file()} == {".bmp"}
    assert {p.name for p in tree.iterdir()} == {"HS", "synthetic.json", "synthetic_truth.csv"}


def test_equal_arguments_give_equal_bytes_and_another_seed_does_not(tree: Path, tmp_path: Path) -> None:
    assert digests(write_smic(tmp_path / "again", **SMALL)) == digests(tree)
    other = digests(write_smic(tmp_path / "other", **(SMALL | {"subjects": 1}), seed=1))
    assert not set(other.values()) & set(digests(tree).values())


def test_clips_drawn_side_by_side_have_the_same_bytes(tree: Path, tmp_path: Path) -> None:
    use_workers(3)
    try:
        assert digests(write_smic(tmp_path / "again", **SMALL)) == digests(tree)
    finally:
        use_workers(1)


def test_clips_of_one_name_are_drawn_side_by_side(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few = {"subjects": 2, "clips_per_class": 1}
    first, second = (c for c in smic_clips(**few) if c.name.endswith("_ne_01"))
    together, begin = threading.Barrier(2), synthetic.draw
    monkeypatch.setattr(synthetic, "draw", lambda clip: (together.wait(20) and ()) or begin(clip))
    clips = [replace(first, name="EP01_01"), replace(second, name="EP01_01")]
    use_workers(2)
    try:
        synthetic.draw_tree(tmp_path, synthetic.tree_arguments(load_portraits(None), **few), clips, lambda x, **_: x)
    finally:
        use_workers(1)
    assert [len(list((tmp_path / c.folder).iterdir())) for c in clips] == [len(c.blink) for c in clips]


def test_an_experiment_draws_the_same_pixels_in_less_room_unless_bmp_is_kept(tmp_path: Path) -> None:
    data = Data(subjects=1, clips_per_class=1)
    small, true = draw_tree(data, tmp_path), draw_tree(replace(data, keep_bmp=True), tmp_path)
    pngs, bmps = (sorted(root.rglob(f"*.{kind}")) for root, kind in ((small, "png"), (true, "bmp")))
    assert [p.relative_to(small).with_suffix("") for p in pngs] == [p.relative_to(true).with_suffix("") for p in bmps]
    assert all(np.array_equal(picture(a), picture(b)) for a, b in zip(pngs, bmps, strict=True))
    assert sum(p.stat().st_size for p in pngs) < 0.65 * sum(p.stat().st_size for p in bmps)


def test_a_finished_tree_is_left_alone(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {path: path.stat().st_mtime_ns for path in tree.rglob("*")}
    monkeypatch.setattr(synthetic, "draw", lambda *_: pytest.fail("drew a clip again"))
    assert write_smic(tree, **SMALL) == tree
    assert {path: path.stat().st_mtime_ns for path in tree.rglob("*")} == before


def test_a_killed_job_resumes_to_the_same_bytes(tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = 0
    whole_draw = synthetic.draw

    def dies(clip: synthetic.SyntheticClip) -> Any:
        nonlocal drawn
        for image in whole_draw(clip):
            drawn += 1
            if drawn == 20:
                raise KeyboardInterrupt
            yield image

    monkeypatch.setattr(synthetic, "draw", dies)
    with pytest.raises(KeyboardInterrupt):
        write_smic(tmp_path / "smic", **SMALL)
    assert not (tmp_path / "smic" / "synthetic.json").exists()
    finished = {p for p in (tmp_path / "smic").glob("HS/*/*/*/*") if p.is_dir()}
    with pytest.raises(MerError, match="seed 0 not 7"):
        write_smic(tmp_path / "smic", **SMALL, seed=7)
    monkeypatch.setattr(synthetic, "draw", whole_draw)
    times = {p: p.stat().st_mtime_ns for p in finished}
    write_smic(tmp_path / "smic", **SMALL)
    assert finished
    assert times == {p: p.stat().st_mtime_ns for p in finished}
    assert digests(tmp_path / "smic") == digests(tree)


def test_another_tree_or_foreign_files_are_refused(tree: Path, tmp_path: Path) -> None:
    with pytest.raises(MerError, match=r"other arguments \(amplitude 3\.0 not 2\.0\); delete it"):
        write_smic(tree, **SMALL, amplitude=2.0)
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(MerError, match="did not draw"):
        write_smic(tmp_path, **SMALL)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("camera", "rgb"),
        ("amplitude", 4.1),
        ("amplitude", -1.0),
        ("amplitude", float("nan")),
        ("subjects", 0),
        ("clips_per_class", 0),
        ("clips_per_class", 100),
        ("seed", -1),
        ("style", "s001"),
    ],
)
def test_bad_arguments_are_named(argument: str, value: Any, tmp_path: Path) -> None:
    with pytest.raises(MerError, match=argument):
        write_smic(tmp_path / "smic", **(SMALL | {argument: value}))
    assert not (tmp_path / "smic").exists()


def test_the_short_style_is_read_as_the_same_clips(tree: Path, tmp_path: Path) -> None:
    short = write_smic(tmp_path / "smic", **(SMALL | {"subjects": 1}), style="s1")
    assert (short / "HS/s1/micro/negative/s1_ne_01").is_dir()
    wanted = [(r.clip_id, r.onset, r.offset) for r in dataset_listing("smic-hs", tree).rows if r.subject == "smic/s01"]
    assert [(r.clip_id, r.onset, r.offset) for r in dataset_listing("smic-hs", short).rows] == wanted


def test_subject_numbers_are_those_of_smic(people: list[SyntheticClip]) -> None:
    numbers = list(dict.fromkeys(c.subject for c in people))
    wanted = [1, 2, 3, 4, 5, 6, 8, 9, 11, 12, 13, 14, 15, 18, 19, 20, 21, 22]
    assert numbers == [f"s{n:02d}" for n in wanted]


def test_near_infrared_is_grey_and_slow(tmp_path: Path) -> None:
    root = write_smic(tmp_path / "smic", **(SMALL | {"subjects": 1}), camera="nir")
    rows = dataset_listing("smic-nir", root).rows
    assert {r.fps for r in rows} == {25.0}
    image = picture(next(root.rglob("*.bmp")))
    assert (image == image[..., :1]).all()


def test_clip_lengths_are_those_of_smic(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synthetic_clip, "FRAMES", (11, 58))
    lengths = np.array([synthetic_clip.clip_length(100.0, np.random.default_rng(s)) for s in range(3000)])
    assert (lengths >= 11).all()
    assert (lengths <= 58).all()
    assert 29 < lengths.mean() < 32
    assert lengths.std() > 5
    assert (np.array([c.first_frame for c in smic_clips(subjects=1, clips_per_class=1)]) >= 100_000).all()


def test_at_amplitude_zero_a_label_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same random streams under another label draw the same clip, pixel by pixel."""
    frames = []
    for label, relabelled in (("negative", "negative"), ("negative", "surprise"), ("negative", "non-micro")):
        clip = next(c for c in smic_clips(amplitude=0.0, subjects=1, clips_per_class=1) if c.label == label)
        other = combinations()[relabelled][0]
        course = synthetic_clip.COURSES[other.course](clip.frames, np.random.default_rng(3))
        points, width = clip.neutral.points, clip.neutral.face_width
        expressed = synthetic_clip.expression(other.aus, points, width, (1.0, 1.0)).scaled(0.0)
        motion = dataclasses.replace(clip.motion, expression=expressed, course=course)
        frames.append(np.stack(list(synthetic.draw(dataclasses.replace(clip, motion=motion)))))
    assert (frames[0] == frames[1]).all()
    assert (frames[0] == frames[2]).all()


def test_the_label_reaches_nothing_but_the_expression() -> None:
    """Amplitude and combination leave appearance, head, blink, light, length and noise untouched."""
    strong, none = (list(smic_clips(amplitude=a, subjects=1, clips_per_class=1)) for a in (4.0, 0.0))
    for a, b in zip(strong, none, strict=True):
        assert (a.neutral.image == b.neutral.image).all()
        assert (a.motion.head == b.motion.head).all()
        assert (a.blink == b.blink).all()
        assert (a.light == b.light).all()
        assert (a.first_frame, a.noise_seed) == (b.first_frame, b.noise_seed)
        assert np.abs(b.motion.expression.vectors).max(initial=0.0) == 0


def test_subjects_differ_more_than_clips_of_one_subject(people: list[SyntheticClip]) -> None:
    face = np.s_[60:210, 105:215]
    looks = {c.name: c.neutral.image[face] for c in people}

    def gap(a: str, b: str) -> float:
        return float(np.abs(looks[a] - looks[b]).mean())

    within = [gap(f"s0{n}_ne_01", f"s0{n}_ne_02") for n in (1, 2, 3, 4)]
    between = [gap(f"s0{a}_ne_01", f"s0{b}_ne_01") for a in (1, 2, 3, 4) for b in range(a + 1, 5)]
    assert min(within) > 1
    assert np.mean(between) > 2 * np.mean(within)


def test_the_whole_head_is_in_the_frame(people: list[SyntheticClip]) -> None:
    for clip in people:
        places = np.array(list(clip.neutral.points.values()))
        assert (places > [80, 50]).all()
        assert (places < [240, 235]).all()
        assert 75 < clip.neutral.face_width < 130


def test_a_folder_of_portraits(tmp_path: Path) -> None:
    faces = tmp_path / "faces"
    faces.mkdir()
    with pytest.raises(MerError, match="holds no portrait"):
        load_portraits(faces)
    portrait = load_portraits()[0]
    cv2.imwrite(str(faces / "a.png"), portrait.image[:300, :400, ::-1])
    with pytest.raises(MerError, match=r"write a\.csv beside it"):
        load_portraits(faces)
    rows = [(name, *portrait.points[name]) for name in POINTS]
    pd.DataFrame(rows[:-1], columns=["point", "x", "y"]).to_csv(faces / "a.csv", index=False)
    with pytest.raises(MerError, match="lacks the points face_right"):
        load_portraits(faces)
    pd.DataFrame([*rows[:-1], ("face_right", 999, 5)], columns=["point", "x", "y"]).to_csv(faces / "a.csv", index=False)
    with pytest.raises(MerError, match="outside the picture: face_right"):
        load_portraits(faces)
    pd.DataFrame(rows, columns=["point", "x", "y"]).to_csv(faces / "a.csv", index=False)
    root = write_smic(tmp_path / "smic", **(SMALL | {"subjects": 1}), faces=faces)
    assert len(dataset_listing("smic-hs", root).rows) == 4
    with pytest.raises(MerError, match="faces"):
        write_smic(root, **(SMALL | {"subjects": 1}))


def test_preview_shows_every_class(tree: Path, tmp_path: Path) -> None:
    image = picture(write_preview(tree, tmp_path / "sheet.png", subjects=1))
    assert image.shape == (4 * (180 + 22), 6 * 180, 3)
    with pytest.raises(MerError, match="draw the tree first"):
        write_preview(tmp_path, tmp_path / "sheet.png")
