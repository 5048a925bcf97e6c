"""Which clips a look-alike has: published counts of classes and subjects, dealt out and given frame numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from mer_tf.files import facts

AUS = ("4", "4+7", "12", "6+12", "1+2", "1+2+5", "L14", "R10", "15+17", "9")
SMALL_CLIPS, SMALL_SUBJECTS = 2, 3
"""Clips of each class, and subjects, of a small look-alike."""


@dataclass(frozen=True)
class PlannedClip:
    """A clip as its sheet will state it; frame numbers as in the file names, both ends included."""

    subject: str
    name: str
    label: str
    onset: int
    apex: int | None
    offset: int
    aus: str = "4"

    @property
    def frames(self) -> range:
        """Every frame number from onset to offset."""
        return range(self.onset, self.offset + 1)


@dataclass(frozen=True)
class Population:
    """How many clips of which class and subject there are, and what is known about single subjects and clips."""

    classes: Mapping[str, int]
    """Label -> clips."""
    subjects: Mapping[str, int | None]
    """Subject -> clips; None: its even share of the clips the others leave."""
    confined: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Subject -> the only labels it has."""
    shown: Sequence[str] = ()
    """Labels of which every subject that is not confined has at least one."""
    named: Sequence[PlannedClip] = ()
    """Clips that are known by name and are part of the counts."""

    def small(self, subjects: Sequence[str] = ()) -> Population:
        """A few clips of each class over `subjects` (default: the first three)."""
        few = subjects or list(self.subjects)[:SMALL_SUBJECTS]
        named = [clip for clip in self.named if clip.subject in few]
        have = Counter(clip.label for clip in named)
        classes = {label: max(min(n, SMALL_CLIPS), have[label]) for label, n in self.classes.items()}
        return Population(classes, dict.fromkeys(few), named=named)


def published(dataset: str, subjects: Sequence[str], small: bool = False) -> Population:
    """Published counts of a data set: its classes, and the known totals of some of its `subjects`; or a few of them."""
    table = facts("lookalike_counts.csv").query("dataset == @dataset").astype({"clips": int})
    classes, known = (
        dict(zip(rows["name"], rows["clips"].tolist(), strict=True))
        for rows in (table[table["kind"] == kind] for kind in ("class", "subject"))
    )
    whole = Population(classes, {subject: known.get(subject) for subject in subjects})
    return whole.small() if small else whole


def deal(people: Population, rng: np.random.Generator) -> list[tuple[str, str]]:
    """(subject, label) of every clip that is not named, by subject; the sums are those of the population."""
    pool = Counter(people.classes) - Counter(clip.label for clip in people.named)
    room = Counter(_totals(people)) - Counter(clip.subject for clip in people.named)
    pairs: list[tuple[str, str]] = []

    def give(subject: str, labels: Sequence[str]) -> None:
        label = max(labels, key=lambda name: pool[name])
        pool[label] -= 1
        room[subject] -= 1
        pairs.append((subject, label))

    for subject, labels in people.confined.items():
        for _ in range(room[subject]):
            give(subject, labels)
    if people.shown:
        for subject in people.subjects:
            if room[subject]:
                give(subject, people.shown)
    places = list(room.elements())
    labels = rng.permutation(sorted(pool.elements())).tolist()
    order = list(people.subjects)
    return sorted(pairs + list(zip(places, labels, strict=True)), key=lambda pair: order.index(pair[0]))


def _totals(people: Population) -> dict[str, int]:
    """Clips of each subject: those known, and even shares of the rest."""
    unknown = [s for s, n in people.subjects.items() if n is None]
    rest = sum(people.classes.values()) - sum(n or 0 for n in people.subjects.values())
    share, more = divmod(rest, len(unknown)) if unknown else (0, 0)
    shares = {s: share + (i < more) for i, s in enumerate(unknown)}
    return {s: shares[s] if n is None else n for s, n in people.subjects.items()}


def timed(
    subject: str, name: str, label: str, rng: np.random.Generator, *, length: tuple[int, int], first: tuple[int, int]
) -> PlannedClip:
    """A clip whose number of frames and onset lie in the ranges given (both ends included), apex strictly inside."""
    onset = int(rng.integers(first[0], first[1], endpoint=True))
    offset = onset + int(rng.integers(length[0], length[1], endpoint=True)) - 1
    apex = int(rng.integers(onset + 1, offset))
    return PlannedClip(subject, name, label, onset, apex, offset, str(rng.choice(AUS)))


def in_one_video(clips: Sequence[PlannedClip]) -> list[PlannedClip]:
    """The clips of one video, moved so that they follow each other with three frames between them."""
    moved, free = [], clips[0].onset if clips else 0
    for clip in clips:
        by = free - clip.onset
        apex = None if clip.apex is None else clip.apex + by
        moved.append(replace(clip, onset=free, apex=apex, offset=clip.offset + by))
        free = moved[-1].offset + 4
    return moved
