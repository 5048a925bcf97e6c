"""Which windows of which clips are trained on: a plan of plain values that every reader follows.

Windows and mirrored copies follow their source clip, so a plan made from the clips of one side of a fold can never
touch the other side (Bai & Goecke 2020, section 4.2: augmentation inside folds).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mer_tf.config import Clip

NON_MICRO = "non-micro"


@dataclass(frozen=True)
class Window:
    """`frames` consecutive frames of a clip from index `start`, left and right swapped when `mirror`."""

    clip_id: str
    start: int
    mirror: bool


@dataclass(frozen=True)
class LabelledClip:
    """What planning needs to know of a clip."""

    clip_id: str
    n_frames: int
    label: int


def window_starts(n_frames: int, frames: int, stride: int) -> list[int]:
    """Starts of windows, the last one aligned with the clip's end; [0] for a clip not longer than a window."""
    last = max(n_frames - frames, 0)
    starts = list(range(0, last + 1, stride))
    return starts if starts[-1] == last else [*starts, last]


def plan_windows(clips: Sequence[LabelledClip], config: Clip, classes: Sequence[str], seed: int) -> list[Window]:
    """Windows of one epoch, balanced and mirrored as `config` says; a seed gives one order, whatever the clips' order."""
    labels = {c.clip_id: c.label for c in clips}
    return arrange_windows(cut_windows(clips, config, classes), labels, config, len(classes), seed)


def cut_windows(clips: Sequence[LabelledClip], config: Clip, classes: Sequence[str]) -> list[Window]:
    """All windows of the clips, unmirrored, sorted by clip and start."""
    return [
        Window(clip.clip_id, start, False)
        for clip in sorted(clips, key=lambda c: c.clip_id)
        for start in window_starts(
            clip.n_frames, config.frames, config.non_micro_stride if classes[clip.label] == NON_MICRO else config.stride
        )
    ]


def arrange_windows(
    windows: Sequence[Window], labels: Mapping[str, int], config: Clip, classes: int, seed: int
) -> list[Window]:
    """`windows` balanced, mirrored and shuffled; `labels`: clip_id -> class index, below `classes`.

    Balancing repeats windows of the smaller classes, drawn without replacement as often as that goes, until every
    class has as many as the largest.
    """
    rng = np.random.default_rng(seed)
    groups = [[w for w in windows if labels[w.clip_id] == label] for label in range(classes)]
    if config.balance:
        most = max(map(len, groups))
        groups = [_fill(group, most, rng) for group in groups]
    plan = [window for group in groups for window in group]
    if config.mirror:
        plan += [Window(w.clip_id, w.start, True) for w in plan]
    return [plan[i] for i in rng.permutation(len(plan))]


def _fill(group: list[Window], most: int, rng: np.random.Generator) -> list[Window]:
    """`group` repeated whole as often as fits into `most`, the rest drawn without replacement."""
    if not group:
        return []
    rest = rng.choice(len(group), most % len(group), replace=False)
    return group * (most // len(group)) + [group[i] for i in rest]
