"""How many people must be filmed? UF1 against the number of training subjects, with drawn images beside and without."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import f1_score

from mer_tf.au_flow.recogniser import DRAWN, drawn_images
from mer_tf.changes import changed
from mer_tf.config import Experiment, MerError
from mer_tf.files import write_csv
from mer_tf.models.kernel_model import KernelModel
from mer_tf.models.kernel_ridge import fit_ridge, kernel
from mer_tf.protocols.pretrained import images_of
from mer_tf.reporting.plots import learning_curve_png
from mer_tf.run_directory import go_on
from mer_tf.runner import open_bench
from mer_tf.synthetic.action_units.movement import CLASSES

COLUMNS = ("subjects", "drawn", "UF1", "UF1_low", "UF1_high", "clips", "draws")


def learning_curve(
    experiment: Experiment, numbers: Sequence[int], draws: int, out: Path, drawn: int = DRAWN
) -> pd.DataFrame:
    """A row for each number of training subjects, with drawn images and without; learning_curve.csv and .png in `out`.

    Each number is tried on `draws` random choices of subjects, all others being tested on; UF1 is the mean over these,
    low and high the least and the greatest. With all but one, each is left out once and predictions are pooled.
    """
    chosen = changed(experiment, {"model.name": "patch_kernel"})
    bench, clips = open_bench(chosen, go_on(chosen, out))
    if tuple(clips.classes) != CLASSES:
        raise MerError(f"data.label_protocol: drawn images are of {', '.join(CLASSES)}; use megc2019-3")
    subjects = clips.table["subject"].to_numpy()
    most = len(np.unique(subjects)) - 1
    if too_many := [n for n in numbers if n > most]:
        raise MerError(f"--numbers {too_many[0]}: of {most + 1} subjects at most {most} can be trained on")
    model = chosen.model
    assert isinstance(model, KernelModel)
    pictures = drawn_images(drawn)
    images = images_of(bench)
    views = model.described(np.concatenate([images, pictures.images]))
    whole = _Whole(kernel(views, views), clips.table["label"].to_numpy(), pictures.labels, subjects, model)
    rows = [whole.row(n, draws, beside) for n in (*sorted(numbers), most) for beside in (False, True)]
    table = pd.DataFrame(rows, columns=list(COLUMNS)).drop_duplicates(["subjects", "drawn"])
    write_csv(table, out / "learning_curve.csv")
    learning_curve_png(table, [str(w) for w in clips.warnings], out / "learning_curve.png")
    return table


class _Whole:
    """The kernel of all clips, then of all drawn images, with their classes and people."""

    def __init__(
        self, gram: NDArray[Any], labels: NDArray[Any], drawn: NDArray[Any], subjects: NDArray[Any], model: KernelModel
    ) -> None:
        self.gram, self.labels, self.subjects, self.model = gram, np.concatenate([labels, drawn]), subjects, model
        self.drawn = np.arange(len(labels), len(self.labels))
        self.owners = np.concatenate([subjects, [f"drawn {k}" for k in range(len(drawn))]])

    def row(self, number: int, draws: int, beside: bool) -> tuple[Any, ...]:
        """Scores of random choices of that many training subjects; the same choices with drawn images and without."""
        people, rng = np.unique(self.subjects), np.random.default_rng(number)
        if number == len(people) - 1:
            score = self._uf1([self._said(np.delete(people, k), beside) for k in range(len(people))])
            clips = len(self.subjects) * number / len(people)
            return number, beside, score, score, score, clips, 1
        picked = [rng.choice(people, number, replace=False) for _ in range(draws)]
        scores = [self._uf1([self._said(some, beside)]) for some in picked]
        clips = np.mean([np.isin(self.subjects, some).sum() for some in picked])
        return number, beside, np.mean(scores), min(scores), max(scores), clips, draws

    def _uf1(self, said: Sequence[tuple[NDArray[Any], NDArray[Any]]]) -> float:
        """Of tested clips and the classes said of them, pooled."""
        test, found = (np.concatenate(parts) for parts in zip(*said, strict=True))
        return float(f1_score(self.labels[test], found, average="macro", labels=range(len(CLASSES)), zero_division=0))

    def _said(self, people: NDArray[Any], beside: bool) -> tuple[NDArray[Any], NDArray[Any]]:
        """Clips of all other people, and what a regression on these people says of them."""
        known = np.flatnonzero(np.isin(self.subjects, people))
        test = np.flatnonzero(~np.isin(self.subjects, people))
        train = np.concatenate([known, self.drawn]) if beside else known
        gram = self.gram[np.ix_(train, train)]
        ridge = fit_ridge(gram, self.labels[train], self.owners[train].tolist(), len(CLASSES), self.model.penalties)
        return test, ridge.probabilities(self.gram[np.ix_(test, train)]).argmax(axis=1)
