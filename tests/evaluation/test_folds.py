"""Folds: no subject, clip or content on both sides."""

import numpy as np
import pytest

from mer_tf.config import Evaluation, MerError
from mer_tf.evaluation.folds import Fold, check_contents, check_folds, make_folds

SUBJECTS = [f"smic/s{k:02d}" for k in range(1, 13) for _ in range(8)]
LABELS = [0, 0, 1, 1, 2, 2, 3, 3] * 12


def test_group_folds_keep_subjects_apart_and_test_each_clip_once():
    folds = make_folds(SUBJECTS, LABELS, Evaluation(folds=5))
    assert sorted(i for f in folds for i in f.test) == list(range(len(SUBJECTS)))
    for fold in folds:
        assert not {SUBJECTS[i] for i in fold.train} & {SUBJECTS[i] for i in fold.test}
        assert len(fold.train) + len(fold.test) == len(SUBJECTS)


def test_clip_folds_leak_subjects_and_say_nothing_else():
    folds = make_folds(SUBJECTS, LABELS, Evaluation(split="clip"))
    assert any({SUBJECTS[i] for i in f.train} & {SUBJECTS[i] for i in f.test} for f in folds)


def test_folds_repeat_by_seed():
    assert make_folds(SUBJECTS, LABELS, Evaluation()) == make_folds(SUBJECTS, LABELS, Evaluation())
    assert make_folds(SUBJECTS, LABELS, Evaluation()) != make_folds(SUBJECTS, LABELS, Evaluation(seed=1))


@pytest.mark.parametrize("folds", [1, 13])
def test_impossible_number_of_folds(folds):
    with pytest.raises(MerError, match="12 subjects"):
        make_folds(SUBJECTS, LABELS, Evaluation(folds=folds))


def test_check_folds_finds_a_leaked_subject():
    leaky = [Fold(0, (1, 2), (0,)), Fold(1, (0,), (1, 2))]
    with pytest.raises(MerError, match="both sides: s1"):
        check_folds(leaky, ["s1", "s1", "s2"], "group")


def test_same_frames_under_two_names_are_found():
    folds = [Fold(0, (0, 1), (2,)), Fold(1, (2,), (0, 1))]
    check_contents(folds, ["x", "y", "z"], ["a", "b", "c"])
    with pytest.raises(MerError, match="c and a hold the same frames"):
        check_contents(folds, ["x", "y", "x"], ["a", "b", "c"])


def test_labels_may_be_numpy():
    assert make_folds(np.array(SUBJECTS), np.array(LABELS), Evaluation()) == make_folds(SUBJECTS, LABELS, Evaluation())
