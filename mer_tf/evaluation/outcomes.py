"""A predictions table as arrays in one canonical order, whatever the order of its rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mer_tf.config import MerError


@dataclass(frozen=True)
class Outcomes:
    """True and predicted class indices of every clip, the same clips in every seed.

    clips (n,) sorted clip ids; true (n,); predicted (n, seeds); clusters (n,) numbers of the subjects, or of the clips
    themselves where the table names no subject (`grouped` is False); classes: their number.
    """

    clips: tuple[str, ...]
    true: np.ndarray
    predicted: np.ndarray
    clusters: np.ndarray
    grouped: bool
    classes: int

    @property
    def subjects(self) -> int | None:
        """Number of subjects; None where the table names none."""
        return int(self.clusters.max()) + 1 if self.grouped else None

    def counts(self) -> np.ndarray:
        """Confusion counts (clusters, seeds, classes, classes): row = true class, column = predicted class."""
        seeds = self.predicted.shape[1]
        counts = np.zeros((int(self.clusters.max()) + 1, seeds, self.classes, self.classes))
        np.add.at(counts, (self.clusters[:, None], np.arange(seeds), self.true[:, None], self.predicted), 1)
        return counts


def outcomes(frame: pd.DataFrame, classes: Sequence[str]) -> Outcomes:
    """Arrays of a predictions table (clip_id, y_true, y_pred; seed and subject where known).

    Raises `MerError` when a clip is predicted twice for a seed or not at all, or changes its truth or its subject.
    """
    seeds = frame["seed"].astype(str) if "seed" in frame.columns else ""
    table = frame.assign(clip_id=frame["clip_id"].astype(str), seed=seeds)
    if (twice := table.duplicated(["clip_id", "seed"])).any():
        raise MerError(
            f"{table.loc[twice, 'clip_id'].iloc[0]} is predicted more than once; keep one row a clip and seed"
        )
    clips = table.drop_duplicates("clip_id").sort_values("clip_id", kind="stable").set_index("clip_id")
    _constant(table, clips)
    index = {name: k for k, name in enumerate(classes)}
    wide = table.assign(y_pred=table["y_pred"].map(index)).pivot(index="clip_id", columns="seed", values="y_pred")
    wide = wide.loc[clips.index]
    if (lacking := wide.isna()).to_numpy().any():
        clip, seed = lacking.stack().idxmax()  # type: ignore[misc]
        raise MerError(f"{clip} has no prediction for seed {seed}; every seed must predict the same clips")
    grouped = "subject" in clips.columns
    people = clips["subject"].astype(str) if grouped else clips.index
    clusters = pd.factorize(np.asarray(people, dtype=object), sort=True)[0]
    true = clips["y_true"].map(index).to_numpy(int)
    return Outcomes(tuple(clips.index), true, wide.to_numpy(int), clusters, grouped, len(classes))


def _constant(table: pd.DataFrame, clips: pd.DataFrame) -> None:
    """A clip has one truth and one subject, the same for every seed."""
    for column in ("y_true", "subject"):
        if column not in table.columns:
            continue
        changed = table[column].to_numpy() != clips.loc[table["clip_id"], column].to_numpy()
        if changed.any():
            raise MerError(f"{table['clip_id'][changed].iloc[0]} has another {column} in another seed; mend the table")
