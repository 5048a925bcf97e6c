"""One face through a video: a crop that follows it, and the motion of its regions against anchor frames.

A new anchor frame is taken every `STEP` seconds and serves for two steps, so that every frame is seen from two anchors
and the positions of neighbouring windows can be joined where they overlap. The crop follows the head by the flow
itself: its map changes only when the head has moved by half a pixel, since a map a frame from noisy landmarks would
move a still face.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mer_tf.preprocessing.faces import Matrix, warp
from mer_tf.preprocessing.frames import Frame
from mer_tf.video.regions import NAMES, SIDE, Layout, crop_matrix, scale_of

STEP = 0.6
"""Seconds from one anchor to the next."""
FOLLOWS_FROM = 0.5
"""Crop pixels by which the head moves before the crop does."""
ALIKE = 0.6
"""Least correlation of a face with itself one frame before: below it the crop has slipped off the face."""
Array = NDArray[np.float64]
BESIDE = ThreadPoolExecutor(1)
"""Sees a frame from the younger of two anchors, while the caller sees it from the older one."""


@dataclass
class _Window:
    """One anchor and what was seen from it."""

    anchor: Frame
    start: int
    """Frame of the track's present block."""
    moves: list[Array] = field(default_factory=list)
    offset: Array | None = None
    """Position of the regions in the anchor; known once the window before it is closed."""
    solver: Any = field(default_factory=lambda: _solver())

    def see(self, crop: Frame, layout: Layout) -> Array:
        """Keep the motion of the regions; return the head's."""
        flow = self.solver.calc(self.anchor, crop, None)
        moves, head = layout.split(flow)
        self.moves.append(moves)
        return head


@dataclass(frozen=True, eq=False)
class Curves:
    """What one track shows in one block of frames, T of them from frame `start` of the video on."""

    start: int
    positions: NDArray[np.float32]
    """(T, R, 2), pixels on a face 96 pixels wide, against where the track began."""
    head: NDArray[np.float32]
    """(T, 2): middle of the face, in its widths."""
    light: NDArray[np.float32]
    """(T,): mean grey level of the face."""
    tilt: NDArray[np.float32]
    """(T,): roll of the head, radians."""


class Track:
    """The state of one face; `step` takes frame after frame."""

    def __init__(self, number: int, five: Array, *, fps: float, matrix: Matrix | None = None) -> None:
        self.number, self.fps = number, fps
        self.five = five
        self.matrix = crop_matrix(five) if matrix is None else matrix
        self.layout = Layout.of(five, crop_matrix(five))
        self.sightings, self.missed = 1, 0
        self.last = np.zeros((len(NAMES), 2))
        self.lost = ""
        self._before: Frame | None = None
        self._windows: list[_Window] = []
        self._restart()

    @property
    def box(self) -> Array:
        """x, y, width and height of the crop in the frame."""
        inner = np.linalg.inv(self.matrix[:, :2])
        corners = (np.array([[0, 0], [SIDE, 0], [0, SIDE], [SIDE, SIDE]]) - self.matrix[:, 2]) @ inner.T
        low, high = corners.min(0), corners.max(0)
        return np.array([*low, *(high - low)])

    @property
    def frames(self) -> int:
        """Frames of the present block."""
        return len(self._light)

    def step(self, grey: Frame) -> None:
        """Follow the face into the next frame; `lost` says why it could not."""
        crop = warp(grey, self.matrix, SIDE)
        if self._before is not None and _correlation(crop, self._before) < ALIKE:
            self.lost = "slipped"
            return
        self._before = crop
        self._anchor(crop)
        later = [BESIDE.submit(window.see, crop, self.layout) for window in self._windows[1:]]
        head = self._windows[0].see(crop, self.layout)
        for one in later:
            one.result()
        inner = np.linalg.inv(self.matrix[:, :2])
        middle = inner @ (np.array([SIDE / 2, SIDE / 2]) + head[2] - self.matrix[:, 2])
        scale = scale_of(self.matrix)
        self._middle.append(middle * scale / 96)
        self._tilt.append(float(np.arctan2(self.matrix[0, 1], self.matrix[0, 0])))
        self._light.append(float(crop[:, 24:104].mean()))
        self._follow(head)

    def prime(self, grey: Frame) -> None:
        """Take the last frame of a finished block as the anchor of the next one."""
        self._before = warp(grey, self.matrix, SIDE)
        self._windows = [_Window(self._before, 0, offset=self.last)]

    def close_block(self, start: int) -> Curves:
        """What was seen since the last call; `start`: frame of the video at which that began."""
        while self._windows:
            self._close_oldest()
        count = np.maximum(self._count, 1)[:, None, None]
        positions = self._sum / count
        if self.frames:
            self.last = positions[self.frames - 1]
        curves = Curves(
            start,
            positions[: self.frames].astype(np.float32),
            np.array(self._middle, np.float32).reshape(-1, 2),
            np.array(self._light, np.float32),
            np.array(self._tilt, np.float32),
        )
        self._restart()
        return curves

    def realigned(self, five: Array) -> bool:
        """Compare with a fresh detection; a crop that drifted off it, by a twelfth of a face, is put right."""
        target = crop_matrix(five)
        corners = np.array([[32.0, 34], [96, 34], [64, 90]])
        inner = np.linalg.inv(target[:, :2])
        there = (corners - target[:, 2]) @ inner.T @ self.matrix[:, :2].T + self.matrix[:, 2]
        if np.linalg.norm(there - corners, axis=1).mean() < 8:
            return False
        self.five, self.matrix, self.layout, self._before = five, target, Layout.of(five, target), None
        return True

    def state(self) -> dict[str, Any]:
        """All that the next block needs, as JSON takes it."""
        return {
            "number": self.number,
            "five": self.five.tolist(),
            "matrix": self.matrix.tolist(),
            "sightings": self.sightings,
            "missed": self.missed,
            "last": self.last.tolist(),
        }

    @classmethod
    def of_state(cls, state: dict[str, Any], fps: float) -> Track:
        """The track that `state` describes, at the beginning of a block."""
        track = cls(state["number"], np.array(state["five"]), fps=fps, matrix=np.array(state["matrix"]))
        track.sightings, track.missed, track.last = state["sightings"], state["missed"], np.array(state["last"])
        return track

    def _restart(self) -> None:
        self._windows = []
        self._sum, self._count = np.zeros((0, len(NAMES), 2)), np.zeros(0)
        self._middle: list[Array] = []
        self._light: list[float] = []
        self._tilt: list[float] = []

    def _anchor(self, crop: Frame) -> None:
        """Begin a window when its time has come, and close the one that has served twice as long."""
        step = max(2, round(STEP * self.fps))
        if len(self._windows) == 2 and len(self._windows[1].moves) >= step:
            self._close_oldest()
        if not self._windows or (len(self._windows) == 1 and len(self._windows[0].moves) >= step):
            first = not self._windows
            self._windows.append(_Window(crop, self.frames, offset=self.last if first else None))

    def _close_oldest(self) -> None:
        window = self._windows.pop(0)
        assert window.offset is not None
        seen = np.stack(window.moves) + window.offset if window.moves else np.zeros((0, len(NAMES), 2))
        end = window.start + len(seen)
        if len(self._sum) < end:
            more = end - len(self._sum)
            self._sum = np.concatenate([self._sum, np.zeros((more, len(NAMES), 2))])
            self._count = np.concatenate([self._count, np.zeros(more)])
        self._sum[window.start : end] += seen
        self._count[window.start : end] += 1
        if self._windows and self._windows[0].offset is None:
            later = self._windows[0]
            shared = seen[later.start - window.start :]
            other = np.stack(later.moves[: len(shared)])
            later.offset = np.median(shared - other, axis=0)

    def _follow(self, head: Array) -> None:
        """Move the crop's map by the similarity in the head's motion, once that is worth it."""
        across, down, shift = head[0] / (SIDE / 2), head[1] / (SIDE / 2), head[2]
        if np.linalg.norm(shift) < FOLLOWS_FROM and 64 * np.abs([across, down]).max() < 2 * FOLLOWS_FROM:
            return
        a, b = 1 + (across[0] + down[1]) / 2, (across[1] - down[0]) / 2
        turn = np.array([[a, -b], [b, a]])
        middle = np.array([SIDE / 2, SIDE / 2])
        back = np.linalg.inv(turn)
        self.matrix = np.column_stack([back @ self.matrix[:, :2], back @ (self.matrix[:, 2] - middle - shift) + middle])


def _solver() -> Any:
    """DIS to full resolution: stopped at half of it, motion below a pixel reads far too small.

    One step of refinement instead of the preset's five: the other four smooth a brow's pixel down to .95 of it, and
    with every third patch they take more than half of the time.
    """
    dis = cv2.DISOpticalFlow.create(cv2.DISOpticalFlow_PRESET_MEDIUM)
    dis.setFinestScale(0)
    dis.setPatchStride(4)
    dis.setGradientDescentIterations(12)
    dis.setVariationalRefinementIterations(1)
    return dis


def _correlation(one: Frame, other: Frame) -> float:
    return float(cv2.matchTemplate(one, other, cv2.TM_CCOEFF_NORMED)[0, 0])
