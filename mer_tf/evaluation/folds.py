"""Folds over clips. Subject-disjoint unless the experiment says `clip`, to repeat a paper that leaked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import KFold, StratifiedGroupKFold

from mer_tf.config import Evaluation, MerError


@dataclass(frozen=True)
class Fold:
    """Indices into the clip list, sorted."""

    number: int
    train: tuple[int, ...]
    test: tuple[int, ...]


def make_folds(subjects: Sequence[str], labels: Sequence[int], config: Evaluation) -> list[Fold]:
    """k folds over clips.

    group: scikit-learn's StratifiedGroupKFold over subjects (no subject on both sides); clip: KFold over shuffled
    clips, as the released code of Bai & Goecke 2020 does, which lets subjects leak.

    Raises `MerError` when there are fewer subjects (or clips) than folds.
    """
    units = len(set(subjects)) if config.split == "group" else len(subjects)
    if not 2 <= config.folds <= units:
        what = "subjects" if config.split == "group" else "clips"
        raise MerError(f"evaluation.folds={config.folds}, but there are {units} {what}; choose 2 to {units} folds")
    if config.split == "group":
        splitter = StratifiedGroupKFold(config.folds, shuffle=True, random_state=config.seed)
        pairs = splitter.split(np.zeros(len(subjects)), labels, subjects)
    else:
        pairs = KFold(config.folds, shuffle=True, random_state=config.seed).split(np.zeros(len(subjects)))
    folds = [Fold(k, tuple(map(int, train)), tuple(map(int, test))) for k, (train, test) in enumerate(pairs)]
    check_folds(folds, subjects, config.split)
    return folds


def check_folds(folds: Sequence[Fold], subjects: Sequence[str], split: str) -> None:
    """Every clip is tested once and, for `group`, no subject stands on both sides; `MerError` otherwise."""
    tested = sorted(i for fold in folds for i in fold.test)
    if tested != list(range(len(subjects))):
        raise MerError("folds do not test every clip exactly once")
    for fold in folds:
        shared = {subjects[i] for i in fold.train} & {subjects[i] for i in fold.test}
        if set(fold.train) & set(fold.test) or (split == "group" and shared):
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
