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


@pytest.mark.parametrize(
    ("split", "tested"), [("group", "210034143102"), ("group-plain", "021431431002"), ("clip", "021431431002")]
)
def test_folds_of_a_seed_stay_what_they_were(split, tested):
    """The fold that tests each subject (clip): scikit-learn 1.8 changed what StratifiedGroupKFold makes of a seed."""
    subjects = SUBJECTS if split != "clip" else [f"smic/s{k:02d}" for k in range(12)]
    folds = make_folds(subjects, LABELS[: len(subjects)], Evaluation(split=split))
    where = {subjects[i]: str(fold.number) for fold in folds for i in fold.test}
    assert "".join(where[s] for s in dict.fromkeys(subjects)) == tested


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


def test_loso_leaves_one_subject_out_and_names_it():
    folds = make_folds(SUBJECTS, LABELS, Evaluation(split="loso"))
    assert len(folds) == 12
    for fold in folds:
        assert {SUBJECTS[i] for i in fold.test} == {fold.held_out}


def test_plain_group_folds_ignore_the_classes():
    labels = [0] * 48 + [1] * 48
    folds = make_folds(SUBJECTS, labels, Evaluation(split="group-plain", folds=4))
    assert folds == make_folds(SUBJECTS, labels[::-1], Evaluation(split="group-plain", folds=4))
    assert not any({SUBJECTS[i] for i in f.train} & {SUBJECTS[i] for i in f.test} for f in folds)


def test_stratified_folds_hold_every_class():
    folds = make_folds(SUBJECTS, [k // 48 for k in range(96)], Evaluation(folds=4))
    assert all({i // 48 for i in fold.test} == {0, 1} for fold in folds)


DATASETS = ["smic-hs"] * 3 + ["casme2"] * 3 + ["samm"] * 2
PEOPLE = ["a", "a", "b", "c", "d", "d", "e", "f"]


def test_across_data_sets_each_is_tested_by_the_others():
    folds = make_folds(PEOPLE, [0] * 8, Evaluation(split="cross-dataset"), DATASETS)
    assert {f.held_out: f.test for f in folds} == {"casme2": (3, 4, 5), "samm": (6, 7), "smic-hs": (0, 1, 2)}
    assert all(len(f.train) + len(f.test) == 8 for f in folds)


def test_trained_on_one_and_tested_on_another():
    wanted = Evaluation(split="cross-dataset", train_on=("casme2",), test_on=("samm",))
    (fold,) = make_folds(PEOPLE, [0] * 8, wanted, DATASETS)
    assert (fold.train, fold.test) == ((3, 4, 5), (6, 7))


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (Evaluation(split="cross-dataset", test_on=("sam",)), "no clips of 'sam'.*casme2, samm, smic-hs"),
        (Evaluation(split="cross-dataset", train_on=("samm",), test_on=("samm",)), "nothing is left to train on"),
    ],
)
def test_a_wrong_data_set_is_named(wanted, message):
    with pytest.raises(MerError, match=message):
        make_folds(PEOPLE, [0] * 8, wanted, DATASETS)


def test_the_same_person_in_two_data_sets_is_found():
    with pytest.raises(MerError, match="both sides: a"):
        make_folds(["a", "a"], [0, 1], Evaluation(split="cross-dataset"), ["smic-hs", "smic-vis"])
