"""What every spotter is: it may learn from videos whose expressions are known, and gives the intervals of another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Protocol

from mer_tf.scoring.intervals import Interval, Spotting, score_spotting
from mer_tf.video.blocks import Piece
from mer_tf.video.decide import Found, Judge, Scene, by_rules, judged, movements, scene_of
from mer_tf.video.signals import Array


@dataclass(frozen=True, eq=False)
class Followed:
    """A video that was read to its end: the curves of everybody in it, and its expressions where they are known."""

    name: str
    """As the manifest has it."""
    subject: str
    fps: float
    pieces: Sequence[Piece]
    true: Sequence[Interval]
    first: int = 0
    """Number of the first frame, as the true intervals count."""

    @cached_property
    def seen(self) -> list[tuple[Piece, Scene, list[Found]]]:
        """Of each piece that is long enough, what the rules look at and its movements before they are judged."""
        scenes = [(p, scene_of(p.curves, self.fps, p.broken)) for p in self.pieces]
        return [(piece, scene, movements(scene)) for piece, scene in scenes if scene is not None]

    def found(self, judge: Judge) -> list[Interval]:
        """The movements that `judge` calls expressions."""
        return [
            self.interval(piece, one.onset, one.offset, one.micro)
            for piece, scene, all_found in self.seen
            for one in judged(all_found, scene, judge)
            if not one.cause
        ]

    def interval(self, piece: Piece, onset: int, offset: int, micro: bool) -> Interval:
        """Frames of a piece as those of the video."""
        start = piece.curves.start + self.first
        return Interval(self.name, onset + start, offset + start, "micro" if micro else "macro")


class Spotter(Protocol):
    """One way to spot."""

    name: ClassVar[str]

    def fit(self, videos: Sequence[Followed]) -> None:
        """Learn from videos of other people; thresholds too."""

    def spot(self, video: Followed) -> list[Interval]:
        """What is found in a video."""


class FlowSpotter:
    """The rules of `decide`, which learn nothing."""

    name: ClassVar = "flow"

    def fit(self, videos: Sequence[Followed]) -> None:
        """Nothing."""

    def spot(self, video: Followed) -> list[Interval]:
        """What no rule rejects."""
        return video.found(by_rules)


def scored(videos: Sequence[Followed], found: Sequence[Interval]) -> Spotting:
    """What was found in videos, pooled over all of them."""
    return score_spotting([one for video in videos for one in video.true], found)


def likeness(video: Followed, found: Interval) -> float:
    """The greatest intersection over union with a true expression."""
    return max((found.iou(one) for one in video.true), default=0.0)


def best_threshold(grid: Array, score_at: Array) -> float:
    """Of the thresholds with the best score the middle one: a lone peak says little."""
    best = grid[score_at >= score_at.max() - 1e-9]
    return float(best[len(best) // 2])
