"""A spotter that learns which movements are expressions: the flow spotter's peaks, a classifier instead of its rules.

Where a movement lies and how long it lasts is the flow spotter's affair. What it is beside (blinks, speech, turns)
stands in its traits, of which a logistic regression makes a share; above a threshold it is called an expression.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from mer_tf.errors import MerError
from mer_tf.ranges import Positive
from mer_tf.scoring.intervals import Interval
from mer_tf.video.decide import Found, Scene
from mer_tf.video.signals import Array
from mer_tf.video.spotters import Followed, best_threshold, likeness, scored
from mer_tf.video.traits import traits

LIKE = 0.3
"""Least intersection over union with a true expression of a movement that is learned as one."""
GRID = np.linspace(0.1, 0.9, 17)
UNLIKE = "unlike an expression"


@dataclass(frozen=True, eq=False)
class Verdict:
    """What was learned: of traits (N,) the share is that of their weighted sum."""

    mean: Array
    deviation: Array
    weights: Array
    bias: float
    threshold: float = 0.5

    def share(self, of: NDArray[np.floating]) -> float:
        """How likely traits are those of an expression."""
        total = float(((of - self.mean) / self.deviation) @ self.weights) + self.bias
        return float(1 / (1 + np.exp(-total)))

    def judge(self, one: Found, scene: Scene) -> str:
        """What `decide` asks instead of the rules."""
        return "" if self.share(traits(one, scene)) > self.threshold else UNLIKE


@dataclass
class VerdictSpotter:
    """Learns the verdict alone."""

    strength: Positive = 0.3
    """Of the data against the pull of all weights to 0."""
    verdict: Verdict | None = None
    name: ClassVar = "flow, verdict learned"

    def fit(self, videos: Sequence[Followed]) -> None:
        """Choose the threshold on subjects that are kept out in turn, then learn from all."""
        found: list[list[Interval]] = [[] for _ in GRID]
        for person in sorted({video.subject for video in videos}):
            learned = self._learned([v for v in videos if v.subject != person] or videos)
            for place, threshold in enumerate(GRID):
                self.verdict = replace(learned, threshold=float(threshold))
                found[place] += [i for v in videos if v.subject == person for i in self.spot(v)]
        scores = np.array([scored(videos, some).counts["total"].f1 for some in found])
        self.verdict = replace(self._learned(videos), threshold=best_threshold(GRID, scores))

    def spot(self, video: Followed) -> list[Interval]:
        """Movements whose share is above the threshold."""
        assert self.verdict is not None
        return video.found(self.verdict.judge)

    def _learned(self, videos: Sequence[Followed]) -> Verdict:
        from sklearn.linear_model import LogisticRegression

        known = [pair for video in videos for pair in _examples(video)]
        seen, wanted = np.stack([t for t, _ in known]).astype(float), np.array([w for _, w in known])
        if not 0 < wanted.sum() < len(wanted):
            raise MerError("no movement, or every one, is an expression in these videos; give more or other videos")
        mean, deviation = seen.mean(axis=0), np.maximum(seen.std(axis=0), 1e-3)
        fitted = LogisticRegression(C=self.strength, max_iter=2000).fit((seen - mean) / deviation, wanted)
        return Verdict(mean, deviation, fitted.coef_[0], float(fitted.intercept_[0]))


def _examples(video: Followed) -> Iterator[tuple[NDArray[np.float32], bool]]:
    for piece, scene, found in video.seen:
        for one in found:
            me = video.interval(piece, one.onset, one.offset, one.micro)
            yield traits(one, scene), likeness(video, me) >= LIKE
