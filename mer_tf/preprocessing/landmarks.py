"""68 face landmarks (order of Sagonas et al., ICCV Workshops 2013) behind one interface: a `LandmarkModel`.

Without any model file, a canonical face is carried to the face by the five points that MTCNN found. With an ONNX file
of a trained landmark network, that network places them; OpenCV runs it, so it needs no further package.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RBFInterpolator

from mer_tf.config import MerError
from mer_tf.files import facts
from mer_tf.preprocessing.faces import ALIGNED_BY, Face, similarity
from mer_tf.preprocessing.frames import Frame

Points = NDArray[np.float64]
LandmarkModel = Callable[[Frame, Face], Points]
"""Frame (H, W, 3) uint8 RGB and its face -> (68, 2) of (x, y) in pixels of the frame."""

FIVE = np.array([[0.3282, 0.3718], [0.6718, 0.3718], [0.5, 0.5875], [0.336, 0.6982], [0.664, 0.6982]])
"""MTCNN's five points on the canonical face, shares of the aligned square: mean of 24 drawn subjects, symmetric."""
FROM_478 = (
    *(162, 234, 93, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 323, 454, 389),
    *(71, 63, 105, 66, 107, 336, 296, 334, 293, 301),
    *(168, 197, 5, 4, 75, 97, 2, 326, 305),
    *(33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380),
    *(61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181),
    *(78, 82, 13, 312, 308, 317, 14, 87),
)
"""Point of MediaPipe's face mesh that stands for each of the 68: jaw, brows, nose, eyes, outer and inner lips (the list
that LatentSync and others use)."""


def load_landmark_model(model: Path | None = None, side: int = 192, margin: float = 0.25) -> LandmarkModel:
    """The canonical face, or the landmark network in an ONNX file.

    Its input is (1, 3, side, side) RGB from 0 to 1: the square about the face box, enlarged by `margin` on each side.
    Its first output is x and y, or x, y and z, of 68 points or of the 468 or 478 of MediaPipe's face mesh, as shares of
    the square or in its pixels. `MerError` for a file that is not there or that OpenCV cannot read.
    """
    if model is None:
        return lambda frame, face: carried_landmarks(face.landmarks)
    if not Path(model).is_file():
        raise MerError(f"{model}: no such landmark model; give the ONNX file of one")
    try:
        network = cv2.dnn.readNetFromONNX(str(model))
    except cv2.error as error:
        raise MerError(f"{model}: OpenCV cannot read this as an ONNX network ({error.err})") from error
    return partial(_from_network, network, Path(model), side, margin)


def canonical_landmarks() -> Points:
    """(68, 2): x and y on the canonical face, as shares of the square that faces are aligned to."""
    return facts("canonical_landmarks.csv")[["x", "y"]].to_numpy(float)


def carried_landmarks(five: Points) -> Points:
    """The canonical face carried to MTCNN's five points (5, 2) in pixels: (68, 2) in the same pixels.

    A similarity first; then a thin-plate spline (Bookstein, PAMI 1989) takes up what it leaves at the five points.
    Mean error on 18 known points of 24 drawn subjects each, in distances between the outer corners of the eyes: .030
    (worst .11 at the chin, which no point holds); with the similarity alone .043. On 24 subjects that `FIVE` was not
    made from it is .029. All drawn faces come from one portrait: expect more on people.
    """
    if np.shape(five) != (5, 2) or not np.isfinite(five).all():
        raise MerError(f"landmarks: expected MTCNN's five points (5, 2) in pixels, got {np.shape(five)}")
    kept = list(ALIGNED_BY)
    canonical, matrix = canonical_landmarks(), similarity(FIVE[kept], five[kept])
    rest = RBFInterpolator(FIVE, five - _moved(matrix, FIVE), kernel="thin_plate_spline")
    return np.asarray(_moved(matrix, canonical) + rest(canonical))


def _moved(matrix: NDArray[np.float64], points: Points) -> Points:
    return np.asarray(points @ matrix[:, :2].T + matrix[:, 2])


def _from_network(network: cv2.dnn.Net, name: Path, side: int, margin: float, frame: Frame, face: Face) -> Points:
    x, y, width, height = face.box
    reach = max(width, height) * (1 + 2 * margin)
    corner, scale = np.array([x + width / 2, y + height / 2]) - reach / 2, side / reach
    to_square = np.array([[scale, 0, -scale * corner[0]], [0, scale, -scale * corner[1]]])
    square = cv2.warpAffine(frame, to_square, (side, side), borderMode=cv2.BORDER_REPLICATE)
    network.setInput(cv2.dnn.blobFromImage(square, 1 / 255))
    found = _points(np.ravel(network.forward()), name)
    shares = found / side if np.abs(found).max() > 2 else found
    return np.asarray(shares * reach + corner)


def _points(values: NDArray[np.floating], name: Path) -> Points:
    for count, size in ((68, 2), (68, 3), (468, 3), (478, 3), (468, 2), (478, 2)):
        if values.size == count * size:
            points = values.reshape(count, size)[:, :2].astype(np.float64)
            return points if count == 68 else points[list(FROM_478)]
    raise MerError(f"{name}: gives {values.size} numbers; expected x and y, or x, y, z, of 68, 468 or 478 points")
