"""What a report says of a run, derived from its predictions: scores, their variants, confusions, dangers and words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from mer_tf.evaluation.metrics import class_names, confusion, evaluate
from mer_tf.evaluation.variants import metric_variants, per_subject
from mer_tf.reporting.run_files import Run, in_number_order

BASELINE = "onset frame only"
PATHS = ("out", "data.cache", "data.root", "data.sheet", "data.manifests")
"""Settings that say where files lie, not what was done."""
SIGNIFICANT = 0.05


@dataclass(frozen=True)
class Analysis:
    """A finished run and what follows from its predictions. Derived values are computed once, when first asked for."""

    run: Run
    label: str
    frame: pd.DataFrame

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """`evaluation.metrics.evaluate` of the run, with its own numbers of draws."""
        return evaluate(self.frame, **self._draws)

    @cached_property
    def baseline(self) -> dict[str, Any] | None:
        """The same for the onset frame alone; None where the run kept no such predictions."""
        return None if self.run.baseline is None else evaluate(self.run.baseline, **self._draws)

    @cached_property
    def variants(self) -> pd.DataFrame:
        return metric_variants(self.frame)

    @cached_property
    def subjects(self) -> pd.DataFrame:
        """Columns subject, dataset, n, accuracy, UAR, most_confused; best first. Empty where no subject is named."""
        if "subject" not in self.frame.columns:
            return pd.DataFrame()
        return per_subject(self.frame).sort_values(["accuracy", "subject"], ascending=[False, True], kind="stable")

    @property
    def classes(self) -> list[str]:
        return class_names(self.frame)

    @property
    def _draws(self) -> dict[str, int]:
        return {k: int(self.run.settings[f"evaluation.{k}"]) for k in ("bootstrap", "permutations")}

    def pooled_confusion(self) -> np.ndarray:
        """Counts (classes, classes) over all folds and seeds: row = true class."""
        return confusion(self.frame, self.classes)

    def fold_confusions(self) -> list[tuple[str, np.ndarray]]:
        """Title and counts of each fold of each seed; nothing where the predictions name no fold."""
        if "fold" not in self.frame.columns:
            return []
        seeds = self.frame.get("seed", pd.Series("", index=self.frame.index))
        found = []
        for seed in in_number_order(seeds):
            held = self.frame[seeds == seed]
            said = f", seed {seed}" if seeds.nunique() > 1 else ""
            for fold in in_number_order(held["fold"]):
                found.append((f"Fold {fold}{said}", confusion(held[held["fold"] == fold], self.classes)))
        return found

    def sentence(self) -> str:
        """One or two sentences: what was reached, against what, and whether chance explains it."""
        metrics, p = self.metrics, self.metrics["permutation_p_UAR"]
        uar, (low, high) = metrics["UAR"]["pooled"], metrics["UAR"]["ci95"]
        people = f" of {metrics['subjects']} subjects" if metrics["subjects"] else ""
        verdict = "better than chance" if p < SIGNIFICANT else "not distinguishable from chance"
        said = (
            f"On {metrics['n']} clips{people}, {self.label} reaches a UAR of {uar:.1%} (95 % interval {100 * low:.1f} "
            f"to {100 * high:.1f}) where chance is {metrics['chance_UAR']:.1%}: {verdict} (p = {p:.4f})."
        )
        if self.baseline:
            said += f" A classifier that sees the {BASELINE} reaches {self.baseline['UAR']['pooled']:.1%}."
        return said


def analyse(runs: Sequence[Run]) -> list[Analysis]:
    """The finished ones of `runs`, in order, each with a label that tells it apart from the others."""
    labels = run_labels(runs)
    return [Analysis(r, name, r.predictions) for r, name in zip(runs, labels, strict=True) if r.predictions is not None]


def run_labels(runs: Sequence[Run]) -> list[str]:
    """Name of the experiment; what differs from the first run of that name is added, as ", data.amplitude 0"."""
    first: dict[str, Run] = {}
    labels: list[str] = []
    for run in runs:
        known = first.setdefault(run.name, run)
        label = ", ".join([run.name, *as_words(differences(known.settings, run.settings))])
        again = sum(1 for other in labels if other == label or other.startswith(f"{label} ("))
        labels.append(f"{label} ({again + 1})" if again else label)
    return labels


def differences(base: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Settings of `other`, by dotted name, that `base` has with another value and that change what is done."""
    return {
        k: v for k, v in other.items() if k in base and k not in (*PATHS, "published") and _plain(base[k]) != _plain(v)
    }


def as_words(changes: dict[str, Any]) -> list[str]:
    """Settings as they stand on a command line, without dashes: ["data.amplitude 0"]."""
    return [f"{name} {_text(value)}".strip() for name, value in changes.items()]


def _plain(value: Any) -> Any:
    """Tuples as lists, as JSON has them."""
    return [_plain(v) for v in value] if isinstance(value, (list, tuple)) else value


def _text(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return " ".join(map(_text, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
