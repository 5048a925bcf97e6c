"""What happens in one drawn long video, and when: expressions with their true frames, and what may be taken for one.

Expressions and distractors come from random streams of their own: with fewer distractors, or another amplitude, the
expressions begin and end in the same frames.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mer_tf.synthetic.action_units.table import Combination, drawn_combination, drawn_sides
from mer_tf.synthetic.faces.motion import ease

Array = NDArray[np.float64]
Kind = Literal["micro-expression", "macro-expression"]
DISTRACTORS = ("blink", "talk", "turn", "gaze", "light", "cut", "away")
"""What may be taken for an expression. cut: another framing of the person; away: no face for some seconds."""
EMOTIONS = ("negative", "positive", "surprise")
MICRO, MACRO = (0.2, 0.5), (0.8, 2.5)
"""Shortest and longest expression, seconds."""
MICRO_A_MINUTE, MACRO_A_MINUTE = 9, 2
LARGER = 2.0
"""A macro-expression moves this many times the amplitude."""
GAP = 1.0
"""Least seconds from one expression to the next, to a cut, and to the ends of the video."""
LOWER_FACE = frozenset({10, 12, 14, 15, 17, 20, 25, 26})
"""Action units that nobody can see while the person talks."""
A_MINUTE = {"talk": 2, "turn": 2, "gaze": 6, "light": 2, "cut": 1, "away": 0.5}
LENGTH = {"talk": (2.0, 5.0), "turn": (1.5, 4.0), "gaze": (0.4, 2.0), "light": (0.5, 3.0), "away": (2.0, 4.0)}


@dataclass(frozen=True)
class Span:
    """From one second to another."""

    start: float
    end: float

    def near(self, other: Span, gap: float = 0.0) -> bool:
        """Whether the two overlap, or lie less than `gap` seconds apart."""
        return self.start < other.end + gap and other.start < self.end + gap


@dataclass(frozen=True)
class Expression:
    """One expression with its true times."""

    span: Span
    apex: float
    """Second of the strongest frame."""
    kind: Kind
    emotion: str
    combination: Combination
    sides: tuple[float, float]
    size: float
    """Greatest displacement as a multiple of the amplitude."""

    def strength(self, seconds: Array) -> Array:
        """0 at both ends, 1 at the apex, by half waves of a cosine."""
        rise = (seconds - self.span.start) / (self.apex - self.span.start)
        fall = (self.span.end - seconds) / (self.span.end - self.apex)
        return ease(np.minimum(rise, fall))


@dataclass(frozen=True)
class Plan:
    """One video before it is drawn."""

    seconds: float
    expressions: tuple[Expression, ...]
    spans: dict[str, tuple[Span, ...]]
    """Distractor -> when it happens; of a cut its start alone counts."""


def plan_video(seconds: float, distractors: Sequence[str], empty: bool, key: Sequence[int]) -> Plan:
    """A video of that many seconds; `empty` ones have distractors and no expression. `key` seeds it."""
    spans = dict(_distractors(seconds, key))
    wanted = () if empty else tuple(_expressions(seconds, spans, np.random.default_rng((*key, 0))))
    return Plan(seconds, wanted, {name: found for name, found in spans.items() if name in distractors})


def _distractors(seconds: float, key: Sequence[int]) -> Iterator[tuple[str, tuple[Span, ...]]]:
    """All of them, whatever is wanted: where the expressions lie must not depend on that."""
    breaks = _placed("cut", seconds, np.random.default_rng((*key, 1)), ())
    breaks = (*breaks, *_placed("away", seconds, np.random.default_rng((*key, 2)), breaks))
    yield "cut", breaks[: round(A_MINUTE["cut"] * seconds / 60)]
    yield "away", breaks[round(A_MINUTE["cut"] * seconds / 60) :]
    for number, name in enumerate(("talk", "turn", "gaze", "light"), start=3):
        yield name, _placed(name, seconds, np.random.default_rng((*key, number)), breaks)
    yield "blink", tuple(_blinks(seconds, np.random.default_rng((*key, 7))))


def _placed(name: str, seconds: float, rng: np.random.Generator, taken: Sequence[Span]) -> tuple[Span, ...]:
    """As many spans of a distractor as its rate says, clear of each other and of those taken."""
    found: list[Span] = []
    for _ in range(round(A_MINUTE[name] * seconds / 60)):
        length = float(rng.uniform(*LENGTH.get(name, (0.04, 0.04))))
        if span := _free(seconds, length, (*found, *taken), rng, 100):
            found.append(span)
    return tuple(sorted(found, key=lambda span: span.start))


def _blinks(seconds: float, rng: np.random.Generator) -> Iterator[Span]:
    start = float(rng.uniform(1, 4))
    while start < seconds - 1:
        yield Span(start, start + float(rng.uniform(0.15, 0.35)))
        start += float(rng.uniform(2, 6))


def _expressions(seconds: float, spans: dict[str, tuple[Span, ...]], rng: np.random.Generator) -> Iterator[Expression]:
    """Expressions clear of each other and of cuts; those of the mouth keep out of speech."""
    breaks, found = (*spans["cut"], *spans["away"]), list[Span]()
    counts: tuple[tuple[Kind, tuple[float, float], int], ...] = (
        ("macro-expression", MACRO, MACRO_A_MINUTE),
        ("micro-expression", MICRO, MICRO_A_MINUTE),
    )
    for kind, (short, long), rate in counts:
        for _ in range(max(1, round(rate * seconds / 60))):
            emotion = EMOTIONS[int(rng.integers(len(EMOTIONS)))]
            combination = drawn_combination(emotion, rng)
            avoided = (*breaks, *(spans["talk"] if LOWER_FACE & set(combination.aus) else ()))
            length = float(rng.uniform(short, min(long, seconds / 4)))
            if span := _free(seconds, length, (*avoided, *found), rng, 200):
                found.append(span)
                yield _expression(span, kind, emotion, combination, rng)


def _free(seconds: float, length: float, taken: Sequence[Span], rng: np.random.Generator, tries: int) -> Span | None:
    """A span clear of those taken; None where none was met."""
    for _ in range(tries):
        start = float(rng.uniform(GAP, max(seconds - GAP - length, GAP)))
        span = Span(start, start + length)
        if not any(span.near(other, GAP) for other in taken):
            return span
    return None


def _expression(span: Span, kind: Kind, emotion: str, combination: Combination, rng: np.random.Generator) -> Expression:
    sides = drawn_sides(rng)
    apex = span.start + float(rng.uniform(0.35, 0.65)) * (span.end - span.start)
    size = float(rng.uniform(0.8, 1.2)) * (LARGER if kind == "macro-expression" else 1.0)
    return Expression(span, apex, kind, emotion, combination, sides, size)
