"""Regions of the face in a crop of fixed size, and how much of a flow field each shows once the head's part is gone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from mer_tf.preprocessing.faces import ALIGNED_BY, Matrix, similarity
from mer_tf.preprocessing.landmarks import FIVE, canonical_landmarks, carried_landmarks
from mer_tf.synthetic.action_units.table import action_units, au_blobs

SIDE = 128
"""Of the crop, pixels."""
FACE = 96.0
"""Width of the face in it, pixels: motion is stated in these."""
UNIT, MIDDLE, EYES = 139.7, 64.0, 34.0
"""Crop pixels of the aligned square's side; where the middle of the eyes lies."""
STRIDE = 2
REGIONS: dict[str, tuple[str, tuple[int, ...], tuple[float, float]]] = {
    # group, landmarks (of 68) whose mean it is, shift in crop pixels
    "brow_outer_left": ("brow", (17, 18, 19), (0, 0)),
    "brow_inner_left": ("brow", (20, 21), (0, 0)),
    "brow_middle": ("brow", (21, 22), (0, 0)),
    "brow_inner_right": ("brow", (22, 23), (0, 0)),
    "brow_outer_right": ("brow", (24, 25, 26), (0, 0)),
    "lid_left": ("lid", (37, 38), (0, 1)),
    "lid_right": ("lid", (43, 44), (0, 1)),
    "cheek_left": ("cheek", (40, 41), (-2, 14)),
    "cheek_right": ("cheek", (46, 47), (2, 14)),
    "nose_wing_left": ("nose", (31,), (-2, -4)),
    "nose_wing_right": ("nose", (35,), (2, -4)),
    "mouth_corner_left": ("mouth", (48,), (0, 0)),
    "mouth_corner_right": ("mouth", (54,), (0, 0)),
    "lip_upper": ("mouth", (50, 51, 52), (0, -2)),
    "lip_lower": ("mouth", (56, 57, 58), (0, 1)),
    "chin": ("mouth", (57, 8), (0, 4)),
}
"""Left and right are those of the image."""
NAMES = tuple(REGIONS)
GROUPS = tuple(dict.fromkeys(group for group, _, _ in REGIONS.values()))
RIGID: tuple[tuple[tuple[int, ...], tuple[float, float]], ...] = (
    ((27,), (0, 0)),
    ((28,), (0, 0)),
    ((29,), (0, 0)),
    ((39, 31), (0, 0)),
    ((42, 35), (0, 0)),
    ((36,), (-9, 0)),
    ((45,), (9, 0)),
    ((1,), (7, 0)),
    ((15,), (-7, 0)),
    ((2,), (8, 0)),
    ((14,), (-8, 0)),
)
"""Bridge and sides of the nose, temples, sides of the face: what expressions move least."""
NAMED: dict[str, tuple[int, ...]] = {
    "brow_outer_left": (17, 18),
    "brow_mid_left": (19,),
    "brow_inner_left": (21,),
    "brow_inner_right": (22,),
    "brow_mid_right": (24,),
    "brow_outer_right": (25, 26),
    "eye_outer_left": (36,),
    "eye_upper_left": (37, 38),
    "eye_lower_left": (40, 41),
    "eye_outer_right": (45,),
    "eye_upper_right": (43, 44),
    "eye_lower_right": (46, 47),
    "nose_wing_left": (31,),
    "nose_wing_right": (35,),
    "mouth_corner_left": (48,),
    "mouth_corner_right": (54,),
    "mouth_top": (51,),
    "mouth_bottom": (57,),
    "chin": (8,),
}
"""Points that the table of action units names, by landmarks."""
LEAST_SHARE = 0.4


def crop_matrix(five: NDArray[np.float64]) -> Matrix:
    """Similarity from a frame to the crop by the five landmarks of a face."""
    kept = list(ALIGNED_BY)
    return similarity(five[kept], _in_crop(FIVE)[kept])


def scale_of(matrix: Matrix) -> float:
    """Pixels of the crop that a pixel of the frame has."""
    return float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))


@dataclass(frozen=True, eq=False)
class Layout:
    """Regions and rigid points of one face in its crop."""

    weights: NDArray[np.float32]
    """(R, P): means of a flow field sampled every `STRIDE` pixels."""
    centers: NDArray[np.float64]
    """(R, 2)."""
    rigid: NDArray[np.int64]
    """(N,) indices of samples."""
    places: NDArray[np.float64]
    """(N, 3) of them: x and y from the middle of the crop, in its halves, and 1."""

    @classmethod
    def of(cls, five: NDArray[np.float64], matrix: Matrix) -> Layout:
        """The layout of a face by its five landmarks and the map of its crop."""
        points = carried_landmarks(five @ matrix[:, :2].T + matrix[:, 2])
        at = np.arange(0, SIDE, STRIDE, dtype=float)
        grid = np.stack(np.meshgrid(at, at), axis=-1).reshape(-1, 2)
        centers = np.stack([points[list(marks)].mean(0) + shift for _, marks, shift in REGIONS.values()])
        bells = np.exp(-((grid[None] - centers[:, None]) ** 2).sum(-1) / (2 * 5.0**2))
        stable = np.stack([points[list(marks)].mean(0) + shift for marks, shift in RIGID])
        near = (((grid[None] - stable[:, None]) ** 2).sum(-1) < 7.0**2).any(0)
        rigid = np.flatnonzero(near)
        places = np.column_stack([(grid[rigid] - SIDE / 2) / (SIDE / 2), np.ones(len(rigid))])
        return cls((bells / bells.sum(1, keepdims=True)).astype(np.float32), centers, rigid, places)

    def split(self, flow: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Motion of the regions (R, 2) without the head's, and the head's as an affine map (3, 2) of `places`."""
        samples = flow[::STRIDE, ::STRIDE].reshape(-1, 2)
        head = _robust_fit(self.places, samples[self.rigid].astype(float))
        at = np.column_stack([(self.centers - SIDE / 2) / (SIDE / 2), np.ones(len(self.centers))])
        return self.weights @ samples - at @ head, head


def _robust_fit(places: NDArray[np.float64], moves: NDArray[np.float64]) -> NDArray[np.float64]:
    """Affine motion by least squares, again without those far from it (Tukey's weights)."""
    weight = np.ones(len(places))
    found: NDArray[np.float64] = np.zeros((3, 2))
    for _ in range(3):
        heavy = places * weight[:, None]
        found = np.asarray(np.linalg.solve(heavy.T @ places + 1e-6 * np.eye(3), heavy.T @ moves))
        away = np.linalg.norm(moves - places @ found, axis=1)
        scale = 4.685 * max(1.4826 * float(np.median(away)), 0.02)
        weight = np.maximum(1 - (away / scale) ** 2, 0) ** 2
    return found


def suggested_units(motion: NDArray[np.float64]) -> list[int]:
    """Action units whose motion together is nearest to that of the regions (R, 2), the strongest first."""
    units, table = _unit_motion()
    rates, _ = nnls(table, motion.reshape(-1))
    if rates.max() <= 0:
        return []
    return [units[i] for i in np.argsort(-rates) if rates[i] >= LEAST_SHARE * rates.max()][:3]


@cache
def _unit_motion() -> tuple[list[int], NDArray[np.float64]]:
    """Action units, and what each moves the regions by where it is 1 face width strong: (2 R, units)."""
    points = _in_crop(canonical_landmarks())
    named = {name: points[list(marks)].mean(0) for name, marks in NAMED.items()}
    below = np.array([0, 17])
    named |= {f"cheek_{s}": named[f"eye_lower_{s}"] + below for s in ("left", "right")}
    named["chin_boss"] = named["mouth_bottom"] * 0.4 + named["chin"] * 0.6
    centers = np.stack([points[list(marks)].mean(0) + shift for _, marks, shift in REGIONS.values()])
    units = sorted(set(action_units()["au"].tolist()))
    columns = [au_blobs(au, named, FACE)[0].at(centers).reshape(-1) for au in units]
    return units, np.stack(columns, axis=1)


def _in_crop(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shares of the aligned square in pixels of the crop."""
    return (shares - [0.5, FIVE[0, 1]]) * UNIT + [MIDDLE, EYES]
