"""Where a curve passes halfway between chance and its ceiling."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mer_tf.config import Data, Experiment, MerError
from mer_tf.evaluation.curve import halfway
from mer_tf.protocols.sensitivity import sensitivity, window_frames
from mer_tf.runner import run


def curve(values, chance=0.25, spread=0.1):
    known = {"amplitude": np.arange(len(values), dtype=float), "UAR": values, "UAR_low": np.subtract(values, spread)}
    return pd.DataFrame(known | {"chance": chance})


def test_halfway_is_interpolated():
    assert halfway(curve([0.25, 0.25, 0.65, 0.85])) == {"amplitude": pytest.approx(1.75), "ceiling": 0.85}


def test_noise_crosses_once():
    assert 1 < halfway(curve([0.2, 0.3, 0.7, 0.6, 0.9]))["amplitude"] < 4


@pytest.mark.parametrize("values", [[0.25, 0.2, 0.25], [0.9, 0.9, 0.9]])
def test_a_curve_that_does_not_rise_has_no_halfway(values):
    assert np.isnan(halfway(curve(values))["amplitude"])


def test_a_curve_whose_end_may_be_chance_has_no_halfway():
    values = [0.2, 0.25, 0.4, 0.5]
    assert np.isnan(halfway(curve(values, spread=0.25))["amplitude"])
    assert halfway(curve(values, spread=0.24))["amplitude"] == pytest.approx(1 + (0.375 - 0.25) / 0.15)


def test_real_data_are_refused():
    real = replace(Experiment(name="x"), data=Data(root="/data"))
    with pytest.raises(MerError, match="amplitude of real data is unknown"):
        sensitivity([real], [0.0], [1], Path("out"), run)


@pytest.mark.parametrize(("frames", "step", "expected"), [(13, 1, 13), (13, 2, 6), (13, 4, 3), (13, 8, 3), (1, 4, 1)])
def test_a_window_keeps_its_duration_at_a_lower_frame_rate(frames, step, expected):
    assert window_frames(frames, step) == expected
