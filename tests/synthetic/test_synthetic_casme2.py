"""Drawn CASME II: what the adapter reads back, classes by action unit, and the same bytes again."""

import pytest

from mer_tf.config import MerError
from mer_tf.datasets import dataset_listing
from mer_tf.datasets.labels import load_protocol
from mer_tf.synthetic.faces import clip as synthetic_clip
from mer_tf.synthetic.trees.casme2 import SHEET, emotion
from mer_tf.synthetic.trees.kinds import DRAWN

SMALL = {"subjects": 2, "clips_per_class": 1, "progress": False}


@pytest.fixture(scope="module", autouse=True)
def short_clips():
    """Clips of 8 to 24 frames, so that trees are drawn in a second."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(synthetic_clip, "FRAMES", (4, 12))
        yield


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    return DRAWN["casme2"](tmp_path_factory.mktemp("tree") / "casme2", **SMALL)


def test_the_adapter_reads_every_clip_with_its_frames_and_class(tree):
    rows = dataset_listing("casme2", tree).rows
    assert len(rows) == 6
    assert {row.subject for row in rows} == {"casme2/sub01", "casme2/sub02"}
    protocol = load_protocol("casme2-5")
    assert all(protocol.class_index(row) is not None for row in rows)
    for row in rows:
        assert len(list((tree / row.frames_dir).iterdir())) == row.offset - row.onset + 1
        assert row.onset < row.apex < row.offset


def test_equal_arguments_give_an_equal_sheet_and_others_are_refused(tree, tmp_path):
    again = DRAWN["casme2"](tmp_path / "again", **SMALL)
    assert (again / SHEET).read_bytes() == (tree / SHEET).read_bytes()
    assert DRAWN["casme2"](tree, **SMALL) == tree
    with pytest.raises(MerError, match="other arguments"):
        DRAWN["casme2"](tree, **SMALL, seed=4)


@pytest.mark.parametrize(
    ("label", "aus", "wanted"),
    [
        ("positive", (6, 12), "happiness"),
        ("surprise", (1, 2), "surprise"),
        ("negative", (4, 7), "disgust"),
        ("negative", (4, 9), "disgust"),
        ("negative", (4, 15), "repression"),
        ("negative", (4,), "others"),
    ],
)
def test_the_class_follows_from_the_action_units(label, aus, wanted):
    assert emotion(label, aus) == wanted
