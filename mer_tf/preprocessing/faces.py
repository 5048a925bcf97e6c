"""Find the face of a clip, and the one affine map that brings every frame of the clip to the stored square.

One map a clip, from one frame: a map for each frame would turn the detector's jitter, of a pixel or so, into motion
larger than the micro-expression.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from mer_tf.errors import MerError
from mer_tf.methods import DETECTORS, Detector, function_of

if TYPE_CHECKING:
    from mer_tf.preprocessing.frames import Frame

Mode = Literal["none", "crop", "align"]
Matrix = NDArray[np.float64]

TEMPLATE = np.array([[0.34, 0.35], [0.66, 0.35], [0.5, 0.57], [0.365, 0.72], [0.635, 0.72]])
"""Where the landmarks go, as shares of the stored side: brows above and chin below stay inside."""
ALIGNED_BY = (0, 1, 3, 4)
"""Eyes and mouth corners. The nose tip sticks out, so turning the head moves it against the rest."""


@dataclass(frozen=True, eq=False)
class Face:
    """One detected face, in pixels of the source frame. `detect_face` rounds it: stored bytes hide float noise."""

    box: NDArray[np.float64]
    """(4,): x, y, width, height."""
    confidence: float
    landmarks: NDArray[np.float64]
    """(5, 2) of (x, y): left eye, right eye, nose, left and right corner of the mouth, left as seen in the image."""
    fitted: NDArray[np.float64] | None = None
    """(68, 2): landmarks that were fitted to this face; None where MTCNN's five points are all that is known."""


def detect_face(frame: Frame, min_face: int, detector: Detector = "mtcnn") -> Face | None:
    """The face of greatest area times confidence in a uint8 (H, W, 3) RGB frame, or None when there is none.

    A face whose box is shorter than `min_face` pixels on both sides does not count.
    """
    found: Sequence[Face] = function_of("preprocess.detector", detector, DETECTORS)(frame, min_face)
    large = [face for face in found if max(face.box[2:]) >= min_face]
    if not large:
        return None
    best = max(large, key=lambda face: float(face.box[2] * face.box[3] * face.confidence))
    return Face(np.round(best.box, 2), round(best.confidence, 4), np.round(best.landmarks, 2))


def face_transform(face: Face | None, mode: Mode, size: int, margin: float, frame_shape: tuple[int, int]) -> Matrix:
    """The 2x3 float64 matrix from pixel centres of a frame of (height, width) to those of the size x size square.

    none: the whole frame, its aspect ratio not kept (as Bai & Goecke's released code resizes). crop: the square about
    the box's centre whose side is the box's longer one, enlarged by `margin` on each side. align: the similarity
    without reflection that brings eyes and mouth corners closest to `TEMPLATE` in least squares (Umeyama, PAMI 1991).
    """
    if mode == "none":
        return _from_rectangle(0.0, 0.0, frame_shape[1], frame_shape[0], size)
    if face is None:
        raise MerError(f"preprocess.face={mode} needs a face; none was given")
    if mode == "crop":
        x, y, width, height = face.box
        side = max(width, height) * (1 + 2 * margin)
        return _from_rectangle(x + (width - side) / 2, y + (height - side) / 2, side, side, size)
    return similarity(face.landmarks[list(ALIGNED_BY)], TEMPLATE[list(ALIGNED_BY)] * size - 0.5)


def similarity(source: NDArray[np.float64], target: NDArray[np.float64]) -> Matrix:
    """Least-squares rotation, scale and shift of points (N, 2) onto points (N, 2), as a 2x3 matrix.

    As complex numbers a similarity without reflection is w = a z + b, and a follows from one division.
    """
    z, w = source @ (1, 1j), target @ (1, 1j)
    centred = z - z.mean()
    spread = float(np.sum(np.abs(centred) ** 2))
    if spread < 1e-6:
        raise MerError("face alignment: all landmarks fall on one point; the detection is not a face")
    a = np.sum(centred.conj() * (w - w.mean())) / spread
    b = w.mean() - a * z.mean()
    return np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]])


def warp(frame: Frame, matrix: Matrix, size: int) -> Frame:
    """`frame` under a 2x3 matrix as uint8 (size, size, 3); beyond the frame its edge is repeated.

    Where the map shrinks, a Gaussian first removes what the new grid cannot carry: aliasing would look like motion.
    """
    x0, y0, x1, y1 = _footprint(matrix, size, frame.shape[:2])
    moved = matrix.copy()
    moved[:, 2] += matrix[:, :2] @ (x0, y0)
    part, moved = _halved(frame[y0:y1, x0:x1], moved)
    shrink_x, shrink_y = np.linalg.norm(moved[:, 0]), np.linalg.norm(moved[:, 1])
    part = _blur(part, _sigma(float(shrink_x)), _sigma(float(shrink_y)))
    out = cv2.warpAffine(part, moved, (size, size), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(out, np.uint8)


def _halved(frame: Frame, matrix: Matrix) -> tuple[Frame, Matrix]:
    """Means of 2 x 2 pixels of a frame, and its map, while it shrinks to about a fifth or less.

    What a coarser grid cannot carry goes by steps, in a third of the time of one wide blur. Of waves near the finest
    that the frame can hold about a tenth comes through as false ones.
    """
    while np.linalg.norm(matrix[:, :2], axis=0).max() <= 0.21 and min(frame.shape[:2]) >= 4:
        height, width = frame.shape[0] // 2, frame.shape[1] // 2
        even = frame[: 2 * height, : 2 * width]
        frame = np.asarray(cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
        centre = matrix @ (0.5, 0.5, 1)
        matrix = np.column_stack([2 * matrix[:, :2], centre])
    return frame, matrix


def _from_rectangle(x: float, y: float, width: float, height: float, size: int) -> Matrix:
    """Map the rectangle with upper left corner (x, y) onto the square; pixel centres lie at half pixels."""
    sx, sy = size / width, size / height
    return np.array([[sx, 0.0, (0.5 - x) * sx - 0.5], [0.0, sy, (0.5 - y) * sy - 0.5]])


def _sigma(scale: float) -> float:
    """Blur of the source, pixels, that leaves about half a stored pixel; 0 when the map does not shrink."""
    return 0.5 * float(np.sqrt(max(scale**-2 - 1, 0.0)))


def _blur(frame: Frame, sigma_x: float, sigma_y: float) -> Frame:
    """Gaussian blur; below .3 px it would change nothing worth its time."""
    if max(sigma_x, sigma_y) < 0.3:
        return frame
    kernel = [2 * int(np.ceil(3 * s)) + 1 for s in (sigma_x, sigma_y)]
    blurred = cv2.GaussianBlur(
        frame, kernel, sigmaX=max(sigma_x, 1e-3), sigmaY=max(sigma_y, 1e-3), borderType=cv2.BORDER_REPLICATE
    )
    return np.asarray(blurred, np.uint8)


def _footprint(matrix: Matrix, size: int, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """x0, y0, x1, y1 of what reaches the square, blur included: most of a large frame does not."""
    corners = np.array([[0, 0, size - 1, size - 1], [0, size - 1, 0, size - 1]], np.float64)
    points = np.linalg.solve(matrix[:, :2], corners - matrix[:, 2:])
    reach = 4 + 3 * max(_sigma(float(np.linalg.norm(matrix[:, i]))) for i in (0, 1))
    height, width = shape
    x0, y0 = (_between(p.min() - reach, 0, n - 1) for p, n in zip(points, (width, height), strict=True))
    x1, y1 = (
        _between(np.ceil(p.max() + reach), lo + 1, n)
        for p, lo, n in zip(points, (x0, y0), (width, height), strict=True)
    )
    return x0, y0, x1, y1


def _between(value: float, low: int, high: int) -> int:
    """The whole number at or below `value`, kept within bounds; np.clip takes longer than a small warp."""
    return min(max(math.floor(value), low), high)
