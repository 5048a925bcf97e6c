"""Which peaks are expressions, and what the others are: rules for each group of regions, each with its cause.

A rule belongs to a group, so that a movement of the brows is found although the person speaks. Constants were set on
drawn videos; what each rule is worth is measured by leaving it out (`without`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial

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
STAYS = 0.7
"""Share of its size by which a face that does not come back differs after a movement from before."""
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
    slow: Signals
    blinks: Sequence[Peak]
    syllables: Sequence[int]
    """Frames at which the jaw is at an extreme."""
    cut: bool

    @property
    def fps(self) -> float:
        """Frames a second."""
        return self.fast.fps

    @property
    def noise(self) -> float:
        """Median over the regions, pixels."""
        return float(np.median(np.delete(self.fast.noise, OF["lid"])))


Judge = Callable[[Found, Scene], str]
"""Why a movement is no expression; "" where it is one."""


def decide(
    curves: Curves, fps: float, *, cut: bool = False, without: Collection[str] = (), judge: Judge | None = None
) -> tuple[list[Found], float]:
    """Movements of one piece of a track in the order of time, and its noise (median over the regions, pixels).

    cut: the piece ends with a cut. without: causes whose rules are left out. judge: what stands for all rules.
    """
    scene = scene_of(curves, fps, cut)
    if scene is None:
        return [], 0.0
    return judged(movements(scene), scene, judge or partial(by_rules, without=without)), scene.noise


def scene_of(curves: Curves, fps: float, cut: bool = False) -> Scene | None:
    """What the rules look at; None for a piece of less than half a second."""
    positions = curves.positions.astype(float)
    if len(positions) < max(8, round(0.5 * fps)):
        return None
    fast, slow = signals(positions, fps, FAST), signals(positions, fps, SLOW, np.full(len(NAMES), SLOW_FLOOR))
    jaw = [p.apex for p in peaks(_only(fast, JAW), JAW, 3.5)]
    return Scene(curves, fast, slow, _blinks(fast), sorted(jaw), cut)


def movements(scene: Scene) -> list[Found]:
    """All that is worth a line, group by group, before it is judged."""
    return [one for group in GROUPS for one in _of_group(group, scene)]


def judged(found: Sequence[Found], scene: Scene, judge: Judge) -> list[Found]:
    """The same with their causes, in the order of time, those that overlap as one."""
    made = [replace(one, cause=judge(one, scene)) for one in found]
    if scene.noise > TOO_NOISY:
        made = [replace(one, cause=one.cause or "noise too high") for one in made]
    return _merged(made)


def _only(whole: Signals, regions: Array) -> Signals:
    """The vertical motion of some regions, the rest still."""
    moves = np.zeros_like(whole.moves)
    moves[:, regions, 1] = whole.moves[:, regions, 1]
    return Signals(whole.fps, moves, whole.noise)


def _blinks(fast: Signals) -> list[Peak]:
    """Both lids go far at once."""
    lids = fast.sizes[:, OF["lid"]].min(axis=1)
    return [p for p in peaks(fast, OF["lid"], CLEAR) if lids[p.apex] > 0.5 * p.size and p.size > 0.6]


def _of_group(group: str, scene: Scene) -> list[Found]:
    """Fast peaks, and slow ones of which no fast one is a better account."""
    regions, fps = OF[group], scene.fps
    long = [p for p in peaks(scene.slow, regions, SLOW_CLEAR) if (p.right - p.left) * 1.75 > LONGEST_MICRO * fps]
    made = [_found(p, group, scene, scene.slow) for p in long]
    for peak in peaks(scene.fast, regions, FAINT):
        one = _found(peak, group, scene, scene.fast)
        if not any(m.onset <= one.apex <= m.offset for m in made):
            made.append(one)
    return made


def _found(peak: Peak, group: str, scene: Scene, of: Signals) -> Found:
    onset, offset = peak.span(len(of.moves) - 1)
    scores = of.scores[peak.apex]
    moving = [i for i in np.argsort(-scores) if scores[i] >= max(3.0, 0.5 * peak.score)]
    units = suggested_units(of.moves[peak.apex] * (scores >= 2.5)[:, None])
    names = tuple(NAMES[i] for i in moving if REGIONS[NAMES[i]][0] == group)
    micro = (offset - onset) / scene.fps <= LONGEST_MICRO
    return Found(onset, peak.apex, offset, (group,), names, tuple(units), peak.size, peak.score, micro)


Rule = Callable[[Found, str, Scene], bool]


def by_rules(one: Found, scene: Scene, without: Collection[str] = ()) -> str:
    """The first rule that holds."""
    if one.score < CLEAR:
        return "below the noise"
    group = one.groups[0]
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
    """The lids move; brows and cheeks go along half as far at most, and where that is little, two thirds as far.

    How far the lids are seen to move hangs on the face: .7 to 2.4 pixels on drawn ones.
    """
    if group == "lid":
        return any(b.left - 2 <= one.offset and one.onset <= b.right + 2 for b in scene.blinks)
    lids = scene.fast.sizes[max(0, one.onset - 2) : one.offset + 3, OF["lid"]].max()
    further = 1.5 if one.size < 0.8 else 2.0
    return group in ("brow", "cheek") and bool(lids > max(0.5, further * one.size))


def _gaze(one: Found, group: str, scene: Scene) -> bool:
    """Nothing but the eyes moves."""
    return group == "lid"


def _short(one: Found, group: str, scene: Scene) -> bool:
    return one.offset - one.onset < 3


def _at_the_edge(one: Found, group: str, scene: Scene) -> bool:
    return scene.cut and one.offset >= len(scene.curves.light) - 2


def _large(one: Found, group: str, scene: Scene) -> bool:
    return one.size > TOO_LARGE or (one.offset - one.onset) / scene.fps > LONGEST


def _stays(one: Found, group: str, scene: Scene) -> bool:
    """The face does not come back: the beginning of a longer movement, which the running base line cuts short."""
    if not one.micro or not one.regions:
        return False
    reach, place = max(2, round(0.2 * scene.fps)), NAMES.index(one.regions[0])
    course, way = scene.curves.positions[:, place], scene.fast.moves[one.apex, place]
    before, after = course[max(0, one.onset - reach) : one.onset + 1], course[one.offset : one.offset + reach + 1]
    left = np.median(after, axis=0) - np.median(before, axis=0)
    return bool(left @ way > STAYS * one.size**2)


RULES: dict[str, Rule] = {
    "cut": _at_the_edge,
    "too large": _large,
    "blink": _blink,
    "gaze": _gaze,
    "talk": _talk,
    "head turn": _turn,
    "light": _light,
    "stays": _stays,
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
