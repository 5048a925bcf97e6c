"""Drawn SAMM: what the adapter reads back, classes by action unit, grey frames."""

import cv2
import numpy as np
import pytest

from mer_tf.datasets import dataset_listing
from mer_tf.datasets.labels import load_protocol
from mer_tf.synthetic.faces import clip as synthetic_clip
from mer_tf.synthetic.trees.kinds import DRAWN
from mer_tf.synthetic.trees.samm import emotion


def test_the_adapter_reads_every_clip_with_its_frames_and_class(tmp_path, monkeypatch):
    monkeypatch.setattr(synthetic_clip, "FRAMES", (4, 12))
    tree = DRAWN["samm"](tmp_path / "samm", subjects=2, clips_per_class=1, progress=False)
    rows, protocol = dataset_listing("samm", tree).rows, load_protocol("samm-5")
    assert len(rows) == 6
    assert {row.subject for row in rows} == {"samm/006", "samm/007"}
    assert all(protocol.class_index(row) is not None for row in rows)
    for row in rows:
        files = sorted((tree / row.frames_dir).iterdir())
        assert len(files) == row.offset - row.onset + 1
        assert files[0].name.startswith(f"{row.subject[5:]}_")
        assert row.onset < row.apex < row.offset
    colours = cv2.imread(str(files[0])).astype(int)
    assert np.ptp(colours, axis=-1).max() <= 4  # grey but for JPEG


@pytest.mark.parametrize(
    ("label", "aus", "wanted"),
    [
        ("positive", (6, 12), "Happiness"),
        ("surprise", (1, 2), "Surprise"),
        ("negative", (4, 7), "Anger"),
        ("negative", (4, 15), "Anger"),
        ("negative", (14,), "Contempt"),
        ("negative", (9,), "Other"),
    ],
)
def test_the_class_follows_from_the_action_units(label, aus, wanted):
    assert emotion(label, aus) == wanted
