"""Which windows of which clips are trained on: a plan of plain values that every reader follows.

Windows and mirrored copies follow their source clip, so a plan made from the clips of one side of a fold can never
touch the other side (Bai & Goecke 2020, section 4.2: augmentation inside folds).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mer_tf.config import Clip
from mer_tf.preprocessing.segments import segment_starts

NON_MICRO = "non-micro"
V2_STEPS = range(2, 7)
"""Frame steps of scheme v2 beside 1."""


@dataclass(frozen=True)
class Window:
    """Every `step`-th frame of a clip from index `start`, of its copy 0 (as stored), 1 (mirrored) or k (turned).

    Places before the clip's first frame (`start` below 0) show the first frame, places after the last frame the last.
    """

    clip_id: str
    start: int
    copy: int = 0
    step: int = 1


def window_starts(n_frames: int, frames: int, stride: int) -> list[int]:
    """Starts of windows, the last one aligned with the clip's end; [0] for a clip not longer than a window."""
    return segment_starts(n_frames, frames, "sliding", stride) if n_frames > frames else [0]


def clip_starts(n_frames: int, config: Clip, stride: int) -> list[int]:
    """Starts of the windows of a clip as `config.segments` says."""
    if config.segments == "stride":
        return window_starts(n_frames, config.frames, stride)
    return segment_starts(n_frames, config.frames, config.segments, stride)


def plan_windows(
    labels: Mapping[str, int], length: Callable[[str], int], config: Clip, classes: Sequence[str], seed: int
) -> list[Window]:
    """Windows of one epoch, balanced and copied as `config` says; the order follows from the seed alone.

    labels: clip_id -> class index; length: frames of a clip.
    """
    return arrange_windows(cut_windows(labels, length, config, classes), labels, config, len(classes), seed)


def cut_windows(
    labels: Mapping[str, int], length: Callable[[str], int], config: Clip, classes: Sequence[str]
) -> list[Window]:
    """All windows of the clips as stored, sorted by clip and start."""
    windows = []
    for clip_id, label in sorted(labels.items()):
        stride = config.non_micro_stride if classes[label] == NON_MICRO else config.stride
        frames = length(clip_id)
        starts = clip_starts(frames, config, stride)
        windows += [Window(clip_id, start) for start in starts]
        if config.scheme == "v2":
            spread = [(i, s) for i in starts for s in V2_STEPS if frames - i >= config.frames * s]
            windows += [Window(clip_id, start, step=step) for start, step in spread]
    return windows


def arrange_windows(
    windows: Sequence[Window], labels: Mapping[str, int], config: Clip, classes: int, seed: int
) -> list[Window]:
    """`windows` balanced, copied and shuffled; `labels`: clip_id -> class index, below `classes`.

    Balancing repeats windows of the smaller classes, drawn without replacement as often as that goes, until every
    class has as many as the largest.
    """
    rng = np.random.default_rng(seed)
    groups = [[w for w in windows if labels[w.clip_id] == label] for label in range(classes)]
    if config.balance:
        most = max(map(len, groups))
        groups = [_fill(group, most, rng) for group in groups]
    plan = [window for group in groups for window in group]
    if config.multiply:
        plan = [replace(w, copy=k) for w in plan for k in range(config.multiply[labels[w.clip_id]])]
    elif config.mirror or config.mirrored_only:
        plan = [*([] if config.mirrored_only else plan), *(replace(w, copy=1) for w in plan)]
    return [plan[i] for i in rng.permutation(len(plan))]


def _fill(group: list[Window], most: int, rng: np.random.Generator) -> list[Window]:
    """`group` repeated whole as often as fits into `most`, the rest drawn without replacement."""
    if not group:
        return []
    rest = rng.choice(len(group), most % len(group), replace=False)
    return group * (most // len(group)) + [group[i] for i in rest]
