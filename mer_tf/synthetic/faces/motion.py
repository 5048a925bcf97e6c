"""How a drawn face moves: an expression that comes and goes on a head that sways, both known exactly.

Let A_t be the head's affine map from the onset frame to frame t and g_t the expression's field in frame t. Frame t
shows at pixel x what the onset frame shows at A_t^-1 (x + g_t(x)), so

    frame_t(x) = onset(x + backward_t(x)),   backward_t(x) = A_t^-1 (x + g_t(x)) - x

and the point at x of the onset frame is seen in frame t at x + forward_t(x), where forward is the inverse of that map.
Blinks, light and noise are no motion of the skin: they are in the frames but not in these fields.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mer_tf.synthetic.action_units.table import Blobs

HEAD_SHIFT = 1.5
"""Greatest translation of the head, pixels on a face 96 pixels wide."""
HEAD_TURN = np.radians(0.5)
HEAD_ZOOM = 0.005
APEX_SPAN = (0.35, 0.65)
"""Where the apex may lie, as a share of the clip."""
BLINK_RATE = 0.17
"""Share of clips with a blink."""


@dataclass(frozen=True)
class FaceMotion:
    """Motion of one clip of T frames, in pixels of the frame."""

    width: int
    height: int
    expression: Blobs
    """Displacements when the course is 1, anchored in the onset frame."""
    course: NDArray[np.float64]
    """(T,), 0 at the onset, 1 at the apex."""
    head: NDArray[np.float64]
    """(T, 2, 3), affine maps from the onset frame to frame t; the first is the identity."""

    def backward(self, frame: int) -> NDArray[np.float32]:
        """Field (H, W, 2), dx and dy, with frame_t(x) = onset(x + field(x)); the frame is drawn with it."""
        return np.stack(self.backward_planes(frame), axis=-1)

    def backward_planes(self, frame: int) -> tuple[NDArray[np.float32], ...]:
        """The same as dx and dy, (H, W) each."""
        x, y = np.arange(self.width, dtype=float), np.arange(self.height, dtype=float)[:, None]
        across, down = self._pull(frame).planes(self.width, self.height)
        across += x
        down += y
        rows = zip(_inverse(self.head[frame]), (x, y), strict=True)
        return tuple((row[0] * across + row[1] * down + (row[2] - place)).astype(np.float32) for row, place in rows)

    def forward(self, frame: int) -> NDArray[np.float32]:
        """Field (H, W, 2): where each pixel of the onset frame moves to; the inverse of `backward` to 1e-4 pixels."""
        onset = np.stack(np.meshgrid(np.arange(self.width), np.arange(self.height)), axis=-1).astype(float)
        moved = onset @ self.head[frame, :, :2].T + self.head[frame, :, 2]
        return (self._pull(frame).solve(moved) - onset).astype(np.float32)

    def _pull(self, frame: int) -> Blobs:
        """g_t: the expression seen from frame t. Its blobs travel with the skin, so that each anchor lands as told."""
        strength = float(self.course[frame])
        blobs = self.expression
        travelled = Blobs(blobs.centers + strength * blobs.vectors, blobs.sigmas, -strength * blobs.vectors)
        return travelled.moved(self.head[frame])


def apex_course(frames: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """(T,) from 0 smoothly to 1 at the apex and, in half of the clips only in part, back."""
    apex = max(1, round(float(rng.uniform(*APEX_SPAN)) * (frames - 1)))
    rest = float(rng.choice([0.0, rng.uniform(0.1, 0.5)]))
    t = np.arange(frames, dtype=float)
    fall = rest + (1 - rest) * ease((frames - 1 - t) / max(1, frames - 1 - apex))
    return np.where(t <= apex, ease(t / apex), fall)


def talk_course(frames: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """(T,) two to four openings of different height, the widest about 1, from 0 at the first frame to 0 at the last."""
    count = int(rng.integers(2, 4 if frames < 20 else 5))
    heights = rng.uniform(0.5, 1.0, count)
    phase = np.linspace(0, count, frames)
    course = heights[np.minimum(phase.astype(int), count - 1)] / heights.max() * np.sin(np.pi * phase) ** 2
    return np.asarray(course)


def rest_course(frames: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """The course (T,) of a clip in which nothing happens."""
    return np.zeros(frames)


def head_path(
    frames: int, pivot: NDArray[np.float64], face_width: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """(T, 2, 3) small, smooth translations, turns and zooms about `pivot`; the first is the identity."""
    limits = np.array([HEAD_SHIFT * face_width / 96 / np.sqrt(2)] * 2 + [HEAD_TURN, HEAD_ZOOM])
    path = np.stack([_sway(frames, rng) for _ in limits], axis=-1) * limits * rng.uniform(0, 1, limits.size)
    return np.stack([head_pose(pivot, step) for step in path])


def blink_course(frames: int, fps: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """(T,) closure of the lids, 0 open to 1 closed; 0 throughout in most clips and always at the first frame."""
    blinks = rng.uniform() < BLINK_RATE
    center = float(rng.uniform(0.3, 0.9)) * (frames - 1)
    half = min(float(rng.uniform(0.05, 0.10)) * fps, 0.3 * (frames - 1))
    phase = np.clip((np.arange(frames) - center) / max(half, 1.0), -1, 1)
    return np.where(np.abs(phase) < 1, np.cos(np.pi * phase / 2) ** 2, 0.0) * blinks


def drift(frames: int, size: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """(T,) a slow change of at most `size` that starts at 0."""
    return _sway(frames, rng) * size * float(rng.uniform())


def _sway(frames: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """(T,) smooth wandering that starts at 0 and reaches 1 in size once."""
    t = np.linspace(0, 1, frames)
    speeds, phases = rng.uniform([0.3, 0.8], [0.8, 1.6]), rng.uniform(0, 2 * np.pi, 2)
    wave = np.sin(2 * np.pi * speeds[0] * t + phases[0]) + 0.4 * np.sin(2 * np.pi * speeds[1] * t + phases[1])
    wave -= wave[0]
    return np.asarray(wave / max(np.abs(wave).max(), 1e-9))


def ease(u: NDArray[np.float64]) -> NDArray[np.float64]:
    """Half a wave of a cosine: 0 up to 0, 1 from 1 on."""
    return np.asarray((1 - np.cos(np.pi * np.clip(u, 0, 1))) / 2)


def head_pose(pivot: NDArray[np.float64], step: NDArray[np.float64]) -> NDArray[np.float64]:
    """Affine map that turns and zooms about `pivot`, then shifts; step = (dx, dy, radians, zoom)."""
    cos, sin = np.cos(step[2]) * (1 + step[3]), np.sin(step[2]) * (1 + step[3])
    linear = np.array([[cos, -sin], [sin, cos]])
    return np.column_stack([linear, pivot + step[:2] - linear @ pivot])


def _inverse(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    linear = np.linalg.inv(matrix[:, :2])
    return np.column_stack([linear, -linear @ matrix[:, 2]])
