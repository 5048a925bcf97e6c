"""Which peaks are expressions, and what the others are: rules for each group of regions, each with its cause.

A rule belongs to a group, so that a movement of the brows is found although the person speaks. Constants were set on
drawn videos; what each rule is worth is measured by leaving it out (`without`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mer_tf.video.regions import GROUPS, NAMES, REGIONS, suggested_units
from mer_tf.video.signals import Array, Peak, Signals, peaks, signals
from mer_tf.video.track import Curves

FAST, SLOW = 1.5, 8.0
"""Seconds of the base line, for micro- and for macro-expressions."""
CLEAR, FAINT, SLOW_CLEAR = 4.5, 3.5, 6.0
"""In noises: what is an event, what is worth a line as "below the noise", what is a macro-expression."""
SLOW_FLOOR = 0.15
LONGEST_MICRO, LONGEST = 0.5, 5.0
"""Seconds."""
TOO_NOISY = 0.25
"""Median noise of the regions, pixels, above which nothing is called an expression."""
TOO_LARGE = 9.0
"""Pixels."""
OF = {group: np.array([i for i, name in enumerate(NAMES) if REGIONS[name][0] == group]) for group in GROUPS}
JAW = np.array([NAMES.index("lip_lower"), NAMES.index("chin")])


@dataclass(frozen=True)
class Found:
    """A movement: when, where, how much, and why it is no expression."""

    onset: int
    apex: int
    offset: int
    """Frames of the piece."""
    groups: tuple[str, ...]
    regions: tuple[str, ...]
    units: tuple[int, ...]
    size: float
    score: float
    micro: bool
    cause: str = ""


@dataclass(frozen=True, eq=False)
class Scene:
    """What the rules look at."""

    curves: Curves
    fast: Signals
    blinks: Sequence[Peak]
    syllables: Sequence[int]
    """Frames at which the jaw is at an extreme."""
    cut: bool

    @property
    def fps(self) -> float:
        """Frames a second."""
        return self.fast.fps


def decide(
    curves: Curves, fps: float, *, cut: bool = False, without: Collection[str] = ()
) -> tuple[list[Found], float]:
    """Movements of one piece of a track in the order of time, and its noise (median over the regions, pixels).

    cut: the piece ends with a cut. without: causes whose rules are left out.
    """
    positions = curves.positions.astype(float)
    if len(positions) < max(8, round(0.5 * fps)):
        return [], 0.0
    fast, slow = signals(positions, fps, FAST), signals(positions, fps, SLOW, np.full(len(NAMES), SLOW_FLOOR))
    noise = float(np.median(fast.noise[~np.isin(np.arange(len(NAMES)), OF["lid"])]))
    jaw = [p.apex for p in peaks(_only(fast, JAW), JAW, 3.5)]
    scene = Scene(curves, fast, _blinks(fast), sorted(jaw), cut)
    found = [one for group in GROUPS for one in _of_group(group, scene, slow, without)]
    if noise > TOO_NOISY:
        found = [replace(one, cause=one.cause or "noise too high") for one in found]
    return _merged(found), noise


def _only(whole: Signals, regions: Array) -> Signals:
    """The vertical motion of some regions, the rest still."""
    moves = np.zeros_like(whole.moves)
    moves[:, regions, 1] = whole.moves[:, regions, 1]
    return Signals(whole.fps, moves, whole.noise)


def _blinks(fast: Signals) -> list[Peak]:
    """Both lids go far at once."""
    lids = fast.sizes[:, OF["lid"]].min(axis=1)
    return [p for p in peaks(fast, OF["lid"], CLEAR) if lids[p.apex] > 0.5 * p.size and p.size > 0.6]


def _of_group(group: str, scene: Scene, slow: Signals, without: Collection[str]) -> list[Found]:
    """Fast peaks, and slow ones of which no fast one is a better account."""
    regions, fps = OF[group], scene.fps
    long = [p for p in peaks(slow, regions, SLOW_CLEAR) if (p.right - p.left) * 1.75 > LONGEST_MICRO * fps]
    made = [_found(p, group, scene, slow) for p in long]
    for peak in peaks(scene.fast, regions, FAINT):
        one = _found(peak, group, scene, scene.fast)
        if not any(m.onset <= one.apex <= m.offset for m in made):
            made.append(one)
    return [replace(one, cause=_cause(one, group, scene, without)) for one in made]


def _found(peak: Peak, group: str, scene: Scene, of: Signals) -> Found:
    onset, offset = peak.span(len(of.moves) - 1)
    scores = of.scores[peak.apex]
    moving = [i for i in np.argsort(-scores) if scores[i] >= max(3.0, 0.5 * peak.score)]
    units = suggested_units(of.moves[peak.apex] * (scores >= 2.5)[:, None])
    names = tuple(NAMES[i] for i in moving if REGIONS[NAMES[i]][0] == group)
    micro = (offset - onset) / scene.fps <= LONGEST_MICRO
    return Found(onset, peak.apex, offset, (group,), names, tuple(units), peak.size, peak.score, micro)


Rule = Callable[[Found, str, Scene], bool]


def _cause(one: Found, group: str, scene: Scene, without: Collection[str]) -> str:
    """The first rule that holds; "" for an expression."""
    if one.score < CLEAR:
        return "below the noise"
    return next((name for name, rule in RULES.items() if name not in without and rule(one, group, scene)), "")


def _light(one: Found, group: str, scene: Scene) -> bool:
    """The face brightens or darkens at once, and moves by little."""
    lit = scene.curves.light[max(0, one.onset - 1) : one.offset + 2]
    return one.size < 1.0 and float(np.ptp(lit)) > 0.04 * float(lit.mean())


def _turn(one: Found, group: str, scene: Scene) -> bool:
    """The head moves several times further than the region; a raised brow spreads a little into the head's motion."""
    reach = round(0.1 * scene.fps)
    head = scene.curves.head[max(0, one.onset - reach) : one.offset + reach + 1] * 96
    return float(np.linalg.norm(np.ptp(head, axis=0))) > max(1.5, 2.5 * one.size)


def _talk(one: Found, group: str, scene: Scene) -> bool:
    """The jaw moves again and again."""
    if group not in ("mouth", "cheek", "nose"):
        return False
    reach = round(1.0 * scene.fps)
    near = [t for t in scene.syllables if one.onset - reach <= t <= one.offset + reach]
    return len([t for t in near if not one.onset <= t <= one.offset]) >= 2


def _blink(one: Found, group: str, scene: Scene) -> bool:
    """The lids move; brows and cheeks go along by less than a pixel and by less than half as far."""
    if group == "lid":
        return any(b.left - 2 <= one.offset and one.onset <= b.right + 2 for b in scene.blinks)
    lids = scene.fast.sizes[max(0, one.onset - 2) : one.offset + 3, OF["lid"]].max()
    return group in ("brow", "cheek") and one.size < 0.8 and bool(lids > max(1.0, 2 * one.size))


def _gaze(one: Found, group: str, scene: Scene) -> bool:
    """Nothing but the eyes moves."""
    return group == "lid"


def _short(one: Found, group: str, scene: Scene) -> bool:
    return one.offset - one.onset < 3


def _at_the_edge(one: Found, group: str, scene: Scene) -> bool:
    return scene.cut and one.offset >= len(scene.curves.light) - 2


def _large(one: Found, group: str, scene: Scene) -> bool:
    return one.size > TOO_LARGE or (one.offset - one.onset) / scene.fps > LONGEST


RULES: dict[str, Rule] = {
    "cut": _at_the_edge,
    "too large": _large,
    "blink": _blink,
    "gaze": _gaze,
    "talk": _talk,
    "head turn": _turn,
    "light": _light,
    "too short for this frame rate": _short,
}
"""Cause -> when it holds; asked in this order."""


def _merged(found: Sequence[Found]) -> list[Found]:
    """Movements that overlap become one: the strongest says when, and an expression goes before what is rejected."""
    kept: list[Found] = []
    for one in sorted(found, key=lambda f: (f.cause != "", -f.score)):
        place = next((i for i, k in enumerate(kept) if one.onset <= k.offset and k.onset <= one.offset), None)
        if place is None:
            kept.append(one)
        elif not one.cause and not kept[place].cause:
            strong = kept[place]
            groups, regions = (
                tuple(dict.fromkeys((*a, *b))) for a, b in ((strong.groups, one.groups), (strong.regions, one.regions))
            )
            kept[place] = replace(strong, groups=groups, regions=regions)
    return sorted(kept, key=lambda f: f.onset)
