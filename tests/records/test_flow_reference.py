"""Folders of saved flow images find their clips, and the recipe that made them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers.rows import made_row

from mer_tf.config import MerError
from mer_tf.datasets.manifest import ClipRow
from mer_tf.preprocessing.flow import flow_pair
from mer_tf.preprocessing.stacks import flow_stack, min_max
from mer_tf.records.flow_matching.reference import match_flow, match_text, read_references

CLIPS = ("s1/EP01", "s1/EP02", "s2/EP01", "s2/EP03")


@pytest.fixture
def rows(tmp_path: Path) -> list[ClipRow]:
    """Four clips of 4 frames in which a warp grows, the apex the third frame; two share their name."""
    made = []
    for seed, name in enumerate(CLIPS):
        rng = np.random.default_rng(seed)
        texture = cv2.resize(rng.integers(0, 256, (16, 16, 3), np.uint8), (64, 64), interpolation=cv2.INTER_CUBIC)
        warp = cv2.GaussianBlur(rng.normal(size=(64, 64, 2)), (0, 0), 6) * (8, 12, 16, 24)[seed]
        y, x = np.mgrid[0:64, 0:64]
        folder = tmp_path / "frames" / name
        folder.mkdir(parents=True)
        for t in range(4):
            place = (np.dstack([x, y]) - warp * (t / 2)).astype(np.float32)
            frame = cv2.remap(texture, place[..., 0], place[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
            cv2.imwrite(str(folder / f"img{t + 1}.png"), frame)
        subject = name.split("/")[0]
        made.append(
            made_row(
                clip_id=f"toy/{name}",
                subject=f"toy/{subject}",
                root=tmp_path / "frames",
                frames_dir=name,
                apex=3,
                offset=4,
            )
        )
    return made


def save(rows: list[ClipRow], folder: Path, components: bool) -> None:
    for row in rows:
        frames = [cv2.imread(str(Path(row.root) / row.frames_dir / f"img{n}.png"))[..., ::-1] for n in (1, 3)]
        sized = [cv2.resize(np.ascontiguousarray(f), (32, 32), interpolation=cv2.INTER_AREA) for f in frames]
        image = min_max(flow_stack(flow_pair(sized[0], sized[1], "farneback"), "strain"))
        subject, name = row.frames_dir.split("/")
        if components:
            for part, plane in zip(("u", "v"), np.moveaxis(image, -1, 0), strict=False):
                (folder / part).mkdir(parents=True, exist_ok=True)
                cv2.imwrite(str(folder / part / f"{subject}_{name}.png"), plane)
        else:
            (folder / subject / "u_test").mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(folder / subject / "u_test" / f"{name} .png"), image)


@pytest.mark.parametrize("components", [False, True])
def test_the_recipe_of_saved_images_is_found(rows: list[ClipRow], tmp_path: Path, components: bool) -> None:
    save(rows, tmp_path / "saved", components)
    references = read_references(tmp_path / "saved", rows, limit=8)
    assert [r.row.clip_id for r in references] == [f"toy/{c}" for c in CLIPS]
    tried, scores = match_flow(references, ["none"], [32, 64], ["farneback", "dis"])
    assert (tried[0].size, tried[0].method) == (32, "farneback")
    parts = ["u", "v"] if components else ["strain", "v", "u"]  # OpenCV wrote u as blue
    assert [c.component for c in tried[0].fit.channels] == parts
    assert tried[0].fit.correlation > 0.9
    assert tried[0].fit.correlation > tried[1].fit.correlation
    text = match_text(references, tried, scores)
    assert "best: face=none size=32 flow=farneback" in text
    assert "another in each image" in text


def test_a_wrong_apex_is_named_as_the_cause(rows: list[ClipRow], tmp_path: Path) -> None:
    save(rows, tmp_path / "saved", components=False)
    moved = [dataclasses.replace(r, apex=2) for r in rows]
    tried, scores = match_flow(read_references(tmp_path / "saved", moved, 8), ["none"], [32], ["farneback"])
    assert next(iter(scores)) == "another apex frame (+1)"
    assert tried[0].fit.correlation < scores["another apex frame (+1)"]


def test_a_few_clips_are_taken_evenly(rows: list[ClipRow], tmp_path: Path) -> None:
    save(rows, tmp_path / "saved", components=False)
    assert [r.row.clip_id for r in read_references(tmp_path / "saved", rows, 2)] == ["toy/s1/EP01", "toy/s2/EP03"]


def test_what_cannot_be_matched_is_said(rows: list[ClipRow], tmp_path: Path) -> None:
    with pytest.raises(MerError, match="no such folder"):
        read_references(tmp_path / "none", rows, 8)
    (tmp_path / "saved").mkdir()
    cv2.imwrite(str(tmp_path / "saved" / "EP01.png"), np.zeros((4, 4), np.uint8))  # of s1 or of s2?
    with pytest.raises(MerError, match="no image is named after a clip"):
        read_references(tmp_path / "saved", rows, 8)
    with pytest.raises(MerError, match="--apex midpoint"):
        read_references(tmp_path / "saved", [dataclasses.replace(r, apex=None) for r in rows], 8)
