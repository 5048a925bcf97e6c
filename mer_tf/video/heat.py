"""Where an answer comes from, as heat over the apex.

A recogniser of flow is asked again and again, each time with the motion taken out somewhere (occlusion, Zeiler &
Fergus, ECCV 2014): the colours say by how much its probability falls. A run's networks are asked by Grad-CAM.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mer_tf.preprocessing.faces import warp
from mer_tf.preprocessing.frames import Frame
from mer_tf.synthetic.action_units.fields import flow_images

PLACES = 6
"""Along each side, at which the motion is taken out."""
REACH = 0.1
"""Deviation of the Gaussian window in which it is, in sides of the image."""
LEAST = 0.01
"""A probability that falls by less than this nowhere has no map."""
SIDE = 192
"""Of the picture, pixels."""
Says = Callable[[NDArray[np.uint8]], NDArray[np.floating]]
"""Flow images (N, S, S, 3) -> probability of the answer (N,)."""


@dataclass(frozen=True, eq=False)
class Heat:
    """A picture and how to read it; without a picture `said` is the reason."""

    said: str
    picture: Frame | None = None


def occluded(field: NDArray[np.floating], says: Says) -> tuple[float, NDArray[np.float64]]:
    """The probability by flow (S, S, 2), and by how much it falls when a place, of (PLACES, PLACES), moves as the
    median does."""
    side = len(field)
    middle = (np.arange(PLACES) + 0.5) * side / PLACES - 0.5
    near = np.exp(-0.5 * ((np.arange(side) - middle[:, None]) / (REACH * side)) ** 2)
    window = (near[:, None, :, None] * near[None, :, None, :]).reshape(-1, side, side, 1)
    without = field + window * (np.median(field, axis=(0, 1)) - field)
    shares = says(flow_images(np.concatenate([field[None], without])))
    return float(shares[0]), np.asarray(shares[0] - shares[1:], float).reshape(PLACES, PLACES)


def heat_of_flow(field: NDArray[np.floating], says: Says, answer: str, apex: Frame, box: NDArray[np.float64]) -> Heat:
    """Heat over the crop (x, y, width, height) of the apex that the flow was measured in."""
    share, falls = occluded(field, says)
    most = float(falls.max())
    if most < LEAST:
        return Heat(f"No heat map: wherever the motion is taken out, “{answer}” loses less than {LEAST:g}.")
    smooth = cv2.resize(falls.astype(np.float32), (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    said = (
        f"apex with heat by occlusion: how far “{answer}” {share:.2f} falls without the motion there; "
        f"brightest: by {most:.2f}"
    )
    return Heat(said, heated(_cut(apex, box), np.asarray(smooth / most, np.float32)))


def heated(face: Frame, heat: NDArray[np.float32]) -> Frame:
    """Heat (S, S), 1 the brightest, over a grey face (S, S, 3), as large as the page has it."""
    from mer_tf.explain.figures.maps import overlay  # brings Keras

    size = (SIDE, SIDE)
    large = cv2.resize(face.astype(np.uint8), size, interpolation=cv2.INTER_LINEAR)
    return overlay(large, np.asarray(cv2.resize(heat, size, interpolation=cv2.INTER_LINEAR), np.float32))


def _cut(frame: Frame, box: NDArray[np.float64]) -> Frame:
    """A box of the frame; pixel centres lie at half pixels."""
    scale = SIDE / box[2:]
    matrix = np.column_stack([np.diag(scale), (0.5 - box[:2]) * scale - 0.5])
    return warp(frame, matrix, SIDE)
