"""Where brows, eyes, nose, mouth, chin and cheeks are on a square face, as masks.

From 68 landmarks (order of Sagonas et al., ICCV Workshops 2013) where there are any; else from a canonical face:
carried along by MTCNN's five points, laid into a face box, or standing where `preprocessing.faces` aligns faces to.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mer_tf.config import MerError
from mer_tf.preprocessing.faces import similarity
from mer_tf.preprocessing.landmarks import FACE_BOX as FACE_BOX
from mer_tf.preprocessing.landmarks import canonical_landmarks

Points = NDArray[np.float64]
Mask = NDArray[np.bool_]

DILATION = 0.1
"""Of the distance between the eyes."""
_BROWS, _EYES, _NOSE, _MOUTH = range(17, 27), range(36, 48), range(27, 36), range(48, 60)
_FEATURES = {"brows": (_BROWS,), "eyes": (range(36, 42), range(42, 48)), "nose": (_NOSE,), "mouth": (_MOUTH,)}
_REST = {
    "chin": ((*range(5, 12), 48, *range(54, 60)),),
    "cheeks": ((*range(6), 41, 40, 31, 48), (*range(11, 17), 46, 47, 35, 54)),
}
REGIONS = (*_FEATURES, *_REST)
_NAMED = {
    "eyes": _FEATURES["eyes"],
    "brows": (range(17, 22), range(22, 27)),
    "nose_wings": ((31,), (35,)),
    "mouth_corners": ((48, 49, 59), (53, 54, 55)),
}
NAMED = tuple(_NAMED)
"""Features on which Bai & Goecke 2020 (section 5, Figure 4) see the heat after training."""


def aligned_landmarks(size: int) -> Points:
    """Canonical landmarks (68, 2) in pixels of an aligned face of `size` pixels."""
    return canonical_landmarks() * size - 0.5


def landmarks_from_box(box: NDArray[np.floating]) -> Points:
    """Canonical landmarks (68, 2) stretched into a face box (x, y, width, height), pixels."""
    share = (canonical_landmarks() - FACE_BOX[0]) / (FACE_BOX[1] - FACE_BOX[0])
    return np.asarray(np.asarray(box[:2], float) + share * np.asarray(box[2:], float))


def region_masks(landmarks: Points, size: int) -> dict[str, Mask]:
    """Disjoint masks (size, size) of `REGIONS` for landmarks (68, 2) in pixels.

    brows, eyes, nose, mouth: convex hulls dilated by .1 of the distance between the eyes, a pixel of two of them given
    to the nearer one. chin and cheeks: what is left of their hulls.
    """
    reach = DILATION * eye_distance(landmarks)
    away = np.stack([_distance(landmarks, hulls, size) for hulls in _FEATURES.values()])
    near, taken = away.argmin(axis=0), away.min(axis=0) <= reach
    masks: dict[str, Mask] = {name: taken & (near == index) for index, name in enumerate(_FEATURES)}
    for name, hulls in _REST.items():
        masks[name] = (_distance(landmarks, hulls, size) == 0) & ~taken
        taken = taken | masks[name]
    return masks


def features_mask(landmarks: Points, size: int) -> Mask:
    """Facial features (size, size): hulls of brows and eyes together, of the nose and of the mouth, each dilated."""
    hulls = ((*_BROWS, *_EYES), _NOSE, _MOUTH)
    return np.asarray(_distance(landmarks, hulls, size) <= DILATION * eye_distance(landmarks))


def named_masks(landmarks: Points, size: int) -> dict[str, Mask]:
    """Masks (size, size) of `NAMED`: each eye, brow, wing of the nose and corner of the mouth, dilated as all features.

    Neighbours may share pixels.
    """
    reach = DILATION * eye_distance(landmarks)
    return {name: np.asarray(_distance(landmarks, hulls, size) <= reach) for name, hulls in _NAMED.items()}


def lift(heat: NDArray[np.floating], mask: Mask) -> float:
    """Share of the heat (..., S, S) within a mask (S, S), over the mask's share of the picture: 1 where heat is even.

    NaN where there is no heat.
    """
    total = float(heat.sum())
    return float(heat[..., mask].sum()) / total / max(float(mask.mean()), 1e-9) if total > 0 else float("nan")


def face_mask(landmarks: Points, size: int) -> Mask:
    """The box MTCNN would draw about the face, (size, size), turned with it."""
    (left, top), (right, bottom) = FACE_BOX
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
    turned = similarity(canonical_landmarks(), landmarks)
    return _hull(corners @ turned[:, :2].T + turned[:, 2], size) > 0


def eye_distance(landmarks: Points) -> float:
    """Distance between the middles of the eyes; `MerError` unless 68 finite points with two eyes are given."""
    if np.shape(landmarks) != (68, 2) or not np.isfinite(landmarks).all():
        raise MerError(f"face regions: expected 68 finite landmarks (68, 2), got {np.shape(landmarks)}")
    distance = float(np.linalg.norm(landmarks[36:42].mean(axis=0) - landmarks[42:48].mean(axis=0)))
    if distance < 1:
        raise MerError(f"face regions: the eyes are {distance:.2f} pixels apart; landmarks must be in pixels")
    return distance


def _distance(landmarks: Points, hulls: Any, size: int) -> NDArray[np.float32]:
    """(size, size): distance to the nearest of some hulls, pixels; 0 within."""
    inside = np.max([_hull(landmarks[list(hull)], size) for hull in hulls], axis=0)
    if not inside.any():
        return np.full((size, size), np.inf, np.float32)
    return np.asarray(cv2.distanceTransform(1 - inside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE), np.float32)


def _hull(points: Points, size: int) -> NDArray[np.uint8]:
    """1 within the convex hull of points, else 0: uint8 (size, size)."""
    canvas, bits = np.zeros((size, size), np.uint8), 6
    corners = np.round(cv2.convexHull(points.astype(np.float32)) * 2**bits).astype(np.int32)
    cv2.fillConvexPoly(canvas, corners, 1, cv2.LINE_8, bits)
    return canvas
