"""Fixtures of the tests of long videos."""

import numpy as np
import pytest

from mer_tf.datasets.manifest import read_manifest
from mer_tf.synthetic.faces.appearance import draw_neutral, make_subject
from mer_tf.synthetic.faces.portraits import load_portraits
from mer_tf.synthetic.long.write import write_long


@pytest.fixture(scope="session")
def six_seconds(tmp_path_factory):
    """A drawn data set of one video with two expressions and nothing else, and the video's path."""
    root = write_long(
        tmp_path_factory.mktemp("long") / "x",
        amplitude=4,
        subjects=1,
        seconds=6,
        fps=15,
        distractors=(),
        seed=3,
        progress=False,
    )
    return root, root / read_manifest(root / "manifest.csv")[0].video


@pytest.fixture(scope="session")
def drawn_five():
    """Where the face of a drawn long video lies: its one subject's, of seed 3."""
    subject = make_subject(load_portraits()[0], np.random.default_rng((3, 0)))
    points = draw_neutral(subject, np.random.default_rng((3, 0, 0, 11, 0))).points
    eyes = [(points[f"eye_outer_{s}"] + points[f"eye_inner_{s}"]) / 2 for s in ("left", "right")]
    return np.array([*eyes, points["nose_tip"], points["mouth_corner_left"], points["mouth_corner_right"]])
