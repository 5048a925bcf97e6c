"""Drawn flow images: the published counts, equal bytes, classes told apart by motion alone."""

from collections import Counter

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import recall_score
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mer_tf.config import MerError
from mer_tf.datasets import dataset_listing
from mer_tf.files import sha256
from mer_tf.preprocessing.frames import read_frame
from mer_tf.synthetic.trees.flow_images import write_flow_images


def uar(root):
    rows = dataset_listing("flow-images", root).rows
    pixels = np.stack([read_frame(r.image_path()) for r in rows])[:, ::3, ::3].reshape(len(rows), -1).astype(float)
    truth, people = [r.label_raw for r in rows], [r.subject for r in rows]
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.003, class_weight="balanced", max_iter=500))
    return recall_score(
        truth, cross_val_predict(model, pixels, truth, groups=people, cv=GroupKFold(3)), average="macro"
    )


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    return write_flow_images(tmp_path_factory.mktemp("flow") / "images")


def test_counts_are_those_of_the_composite(drawn):
    rows = dataset_listing("flow-images", drawn).rows
    assert Counter(r.label_raw for r in rows) == {"negative": 250, "positive": 109, "surprise": 83}
    assert len({r.subject for r in rows}) == 68
    assert read_frame(rows[0].image_path()).shape == (28, 28, 3)


@pytest.mark.slow
def test_classes_are_told_apart_by_their_motion_and_by_nothing_else(drawn, tmp_path):
    assert uar(drawn) > 0.65
    still = [uar(write_flow_images(tmp_path / f"{k}", amplitude=0.0, subjects=34, seed=k)) for k in range(2)]
    assert 0.27 < np.mean(still) < 0.40


def test_equal_arguments_give_equal_bytes_and_a_finished_tree_stays(drawn, tmp_path):
    few = write_flow_images(tmp_path / "few", subjects=7)
    again = write_flow_images(tmp_path / "again", subjects=7)
    names = sorted(p.relative_to(few) for p in few.rglob("*.png"))
    assert [sha256(few / n) for n in names] == [sha256(again / n) for n in names]
    assert len({n.parts[0] for n in names}) == 7
    assert all(sha256(few / n) == sha256(drawn / n) for n in names)
    written = (few / names[0]).stat().st_mtime_ns
    write_flow_images(few, subjects=7)
    assert (few / names[0]).stat().st_mtime_ns == written


@pytest.mark.parametrize(
    ("options", "said"), [({"amplitude": 5.0}, "0 .. 4"), ({"subjects": 1}, "2 .. 68"), ({"seed": -1}, "0 or more")]
)
def test_arguments_out_of_range_are_refused(options, said, tmp_path):
    with pytest.raises(MerError, match=said):
        write_flow_images(tmp_path / "out", **options)


def test_other_files_are_left_alone(tmp_path):
    (tmp_path / "mine.txt").touch()
    with pytest.raises(MerError, match="holds other files"):
        write_flow_images(tmp_path)
