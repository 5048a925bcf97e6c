"""From positions of regions to what stands out of them: base line, noise, peaks and their widths."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, median_filter
from scipy.signal import find_peaks

Array = NDArray[np.float64]
FLOOR = 0.075
"""Least noise of a region, pixels: below it nothing can be known."""
SMOOTH = 0.02
"""Seconds, standard deviation of the low-pass filter."""
WIDER = 1.75
"""Length of an expression in widths at half of its peak."""


@dataclass(frozen=True, eq=False)
class Signals:
    """How the regions of one piece of a track move about their base line."""

    fps: float
    moves: Array
    """(T, R, 2), pixels."""
    noise: Array
    """(R,), pixels."""

    @property
    def sizes(self) -> Array:
        """Displacement of each region (T, R), in pixels."""
        return np.asarray(np.linalg.norm(self.moves, axis=-1))

    @property
    def scores(self) -> Array:
        """Displacement of each region (T, R), in units of its noise."""
        return np.asarray(self.sizes / np.maximum(self.noise, FLOOR))


@dataclass(frozen=True)
class Peak:
    """A rise and fall of one region."""

    region: int
    apex: int
    left: float
    right: float
    """Where the curve passes half of the peak."""
    score: float
    size: float

    def span(self, last: int) -> tuple[int, int]:
        """Frames of onset and offset."""
        middle, half = (self.left + self.right) / 2, (self.right - self.left) / 2 * WIDER
        return max(0, round(middle - half)), min(last, round(middle + half))


def signals(positions: Array, fps: float, window: float, floor: Array | None = None) -> Signals:
    """Positions (T, R, 2) without their running median over `window` seconds, smoothed, and their noise."""
    sigma = SMOOTH * fps
    low = gaussian_filter1d(positions, sigma, axis=0, mode="nearest") if sigma > 0.3 else positions
    moves = low - _running_median(low, fps, window)
    spread = 1.4826 * np.median(np.abs(moves), axis=(0, 2))
    return Signals(fps, moves, spread if floor is None else np.maximum(spread, floor))


def _running_median(curves: Array, fps: float, window: float) -> Array:
    """At about 15 samples a second: a median of more would give the same and take much longer."""
    every = max(1, int(fps // 15))
    few = curves[::every]
    size = max(3, 2 * round(window * fps / every / 2) + 1)
    base = median_filter(few, size=(size, 1, 1), mode="nearest")
    at, places = np.arange(len(curves)), np.arange(len(few)) * every
    flat = base.reshape(len(few), -1)
    full = np.stack([np.interp(at, places, column) for column in flat.T], axis=-1)
    return full.reshape(curves.shape)


def peaks(found: Signals, regions: NDArray[np.int64], least: float) -> list[Peak]:
    """Peaks of the greatest score among `regions`, at least `least` noises high, the highest first."""
    scores = found.scores[:, regions]
    best = scores.max(axis=1)
    places, _ = find_peaks(np.concatenate([[0], best, [0]]), height=least, distance=max(1, round(0.1 * found.fps)))
    made: list[Peak] = []
    for apex in sorted(places - 1, key=lambda place: -best[place]):
        region = int(regions[scores[apex].argmax()])
        one = _peak(found, region, int(apex))
        if not any(p.left <= one.apex <= p.right or one.left <= p.apex <= one.right for p in made):
            made.append(one)
    return made


def _peak(found: Signals, region: int, apex: int) -> Peak:
    """Its width at half height, by the motion along the direction at the apex."""
    way = found.moves[apex, region]
    size = float(np.linalg.norm(way))
    course = found.moves[:, region] @ (way / max(size, 1e-9))
    left, right = (_crossing(course, apex, step, size / 2) for step in (-1, 1))
    return Peak(region, apex, left, right, float(found.scores[apex, region]), size)


def _crossing(course: Array, apex: int, step: int, level: float) -> float:
    """Where the course first falls below a level, between frames."""
    place = apex
    while 0 <= place + step < len(course) and course[place + step] > level:
        place += step
    after = place + step
    if not 0 <= after < len(course):
        return float(place)
    high, low = course[place], course[after]
    return place + step * float((high - level) / max(high - low, 1e-9))
