"""Landmark files as OpenFace writes them, of drawn faces whose points are known."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy.interpolate import RBFInterpolator

from mer_tf.preprocessing.landmarks import canonical_landmarks
from mer_tf.synthetic.trees.smic import SyntheticClip

KNOWN = {
    "brow_outer_left": 17, "brow_inner_left": 21, "brow_inner_right": 22, "brow_outer_right": 26, "nose_tip": 30,
    "nose_wing_left": 31, "nose_wing_right": 35, "eye_outer_left": 36, "eye_inner_left": 39, "eye_inner_right": 42,
    "eye_outer_right": 45, "mouth_corner_left": 48, "mouth_top": 51, "mouth_corner_right": 54, "mouth_bottom": 57,
}  # fmt: skip


def true_landmarks(clip: SyntheticClip) -> np.ndarray:
    """The canonical face carried to all known points of a drawn one, (68, 2) in pixels of its frames."""
    canonical = canonical_landmarks()
    known = np.stack([clip.neutral.points[name] for name in KNOWN])
    return RBFInterpolator(canonical[list(KNOWN.values())], known, kernel="thin_plate_spline")(canonical)


def write_openface(path: Path, points: np.ndarray, success: Sequence[int] | None = None) -> Path:
    """Points (T, P, 2) with blanks before the names, as older versions have them."""
    success = [1] * len(points) if success is None else success
    names = ["frame", " face_id", " timestamp", " confidence", " success"]
    names += [f" {axis}_{k}" for axis in "xy" for k in range(points.shape[1])]
    lines = [",".join(names)]
    for k, (frame, good) in enumerate(zip(points, success, strict=True), 1):
        known = [k, 0, f"{k / 100:.3f}", 0.98 if good else 0.02, good, *(f"{v:.2f}" for v in frame.T.ravel())]
        lines.append(", ".join(map(str, known)))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
    return path
