"""Flow images of unequal size, or that cannot be read, are left out by name, and the others are used."""

from __future__ import annotations

from pathlib import Path

import cv2
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from mer_tf.check import check
from mer_tf.config import Clip, Data, Evaluation, Experiment, MerError
from mer_tf.datasets import dataset_listing
from mer_tf.inputs.clips import indexed_images, prepare_clips
from mer_tf.model import model_named

RNG = np.random.default_rng(0)


def made(root: Path, sizes: dict[str, tuple[int, int]]) -> Path:
    """One image a name, of (height, width); classes in turn."""
    for place, (name, (height, width)) in enumerate(sizes.items()):
        folder = root / f"s01/u_test/{place % 3}"
        folder.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / f"{name} .png"), RNG.integers(0, 256, (height, width, 3), np.uint8))
    return root


def test_an_experiment_leaves_the_odd_ones_out_and_says_so(tmp_path: Path) -> None:
    root = made(tmp_path / "images", {"a": (28, 28), "b": (28, 28), "c": (28, 28), "d": (28, 29), "e": (56, 28)})
    (root / "s01/u_test/0/f .png").write_bytes(b"no image")
    data = Data(dataset="flow-images", root=str(root), label_protocol="megc2019-3", cache=str(tmp_path / "cache"))
    clips = prepare_clips(Experiment(name="x", data=data), tmp_path / "run")
    kept = [f"flow-images/s01/{name}" for name in "abc"]
    joined = [(c.row.clip_id, c.stored.clip_id) for c in clips.labelled]
    assert list(zip(clips.table["clip_id"], joined, strict=True)) == [(name, (name, name)) for name in kept]
    said = "\n".join(map(str, clips.warnings))
    assert "s01/d is left out: s01/u_test/0/d .png is 29x28, but 3 others are 28x28" in said
    assert "s01/e is left out: s01/u_test/1/e .png is 28x56" in said
    assert "s01/f is left out:" in said
    assert "f .png: not a BMP, JPEG or PNG image" in said


def test_what_was_checked_is_not_listed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = made(tmp_path / "images", {"a": (28, 28), "b": (28, 28), "c": (28, 28)})
    (root / "s01").rename(root / "s02")
    made(root, {"a": (28, 28), "b": (28, 28), "c": (28, 28)})
    data = Data(dataset="flow-images", root=str(root), label_protocol="megc2019-3", cache=str(tmp_path / "cache"))
    model, evaluation = model_named("ststnet"), Evaluation(folds=2)
    experiment = Experiment(name="x", data=data, model=model, evaluation=evaluation, clip=Clip(frames=1))
    listing = check(experiment)
    monkeypatch.setattr("mer_tf.inputs.clips.given_listing", None)
    monkeypatch.setattr("mer_tf.inputs.clips.dataset_listing", None)
    clips = prepare_clips(experiment, tmp_path / "run", listing)
    assert sorted(clips.table["subject"]) == ["smic/s01"] * 3 + ["smic/s02"] * 3


def test_no_image_that_can_be_read_is_an_error(tmp_path: Path) -> None:
    root = made(tmp_path, {"a": (8, 8)})
    next(root.rglob("*.png")).write_bytes(b"")
    with pytest.raises(MerError, match=r"none of 1 images.*a \.png: the file is empty"):
        indexed_images(dataset_listing("flow-images", root).rows)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(sizes=st.lists(st.sampled_from([(8, 8), (8, 9), (9, 8)]), min_size=1, max_size=7))
def test_what_is_kept_is_of_one_size_and_what_is_not_is_named(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[tuple[int, int]]
) -> None:
    root = made(tmp_path_factory.mktemp("images"), {f"c{n}": size for n, size in enumerate(sizes)})
    indexed, lost = indexed_images(dataset_listing("flow-images", root).rows)
    shapes = {sizes[int(clip.clip_id.rsplit("c", 1)[1])] for clip in indexed}
    assert len(shapes) == 1
    assert len(indexed) == max(sizes.count(size) for size in set(sizes)) == sizes.count(*shapes)
    assert len(lost) == len(sizes) - len(indexed)
