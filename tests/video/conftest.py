"""Fixtures of the tests of long videos."""

import numpy as np
import pytest

from mer_tf.synthetic.faces.appearance import draw_neutral, make_subject
from mer_tf.synthetic.faces.portraits import load_portraits


@pytest.fixture(scope="session")
def drawn_five():
    """Where the face of a drawn long video lies: its one subject's, of seed 3."""
    subject = make_subject(load_portraits()[0], np.random.default_rng((3, 0)))
    points = draw_neutral(subject, np.random.default_rng((3, 0, 0, 11, 0))).points
    eyes = [(points[f"eye_outer_{s}"] + points[f"eye_inner_{s}"]) / 2 for s in ("left", "right")]
    return np.array([*eyes, points["nose_tip"], points["mouth_corner_left"], points["mouth_corner_right"]])
