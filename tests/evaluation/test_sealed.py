"""Test labels stay sealed until every prediction is there, and end the fold's training."""

import numpy as np
import pytest

from mer_tf.config import MerError
from mer_tf.evaluation.folds import Fold
from mer_tf.evaluation.sealed import SealedLabels

FOLDS = [Fold(0, (0, 1), (2, 3)), Fold(1, (2, 3), (0, 1))]


def test_training_labels_come_in_the_order_of_the_fold():
    assert SealedLabels([5, 6, 7, 8]).training(FOLDS[1]).tolist() == [7, 8]


def test_answers_come_for_complete_predictions_only():
    seal = SealedLabels([0, 1, 0, 1])
    for shares in (np.ones((1, 2)), np.full((2, 2), np.nan)):
        with pytest.raises(MerError, match="labels stay sealed"):
            seal.answers(FOLDS[0], shares)
    assert seal.training(FOLDS[0]).tolist() == [0, 1]
    assert seal.answers(FOLDS[0], np.ones((2, 2))).tolist() == [0, 1]


def test_an_opened_fold_cannot_be_trained_again_and_others_can():
    seal = SealedLabels([0, 1, 0, 1])
    seal.answers(FOLDS[0], np.ones((2, 2)))
    with pytest.raises(MerError, match="fold 0: its test labels were opened"):
        seal.training(FOLDS[0])
    assert seal.training(FOLDS[1]).tolist() == [0, 1]


def test_labels_are_no_attribute():
    seal = SealedLabels([0, 1, 2, 9])
    public = [getattr(seal, name) for name in dir(seal) if not name.startswith("_")]
    assert not any(isinstance(value, (np.ndarray, list)) for value in public)
