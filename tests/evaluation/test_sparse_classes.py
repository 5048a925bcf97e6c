"""Classes of few clips or people: splits give sound folds or say why not; no classifier is handed one class."""

import numpy as np
import pandas as pd
import pytest
from helpers.rows import made_row
from hypothesis import given, settings
from hypothesis import strategies as st

from mer_tf.config import Data, Evaluation, MerError
from mer_tf.datasets.labels import load_protocol
from mer_tf.descriptors import METHODS, WORDS, LbpTop
from mer_tf.descriptors.classifiers import class_shares, classifier, fitted
from mer_tf.evaluation.folds import check_folds, fold_warnings, inner_folds, make_folds
from mer_tf.evaluation.metrics import evaluate
from mer_tf.evaluation.variants import metric_variants
from mer_tf.inputs.clips import label_clips
from mer_tf.protocols.classical import inner_scores
from mer_tf.records.index import IndexedClip
from mer_tf.training.baselines import motion_probe_uars, onset_frame_probabilities

FAST = settings(max_examples=100, deadline=None, derandomize=True, database=None)
PEOPLE = st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 2)), min_size=1, max_size=14)


class Vectors:
    """A store of random vectors: two frames a clip."""

    def __init__(self, clips):
        rng = np.random.default_rng(0)
        self.held = {clip: rng.normal(size=(2, 5)) for clip in clips}

    def vectors(self, clip_id, frames=slice(None)):
        return self.held[clip_id][frames]


@FAST
@given(PEOPLE, st.sampled_from(["group", "group-plain", "loso", "clip"]), st.integers(1, 6))
def test_folds_are_sound_or_refused(clips, split, folds):
    subjects, labels = ([c[k] for c in clips] for k in (0, 1))
    try:
        made = make_folds(subjects, labels, Evaluation(split=split, folds=folds))
    except MerError:
        return
    check_folds(made, subjects, split)
    assert all(fold.test and fold.train for fold in made)
    fold_warnings(made, labels, ["x", "y", "z"])


@FAST
@given(PEOPLE, st.integers(2, 6))
def test_inner_folds_are_always_there_when_there_are_two_people(clips, folds):
    subjects, labels = ([c[k] for c in clips] for k in (0, 1))
    if len(set(subjects)) < 2:
        with pytest.raises(MerError, match="of one subject, so nothing can be chosen"):
            inner_folds(subjects, labels, folds)
        return
    check_folds(inner_folds(subjects, labels, folds), subjects, "group")


@settings(max_examples=25, deadline=None, derandomize=True, database=None)
@given(PEOPLE, st.sampled_from(["lbp_top", "flow_logistic", "majority", "hoof"]))
def test_a_choice_on_inner_subjects_survives_folds_of_one_class(clips, name):
    method = METHODS.get(name, LbpTop)()
    subjects, labels = [c[0] for c in clips], np.array([c[1] for c in clips])
    features = np.random.default_rng(0).random((len(clips), 4))
    try:
        found = inner_scores(classifier(method), features, labels, subjects, 3)
    except MerError:
        assert len(set(subjects)) < 2
        return
    assert all(0 <= value <= 1 for value in found.values())


def test_too_few_clips_of_every_class_are_said():
    with pytest.raises(MerError, match="5, but there are 2 clips at most in a class; choose 2 to 2 folds, or --eval"):
        make_folds(list("abcdef"), [0, 0, 1, 1, 2, 2], Evaluation(folds=5))
    with pytest.raises(MerError, match="add clips"):
        make_folds(list("aa"), [0, 1], Evaluation(split="loso"))


@pytest.mark.parametrize("name", [n for n, m in METHODS.items() if not hasattr(m, WORDS)])
def test_every_classifier_takes_clips_of_one_class(name):
    features = np.random.default_rng(0).random((4, 6))
    model = fitted(classifier(METHODS[name]()), features, np.full(4, 2))
    shares = class_shares(model, features[:2], 3)
    assert shares.tolist() == [[0, 0, 1]] * 2


def test_the_onset_baseline_and_the_probe_take_clips_of_one_class():
    store = Vectors("abcd")
    assert onset_frame_probabilities(store, "ab", [1, 1], "cd", 3).tolist() == [[0, 1, 0]] * 2
    folds = make_folds(list("ab") * 2, [0, 1, 0, 1], Evaluation(split="loso"))
    assert motion_probe_uars(store, "abcd", folds, np.array([0, 0, 0, 0]), 2, 0) == [1.0, 1.0]
    lone = make_folds(list("ab"), [0, 1], Evaluation(split="loso"))
    assert motion_probe_uars(store, "ab", lone, np.array([0, 1]), 2, 0) == [0.5, 0.5]


def test_a_class_of_one_subject_is_warned_of_under_every_split():
    subjects, labels = list("aabbcc"), [0, 1, 0, 1, 0, 2]
    (said,) = fold_warnings(make_folds(subjects, labels, Evaluation(split="loso")), labels, ["x", "y", "z"])
    assert str(said).startswith(
        "UNTAUGHT CLASS: z: 1 clips are tested in folds (c) whose training clips hold none of it"
    )
    (grouped,) = fold_warnings(make_folds(subjects, labels, Evaluation(folds=2)), labels, ["x", "y", "z"])
    assert "z: 1 clips" in grouped.text
    across = make_folds(subjects, labels, Evaluation(split="cross-dataset"), list("ddddee"))
    assert any("UNTAUGHT CLASS: z" in str(said) for said in fold_warnings(across, labels, ["x", "y", "z"]))
    assert not fold_warnings(make_folds(list("abab"), [0, 0, 1, 1], Evaluation(split="loso")), [0, 0, 1, 1], "xy")


def test_one_class_left_is_refused_before_anything_is_trained():
    rows = [made_row(clip_id=f"smic-hs/{k}", subject=f"smic/s{k}", label_raw="negative") for k in (1, 2)]
    clips = [IndexedClip(r.clip_id, r.dataset, r.subject, r.label_raw, 2, 1.0, "x", "0") for r in rows]
    with pytest.raises(MerError, match=r"smic-3 leaves one class, negative \(2 clips\)"):
        label_clips(rows, clips, load_protocol("smic-3"), Data())


def test_results_of_one_class_are_scored():
    frame = pd.DataFrame({"clip_id": list("ab"), "subject": list("ab"), "fold": [0, 1], "y_true": "x", "y_pred": "x"})
    scored = evaluate(frame, bootstrap=10, permutations=9)
    assert scored["UAR"]["pooled"] == scored["chance_UAR"] == 1.0
    assert set(metric_variants(frame)["value"]) <= {0.0, 1.0}
