"""Key frames: the K frames of a clip that a model is given, chosen by what moves in it.

Xu & Xu (ICMLC 2022) identify key frames before their network and, as far as can be read, do not say how; these are the
usual ways. All are functions of frames (T, H, W) or (T, H, W, 3), or of one vector a frame (T, D), and of where onset,
apex and offset lie among them, counted from 0. Each gives K distinct places in order of time, all of them where a clip
has no more.

How little the rule matters where noise, light and blinks are drawn too: on 95 drawn clips (3 pixels at the apex, K =
10) the largest step of the true motion between neighbours is .217 of its whole way for tim, .208 for peakdiff and .205
for cumdiff; less their smallest value, as noise might be taken off, cumdiff's differences follow the blinks (.247).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from mer_tf.config import MerError
from mer_tf.preprocessing.interpolate import tim_places

KeyFrames = Literal["phases", "cumdiff", "peakdiff", "cluster", "tim"]
Places = NDArray[np.intp]
Values = NDArray[np.float32]
SMOOTHED = 3
"""Frames of the running mean over differences."""
APART = 3
"""Least distance of two peaks, frames."""


def select_keyframes(
    frames: NDArray[np.generic],
    onset: int,
    apex: int | None,
    offset: int,
    wanted: int = 10,
    method: KeyFrames = "cumdiff",
) -> Places:
    """Sorted places of `wanted` key frames between onset and offset, both included.

    phases: onset, apex, offset and the rest evenly between them (five as in Kim et al., ACM MM 2016: onset, rise, apex,
    fall, offset); an unknown apex is the one that peakdiff estimates. cumdiff: at equal steps of the summed difference
    from frame to frame. peakdiff: the onset and the peaks of the difference from it. cluster: nearest to the centres of
    `wanted` clusters of the frames, best of feature vectors. tim: nearest to the places of temporal interpolation.
    Where a rule gives fewer, the widest gaps are halved. `MerError` for places that no clip can have.
    """
    if method not in get_args(KeyFrames):
        raise MerError(f"clip.keyframes={method}: choose one of {', '.join(get_args(KeyFrames))}")
    if not 0 <= onset <= offset < len(frames) or not (apex is None or onset <= apex <= offset) or wanted < 2:
        raise MerError(
            f"key frames: onset {onset}, apex {apex}, offset {offset} of {len(frames)} frames, {wanted} wanted; they "
            "must lie in this order within the clip, and 2 or more must be wanted"
        )
    if offset - onset + 1 <= wanted:
        return np.arange(onset, offset + 1)
    values, peak = _values(frames[onset : offset + 1]), None if apex is None else apex - onset
    chosen = _phases(values, wanted, peak) if method == "phases" else _RULES[method](values, wanted)
    return _filled(chosen, len(values), wanted) + onset


def _values(frames: NDArray[np.generic]) -> Values:
    """One vector a frame; of colours their mean."""
    values = np.asarray(frames, np.float32)
    return (values.mean(axis=-1) if values.ndim == 4 else values).reshape(len(values), -1)


def _from_onset(values: Values) -> Values:
    return np.asarray(np.abs(values - values[0]).mean(axis=1))


def _phases(values: Values, wanted: int, apex: int | None) -> Places:
    last = len(values) - 1
    peak = int(_from_onset(values).argmax()) if apex is None else apex
    rising = (wanted - 2) // 2
    rise, fall = np.linspace(0, peak, rising + 2), np.linspace(peak, last, wanted - rising - 1)
    return np.concatenate([[0, peak, last], rise, fall]).round().astype(np.intp)


def _cumulated(values: Values, wanted: int) -> Places:
    steps = np.abs(np.diff(values, axis=0)).mean(axis=1)
    total = np.concatenate([[0.0], np.cumsum(_smooth(steps))])
    if total[-1] == 0:
        return _even(values, wanted)
    return np.asarray(np.abs(total[:, None] - np.linspace(0, total[-1], wanted)).argmin(axis=0))


def _peaks(values: Values, wanted: int) -> Places:
    """The first frame and the greatest local maxima at least `APART` frames from one another."""
    curve, chosen = _from_onset(values), [0]
    padded = np.concatenate([[-np.inf], curve, [-np.inf]])
    found = np.flatnonzero((curve > padded[:-2]) & (curve >= padded[2:]))
    for place in found[np.argsort(-curve[found], kind="stable")]:
        if len(chosen) < wanted and min(abs(place - other) for other in chosen) >= APART:
            chosen.append(int(place))
    return np.array(chosen)


def _clusters(values: Values, wanted: int) -> Places:
    from sklearn.cluster import KMeans

    count = min(wanted, len(np.unique(values, axis=0)))
    means = KMeans(count, n_init=3, random_state=0).fit(values).cluster_centers_
    return np.asarray(np.linalg.norm(values[:, None] - means, axis=-1).argmin(axis=0))


def _even(values: Values, wanted: int) -> Places:
    return tim_places(len(values), wanted).round().astype(np.intp)


_RULES: dict[str, Callable[[Values, int], Places]] = {
    "cumdiff": _cumulated,
    "peakdiff": _peaks,
    "cluster": _clusters,
    "tim": _even,
}


def _smooth(curve: Values) -> Values:
    """Running mean of `SMOOTHED` values, the outermost repeated."""
    padded = np.pad(curve, SMOOTHED // 2, mode="edge")
    return np.asarray(np.convolve(padded, np.full(SMOOTHED, 1 / SMOOTHED), "valid"))


def _filled(chosen: Places, frames: int, wanted: int) -> Places:
    """`chosen` without repetition, and in the middle of the widest gaps as many more as are wanted."""
    places = sorted({int(place) for place in chosen})
    while len(places) < wanted:
        edges = [-1, *places, frames]
        gaps = np.diff(edges)
        widest = int(gaps.argmax())
        places.insert(widest, edges[widest] + int(gaps[widest]) // 2)
    return np.array(places, np.intp)
