"""Folds over clips. Subject-disjoint unless the experiment says `clip`, to repeat a paper that leaked."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.model_selection import GroupKFold, KFold, LeaveOneGroupOut, StratifiedGroupKFold

from mer_tf.config import Evaluation, MerError
from mer_tf.evaluation.fold_units import check_units, enough, tested_datasets, training_datasets
from mer_tf.notices import Notice, danger, note


@dataclass(frozen=True)
class Fold:
    """Indices into the clip list, sorted."""

    number: int
    train: tuple[int, ...]
    test: tuple[int, ...]
    held_out: str = ""
    """What the fold tests, where it has a name: the subject (loso) or the data set (cross-dataset)."""


def make_folds(
    subjects: Sequence[str], labels: Sequence[int], config: Evaluation, datasets: Sequence[str] = ()
) -> list[Fold]:
    """Folds over clips given each one's subject, class and (cross-dataset alone) data set.

    group, group-plain, loso: scikit-learn's StratifiedGroupKFold, GroupKFold and LeaveOneGroupOut over subjects; on a
    composite of data sets loso is the CDE protocol of MEGC 2019 (See et al. 2019, section 3). cross-dataset: one fold
    a test data set. clip: KFold over shuffled clips, as the released code of Bai & Goecke 2020, subjects leak.

    Raises `MerError` when there are fewer subjects (clips, data sets) than folds, fewer clips in every class than
    stratified folds, or a fold that would test nothing.
    """
    check_units(config, len(set(subjects)), len(subjects), datasets)
    if config.split == "cross-dataset":
        folds = _across_datasets(np.asarray(datasets), config)
    elif config.split == "loso":
        pairs = LeaveOneGroupOut().split(np.zeros(len(subjects)), groups=subjects)
        folds = _numbered(pairs, subjects)
    else:
        folds = _numbered(_k_folds(subjects, labels, config))
    check_folds(folds, subjects, config.split)
    return folds


def _k_folds(subjects: Sequence[str], labels: Sequence[int], config: Evaluation) -> Iterable[Any]:
    options = {"n_splits": config.folds, "shuffle": True, "random_state": config.seed}
    rows = np.zeros(len(subjects))
    if config.split == "clip":
        return KFold(**options).split(rows)
    if config.split == "group":
        enough(max(Counter(labels).values()), config.folds, "clips at most in a class", ", or --evaluation.split loso")
    kind = StratifiedGroupKFold if config.split == "group" else GroupKFold
    with warnings.catch_warnings():  # `few_clips` says it in words, and once
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        return list(kind(**options).split(rows, labels, subjects))


def inner_folds(subjects: Sequence[str], labels: Sequence[int], folds: int, seed: int = 42) -> list[Fold]:
    """At most `folds` subject-disjoint folds of training clips: stratified where a class has clips for each of them.

    `MerError` when the clips are of one subject.
    """
    people, most = len(set(subjects)), max(Counter(labels).values())
    if people < 2:
        raise MerError(
            "a fold's training clips are of one subject, so nothing can be chosen on inner subjects; leave search and "
            "model.C at one value and model.tune out, or take more subjects"
        )
    stratified = Evaluation(folds=min(folds, people, most), seed=seed)
    try:
        return make_folds(subjects, labels, stratified)
    except MerError:  # few clips of each class, or of few people
        return make_folds(subjects, labels, Evaluation(split="group-plain", folds=min(folds, people), seed=seed))


def fold_warnings(folds: Sequence[Fold], labels: Sequence[int], classes: Sequence[str]) -> list[Notice]:
    """A danger for each class that some folds test and do not train: no clip of such a fold can be recognised."""
    said = []
    for index, name in enumerate(classes):
        untaught = [
            fold
            for fold in folds
            if any(labels[i] == index for i in fold.test) and not any(labels[i] == index for i in fold.train)
        ]
        if untaught:
            clips = sum(labels[i] == index for fold in untaught for i in fold.test)
            where = ", ".join(fold.held_out or str(fold.number) for fold in untaught[:5])
            text = (
                f"{name}: {clips} clips are tested in folds ({where}{', ...' if untaught[5:] else ''}) "
                "whose training clips hold none of it, as of a class of one subject: their recall is 0 by construction"
            )
            said.append(danger("untaught_class", text))
    return said


def few_clips(
    folds: Sequence[Fold], labels: Sequence[int], classes: Sequence[str], *, stratified: bool, inner: int
) -> list[Notice]:
    """A note for each class of fewer clips than folds that share out every class.

    stratified: whether `folds` do; inner: how many folds of the training clips do, 0 where nothing is chosen on any.
    """
    said = []
    for index, name in enumerate(classes):
        clips = sum(label == index for label in labels)
        if stratified and 0 < clips < len(folds):
            text = f"{name}: {clips} clips for {len(folds)} folds, so some folds test none of it"
            said.append(note("few_clips", text))
        trained = [sum(labels[i] == index for i in fold.train) for fold in folds]
        if few := [number for number in trained if 0 < number < inner]:
            text = f"{name}: {min(few)} training clips for {inner} inner folds, so some choose settings without it"
            said.append(note("few_clips", text))
    return said


def _across_datasets(datasets: np.ndarray, config: Evaluation) -> list[Fold]:
    pairs = []
    for name in tested_datasets(config, datasets.tolist()):
        sources = training_datasets(config, datasets.tolist(), name)
        pairs.append((np.flatnonzero(np.isin(datasets, sources)), np.flatnonzero(datasets == name)))
    return _numbered(pairs, datasets.tolist())


def _numbered(pairs: Iterable[Any], names: Sequence[str] | None = None) -> list[Fold]:
    return [
        Fold(k, tuple(map(int, train)), tuple(map(int, test)), names[test[0]] if names is not None else "")
        for k, (train, test) in enumerate(pairs)
    ]


def check_folds(folds: Sequence[Fold], subjects: Sequence[str], split: str) -> None:
    """No clip, and (unless `clip`) no subject, stands on both sides of a fold; `MerError` otherwise.

    Every clip is tested exactly once; across data sets at most once.
    """
    tested = sorted(i for fold in folds for i in fold.test)
    once = len(set(tested)) == len(tested) if split == "cross-dataset" else tested == list(range(len(subjects)))
    if not once:
        raise MerError("folds do not test every clip exactly once")
    if empty := [fold.number for fold in folds if not fold.test or not fold.train]:
        raise MerError(f"fold {empty[0]} would test or train nothing; choose fewer folds, or --evaluation.split loso")
    for fold in folds:
        shared = {subjects[i] for i in fold.train} & {subjects[i] for i in fold.test}
        if set(fold.train) & set(fold.test) or (split != "clip" and shared):
            raise MerError(f"fold {fold.number} has clips or subjects on both sides: {', '.join(sorted(shared)[:5])}")


def check_contents(folds: Sequence[Fold], hashes: Sequence[str], clip_ids: Sequence[str]) -> None:
    """No clip of a test fold has the same pixels as one of its training fold, whatever their names."""
    for fold in folds:
        train = {hashes[i]: i for i in fold.train}
        for i in fold.test:
            if hashes[i] in train:
                twin = clip_ids[train[hashes[i]]]
                raise MerError(
                    f"fold {fold.number}: {clip_ids[i]} and {twin} hold the same frames; remove one from the manifest"
                )
