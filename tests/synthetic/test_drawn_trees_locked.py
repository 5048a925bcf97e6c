"""Trees that are drawn have one writer at a time, and a picture that cannot be written says why."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import cv2
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from mer_tf.config import Data, Experiment, MerError
from mer_tf.locks import held, whole_folder
from mer_tf.preprocessing.pictures import replace_picture, write_picture
from mer_tf.synthetic.layouts.write import write_lookalike
from mer_tf.synthetic.trees.au_flow_images import write_kind
from mer_tf.synthetic.trees.flow_images import write_flow_images
from mer_tf.synthetic.trees.kinds import DRAWN

NOISE = np.random.default_rng(0).integers(0, 256, (9, 7, 3), np.uint8)
WRITERS: dict[str, Callable[[Path], Path]] = {
    **{name: lambda out, write=write: write(out, subjects=1, clips_per_class=1) for name, write in DRAWN.items()},
    "flow images": lambda out: write_flow_images(out, subjects=2),
    "flow images of a kind": lambda out: write_kind(out, "bell", subjects=1, clips_per_class=1),
    "look-alike": lambda out: write_lookalike("casme", out),
}


@pytest.mark.parametrize("writer", WRITERS)
def test_a_tree_that_another_process_draws_is_refused(tmp_path: Path, writer: str) -> None:
    out = tmp_path / "tree"
    out.mkdir()
    with held(out), pytest.raises(MerError, match="tree is being written by another process; wait"):
        WRITERS[writer](out)
    assert list(tmp_path.rglob("*")) == [out]


def test_an_experiment_draws_behind_the_same_lock(tmp_path: Path) -> None:
    from mer_tf.synthetic.embedded import draw_tree

    experiment = Experiment(name="x", data=Data(dataset="flow-images", subjects=2))
    out = draw_tree(experiment.data, tmp_path)
    assert draw_tree(experiment.data, tmp_path) == out
    with held(out):
        assert draw_tree(experiment.data, tmp_path) == out, "a finished tree is read without its lock"


def test_a_data_set_that_is_not_drawn_is_refused(tmp_path: Path) -> None:
    from mer_tf.synthetic.embedded import draw_tree

    with pytest.raises(MerError, match=r"no drawn look-alike of mmew; give its folder with --data\.root"):
        draw_tree(Data(dataset="mmew"), tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("writer", ["flow images", "flow images of a kind", "look-alike"])
def test_a_finished_tree_leaves_nothing_beside_it(tmp_path: Path, writer: str) -> None:
    out = WRITERS[writer](tmp_path / "deep/tree")
    assert list((tmp_path / "deep").iterdir()) == [out]
    assert any(out.iterdir())


def test_a_folder_is_whole_or_absent(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), whole_folder(tmp_path / "tree") as part:
        (part / "half/of/it").touch()
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/x").touch()
    with pytest.raises(MerError, match="has just drawn it"), whole_folder(tmp_path / "tree"):
        pass
    assert (tmp_path / "tree/x").exists()


@settings(derandomize=True, deadline=None)
@given(number=st.sampled_from(sorted(errno.errorcode)))
def test_the_disk_is_full_only_when_the_system_says_so(number: int) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "write_bytes", refuse)
        with pytest.raises(MerError) as error:
            write_picture(Path("a.png"), NOISE)
    assert f"a.png: cannot be written ({os.strerror(number)})" in str(error.value)
    assert ("make room" in str(error.value)) == (number in (errno.ENOSPC, errno.EDQUOT))


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".jpg"])
@pytest.mark.parametrize("picture", [NOISE, NOISE[..., 0]], ids=["colour", "grey"])
def test_pictures_are_those_of_opencv(tmp_path: Path, suffix: str, picture: np.ndarray) -> None:
    cv2.imwrite(str(tmp_path / f"a{suffix}"), picture[..., ::-1] if picture.ndim == 3 else picture)
    made = replace_picture(tmp_path / f"b{suffix}", picture)
    assert made.read_bytes() == (tmp_path / f"a{suffix}").read_bytes()


def test_a_picture_that_cannot_be_written_names_itself(tmp_path: Path) -> None:
    with pytest.raises(MerError, match=r"a\.xyz: not a name of a picture"):
        write_picture(tmp_path / "a.xyz", NOISE)
    with pytest.raises(MerError, match=r"gone/a\.png: cannot be written \(No such file"):
        write_picture(tmp_path / "gone/a.png", NOISE)
