"""Whether there are enough subjects, clips or data sets for the folds that are asked for; needs no scikit-learn."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from mer_tf.config import Evaluation, MerError
from mer_tf.names import meant


def check_units(config: Evaluation, subjects: int, clips: int, datasets: Collection[str]) -> None:
    """`MerError` when the folds cannot be made of so many subjects and clips, and of these data sets."""
    if config.split == "cross-dataset":
        for name in tested_datasets(config, datasets):
            training_datasets(config, datasets, name)
    elif config.split == "loso":
        enough(subjects, 2, "subjects")
    else:
        of_clips = config.split == "clip"
        enough(clips if of_clips else subjects, config.folds, "clips" if of_clips else "subjects")


def tested_datasets(config: Evaluation, datasets: Collection[str]) -> Sequence[str]:
    """Data sets that are tested, a fold each; `MerError` for one that is named and not there."""
    known = sorted(set(datasets))
    for name in (*config.train_on, *config.test_on):
        if name not in known:
            held = f"the manifests hold {', '.join(known)}{meant(name, known)}"
            raise MerError(f"cross-dataset: there are no clips of {name!r}; {held}")
    return config.test_on or known


def training_datasets(config: Evaluation, datasets: Collection[str], tested: str) -> list[str]:
    """Data sets that train where `tested` is tested; `MerError` when there is none."""
    among = config.train_on or sorted(set(datasets))
    sources = [d for d in among if d != tested and d not in config.test_on]
    if not sources:
        raise MerError(f"cross-dataset: nothing is left to train on for {tested}; join manifests of two data sets")
    return sources


def enough(units: int, folds: int, what: str, otherwise: str = "") -> None:
    """`MerError` when so many units do not make so many folds; `otherwise` is what may be done instead."""
    if not 2 <= folds <= units:
        mend = f"choose 2 to {units} folds" if units >= 2 else "add clips"
        raise MerError(f"evaluation.folds={folds}, but there are {units} {what}; {mend}{otherwise}")
