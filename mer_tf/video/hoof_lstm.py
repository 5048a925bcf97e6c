"""A spotter that learns: histograms of oriented motion and an LSTM (after Verburg & Menkovski 2019).

    curves of the regions (T, R, 2), 30 a second --> HOOF of each group of regions (T, 80) --> LSTM both ways 24
    --> probability of an expression in each frame (T, 1) --> runs above a threshold

Verburg's histograms are of pixels and normalised; ours are of the regions of a group and keep lengths: once over a
tenth of a second, once against the base line. Their windows are ours of `window` seconds, in which each frame has an
answer. Numbers of units and seconds are ours.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from mer_tf.models.later import keras, ops
from mer_tf.scoring.intervals import LONGEST_MICRO, Interval
from mer_tf.video.blocks import Piece
from mer_tf.video.comparison import RATE, HoofLstm
from mer_tf.video.decide import FAST, OF
from mer_tf.video.regions import GROUPS
from mer_tf.video.signals import FLOOR, Array, signals
from mer_tf.video.spotters import Followed, best_threshold, scored

GAP, BINS = 0.1, 8
"""Seconds over which motion is taken; directions."""
SHORTEST = 0.1
"""Seconds."""
GRID = np.linspace(0.1, 0.95, 18)


@dataclass
class HoofLstmSpotter:
    """Trains `settings` and spots by it."""

    settings: HoofLstm = field(default_factory=HoofLstm)
    threshold: float = 0.5
    _model: Any = None
    _untrained: list[Any] = field(default_factory=list)
    name: ClassVar = "HOOF + LSTM"

    def fit(self, videos: Sequence[Followed]) -> None:
        """Train on all but one of the subjects, choose the threshold on that one, and train on all."""
        people = sorted({video.subject for video in videos})
        inner = [v for v in videos if v.subject == people[-1]]
        self._train([v for v in videos if v.subject != people[-1]] or videos)
        scores = [self._score(inner, threshold) for threshold in GRID]
        self.threshold = best_threshold(GRID, np.array(scores))
        if len(people) > 1:
            self._train(videos)

    def spot(self, video: Followed) -> list[Interval]:
        """Runs of frames above the threshold."""
        found = []
        for piece in video.pieces:
            likely, rate = self.probabilities(piece, video.fps), video.fps / RATE
            for a, b in _runs(likely > self.threshold):
                if (b - a) / RATE >= SHORTEST:
                    micro = (b - 1 - a) / RATE <= LONGEST_MICRO
                    found.append(video.interval(piece, round(a * rate), round((b - 1) * rate), micro))
        return found

    def probabilities(self, piece: Piece, fps: float) -> NDArray[np.float32]:
        """Of an expression, in each frame at `RATE`."""
        seen = hoof(piece, fps)
        windows, places = _windows(seen, self.settings.steps)
        logits = np.asarray(self._model.predict_on_batch(windows))[..., 0]
        total, count = np.zeros(len(seen)), np.zeros(len(seen))
        for start, one in zip(places, logits, strict=True):
            end = min(start + len(one), len(seen))
            total[start:end] += one[: end - start]
            count[start:end] += 1
        return np.asarray(1 / (1 + np.exp(-total / np.maximum(count, 1))), np.float32)

    def _score(self, videos: Sequence[Followed], threshold: float) -> float:
        self.threshold = threshold
        return scored(videos, [i for video in videos for i in self.spot(video)]).counts["total"].f1

    def _train(self, videos: Sequence[Followed]) -> None:
        config, parts = self.settings, [part for video in videos for part in _examples(video, self.settings.steps)]
        seen, wanted = (np.concatenate([part[i] for part in parts]) for i in (0, 1))
        share = min(max(float(wanted.mean()), 1e-3), 0.5)
        weight = np.where(wanted > 0, np.sqrt((1 - share) / share), 1.0)
        self._begin(seen.shape[-1])
        self._model.fit(
            seen, wanted, sample_weight=weight, epochs=config.epochs, batch_size=config.batch_size, verbose=0
        )

    def _begin(self, features: int) -> None:
        """The network untrained: compiled once, since that takes longer than its training."""
        if self._model is None:
            random.seed(self.settings.seed)  # where Keras' initializers take their seeds from
            self._model = self.settings.build(features)
            optimizer = keras.optimizers.Adam(self.settings.learning_rate)
            optimizer.build(self._model.trainable_variables)
            loss = keras.losses.BinaryCrossentropy(from_logits=True)
            self._model.compile(optimizer=optimizer, loss=loss, jit_compile=False)
            self._untrained = [ops.convert_to_numpy(v) for v in self._variables()]
        for variable, value in zip(self._variables(), self._untrained, strict=True):
            variable.assign(value)

    def _variables(self) -> list[Any]:
        return [*self._model.variables, *self._model.optimizer.variables]


def hoof(piece: Piece, fps: float) -> NDArray[np.float32]:
    """Histograms of each group of regions (T, groups x 2 x BINS) at `RATE`: logarithms of lengths over the floor."""
    length = len(piece.curves.light)
    frames = np.arange(0, max(length - 1, 1) + 1e-9, fps / RATE)
    flat = piece.curves.positions.reshape(length, -1)
    at = np.stack([np.interp(frames, np.arange(length), column) for column in flat.T], axis=-1)
    positions = at.reshape(len(frames), -1, 2)
    gap = max(1, round(GAP * RATE))
    before = positions[np.maximum(np.arange(len(frames)) - gap, 0)]
    moved = (positions - before, signals(positions, RATE, FAST).moves)
    made = [_oriented(motion[:, OF[group]]).sum(axis=1) for motion in moved for group in GROUPS]
    return np.log1p(np.concatenate(made, axis=-1) / FLOOR).astype(np.float32)


def _oriented(motion: Array) -> Array:
    """Lengths of vectors (..., 2), shared by the two nearest of `BINS` directions: (..., BINS)."""
    length = np.linalg.norm(motion, axis=-1)
    turn = np.arctan2(motion[..., 1], motion[..., 0]) * BINS / (2 * np.pi) % BINS
    away = np.abs(turn[..., None] - np.arange(BINS))
    return np.asarray(np.maximum(1 - np.minimum(away, BINS - away), 0) * length[..., None])


def _examples(video: Followed, steps: int) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Windows of each piece, and which of their frames belong to an expression."""
    for piece in video.pieces:
        seen = hoof(piece, video.fps)
        seconds = (np.arange(len(seen)) / RATE) + piece.curves.start / video.fps
        inside = np.zeros(len(seen), np.float32)
        for one in video.true:
            onset, offset = ((frame - video.first) / video.fps for frame in (one.onset, one.offset))
            inside[(seconds >= onset) & (seconds <= offset)] = 1
        windows, _ = _windows(seen, steps)
        wanted, _ = _windows(inside[:, None], steps)
        yield windows, wanted


def _windows(rows: NDArray[np.float32], steps: int) -> tuple[NDArray[np.float32], list[int]]:
    """Windows (N, steps, F), each half over the one before, filled up with the last row; where they begin."""
    places = list(range(0, max(len(rows) - steps, 0) + 1, max(steps // 2, 1)))
    if places[-1] + steps < len(rows):
        places.append(len(rows) - steps)
    padded = np.concatenate([rows, np.repeat(rows[-1:], max(steps - len(rows), 0), axis=0)])
    return np.stack([padded[p : p + steps] for p in places]), places


def _runs(above: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First frame of each run, and the one after its last."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], above, [False]]).astype(int)))
    return [(int(a), int(b)) for a, b in list(pairwise(edges))[::2]]
