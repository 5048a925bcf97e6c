"""MDMO: main directional mean optical flow of 36 facial regions (Liu et al., IEEE Trans. Affective Computing 2016)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from mer_tf.config import MerError
from mer_tf.descriptors.base import ClipDescriptor, Features, Takes
from mer_tf.descriptors.hoof import direction_bins
from mer_tf.files import facts
from mer_tf.preprocessing.landmarks import Points, canonical_landmarks

REGIONS, BINS = 36, 8
WEIGHT = 0.8
"""Of lengths beside angles."""
STABLE = (*range(6), *range(11, 17), 30)
"""The thirteen points of the face alignment: its contour without the chin, and the tip of the nose."""
RAISED = 0.08
"""How far above the brows the upper regions reach, widths of the face: 20 pixels in cropped CASME II."""


@dataclass(kw_only=True, eq=False, repr=False)
class Mdmo(ClipDescriptor):
    """Length and direction of the mean flow of each region along its main direction: 36 lengths, 36 angles.

    In each flow field since the onset, a region's main direction is the fullest of 8 bins of 45 degrees; its vector
    has the mean length and mean angle of what lies in that bin. Vectors are averaged over the clip as (x, y); lengths
    are divided by the greatest. The result is (.8 lengths, .2 angles), angles in radians from -pi to pi. Landmarks are
    those that were fitted to the clip, else those of an aligned face; the affine motion of the 13 stable points is
    taken off each field, as in the paper.
    """

    takes: ClassVar[Takes] = "flow"

    landmarks: Points | None = None

    def placed(self, landmarks: Points) -> Mdmo:
        return Mdmo(landmarks=landmarks)

    def describe(self, clip: NDArray[Any]) -> Features:
        shares = canonical_landmarks() if self.landmarks is None else self.landmarks
        points = shares * [clip.shape[2], clip.shape[1]] - 0.5
        flow = without_head(clip.astype(np.float32), points)
        mean = main_vectors(flow, region_pixels(points, (clip.shape[1], clip.shape[2]))).mean(axis=0)
        lengths, angles = np.hypot(mean[:, 0], mean[:, 1]), np.arctan2(mean[:, 1], mean[:, 0])
        shown = lengths / (lengths.max() or 1)
        return np.concatenate([WEIGHT * shown, (1 - WEIGHT) * angles]).astype(np.float32)


def region_polygons(points: Points) -> NDArray[np.float64]:
    """Corners (36, 4, 2) of the regions of interest for landmarks (68, 2), data_manifests/mdmo_regions.csv."""
    table = facts("mdmo_regions.csv")
    first, second = (points[table[name].astype(int)] for name in ("landmark", "other"))
    corners = (first + second) / 2
    width = np.linalg.norm(points[16] - points[0])
    corners[:, 1] -= RAISED * width * table["raised"].astype(int).to_numpy()
    return corners.reshape(REGIONS, 4, 2)


def region_pixels(points: Points, shape: tuple[int, int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Flat pixel numbers of all regions one after the other, and the region of each; a pixel may lie in two."""
    masks = np.zeros((REGIONS, *shape), np.uint8)
    for mask, corners in zip(masks, region_polygons(points), strict=True):
        cv2.fillPoly(mask, [np.round(corners).astype(np.int32)], (1,))
    region, pixel = np.nonzero(masks.reshape(REGIONS, -1))
    if empty := sorted(set(range(REGIONS)) - set(region.tolist())):
        raise MerError(f"MDMO: regions {empty} lie outside the image {shape}; are the landmarks shares of its sides?")
    return pixel, region


def main_vectors(flow: NDArray[np.float32], where: tuple[NDArray[np.int64], NDArray[np.int64]]) -> NDArray[np.float64]:
    """Vector (F, 36, 2) of the main direction of each region in flow fields (F, H, W, 2)."""
    pixel, region = where
    vectors = flow.reshape(len(flow), -1, 2)[:, pixel]
    bins = direction_bins(vectors, BINS)
    apart = np.arctan2(vectors[..., 1], vectors[..., 0]) - bins * (2 * np.pi / BINS)
    apart = (apart + np.pi) % (2 * np.pi) - np.pi
    place = (np.arange(len(flow))[:, None] * REGIONS + region) * BINS + bins
    shape = (len(flow), REGIONS, BINS)
    count, length, angle = (
        np.bincount(place.ravel(), weights=w, minlength=int(np.prod(shape))).reshape(shape)
        for w in (None, np.hypot(vectors[..., 0], vectors[..., 1]).ravel(), apart.ravel())
    )
    main = count.argmax(axis=-1)[..., None]
    count, length, angle = (np.take_along_axis(a, main, axis=-1)[..., 0] for a in (count, length, angle))
    direction = angle / count + main[..., 0] * (2 * np.pi / BINS)
    return np.asarray((length / count)[..., None] * np.stack([np.cos(direction), np.sin(direction)], axis=-1))


def without_head(flow: NDArray[np.float32], points: Points) -> NDArray[np.float32]:
    """Flow fields (F, H, W, 2) after the affine map that carries the stable points back to where they were."""
    height, width = flow.shape[1:3]
    stable = np.clip(np.round(points[list(STABLE)]), 0, [width - 1, height - 1]).astype(int)
    ones = np.ones((len(stable), 1))
    moved = stable + flow[:, stable[:, 1], stable[:, 0]]
    maps = np.linalg.pinv(np.concatenate([moved, np.broadcast_to(ones, (len(flow), *ones.shape))], axis=-1)) @ stable
    grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1).astype(np.float32)
    back = np.einsum("fyxi,fij->fyxj", grid + flow, maps[:, :2].astype(np.float32)) - grid
    return np.asarray(back + maps[:, None, None, 2], np.float32)
