"""Probabilities are tempered by what was answered before."""

import numpy as np
import pandas as pd
import pytest

from mer_tf.evaluation.calibration import calibration_of, fit_calibration, read_calibration, tempered

CLASSES = ("negative", "positive", "surprise")


def answered(count, rng, certain):
    """Probabilities that are right as often as they say, and the same as a recogniser says that is too sure."""
    honest = rng.dirichlet([1.0, 1.0, 1.0], count)
    truth = np.array([rng.choice(3, p=row) for row in honest])
    return honest, tempered(honest, 1 / certain), truth


def test_what_is_too_sure_by_a_power_gets_its_honest_probabilities_back():
    honest, shares, truth = answered(2500, np.random.default_rng(0), 2.5)
    calibration = fit_calibration(shares, truth, CLASSES)
    assert calibration.temperatures == pytest.approx([2.5] * 3, rel=0.15)
    assert np.abs(calibration(shares) - honest).max() < 0.05
    assert (calibration(shares).argmax(axis=1) == shares.argmax(axis=1)).all()


def test_each_answer_is_believed_as_often_as_it_was_right():
    """Negative is right in 90 of 100 clips, positive in 45, and the recogniser says .9 of both."""
    shares = np.repeat([[0.9, 0.05, 0.05], [0.05, 0.9, 0.05]], 100, axis=0)
    truth = np.array([0] * 90 + [1] * 5 + [2] * 5 + [1] * 45 + [0] * 28 + [2] * 27)
    calibration = fit_calibration(shares, truth, CLASSES)
    assert calibration(shares[[0, 100]]).max(axis=1) == pytest.approx([0.9, 0.45], abs=0.01)
    assert [calibration.record(name) for name in CLASSES] == [(100, 90), (100, 45), (0, 0)]


def test_a_few_right_clips_prove_no_certainty():
    shares = np.repeat([[0.998, 0.001, 0.001]], 24, axis=0)
    calibration = fit_calibration(shares, np.zeros(24, int), CLASSES)
    assert 0.9 < calibration(shares)[0, 0] < 0.98
    assert calibration.temperatures[1] == calibration.temperatures[0], "never given: takes that of all"


def test_it_is_read_from_a_run_s_predictions_and_stored_in_a_card():
    _, shares, truth = answered(200, np.random.default_rng(1), 3)
    table = pd.DataFrame({f"p_{name}": shares[:, k].astype(str) for k, name in enumerate(CLASSES)})
    table["y_true"] = np.array(CLASSES)[truth]
    calibration = calibration_of(table, CLASSES)
    assert calibration == fit_calibration(shares, truth, CLASSES)
    assert read_calibration(calibration.stored()) == calibration
    assert calibration_of(table[["y_true"]], CLASSES) is None
