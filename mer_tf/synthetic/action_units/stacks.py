"""Flow stacks of whole drawn clips, onset to apex to offset: what a network over time sees, frame to frame.

The expression's field stays where it is and grows and fades with the time course of the table; the head wanders and
the flow errs anew in every frame. Nothing is rendered.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from mer_tf.preprocessing.stacks import Third, flow_stack, quantised
from mer_tf.synthetic.action_units.geometry import geometry
from mer_tf.synthetic.action_units.movement import draw_labels, draw_movements
from mer_tf.synthetic.faces.clip import clip_length
from mer_tf.synthetic.faces.motion import apex_course

STORED = 96
"""Side of stored faces, in whose pixels flow is measured."""
AMPLITUDE = (0.8, 4.0)
"""Greatest displacement at the apex, stored pixels."""
WANDER = 0.05
"""Standard deviation of the head's step from frame to frame, stored pixels."""
ERROR = (0.01, 0.08)
"""Standard deviation of the flow's error, stored pixels."""
KNOTS = 9
"""Knots a side of that error."""
FPS = 100.0


def draw_stacks(
    count: int, images: int, side: int, rng: np.random.Generator, *, bound: float = 1.0, third: Third = "magnitude"
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """`count` clips as flow images uint8 (N, images, side, side, 3) in the units of `quantised`, and classes (N,).

    The face lies as `preprocess.face=align` lays it; the window is the middle of a clip, whose ends are repeated where
    it is shorter, as models of images take it.
    """
    labels = draw_labels(count, rng)
    moved = draw_movements(labels, geometry("aligned"), rng).scaled(rng.uniform(*AMPLITUDE, count) / STORED)
    whole = moved.fields(side) * np.float32(STORED / side)
    flow = whole[:, None] * _steps(count, images, rng)[..., None, None, None] + _else(count, images, side, rng)
    return quantised(flow_stack(flow, third), bound), labels


def _steps(count: int, images: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """(count, images): change of the time course from frame to frame, 0 beyond the clip."""
    found = np.zeros((count, images), np.float32)
    for row in found:
        course = apex_course(clip_length(FPS, rng), rng)
        start = (len(course) - (images + 1)) // 2
        row[:] = np.diff(course[np.clip(start + np.arange(images + 1), 0, len(course) - 1)])
    return found


def _else(count: int, images: int, side: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """(count, images, side, side, 2): the head's steps and the flow's error."""
    up = cv2.resize(np.eye(KNOTS, dtype=np.float32), (KNOTS, side), interpolation=cv2.INTER_CUBIC)
    size = rng.uniform(*ERROR, (count, 1, 1, 1, 1)).astype(np.float32)
    error = up @ (rng.standard_normal((count, images, 2, KNOTS, KNOTS), np.float32) * size) @ up.T
    head = rng.standard_normal((count, images, 1, 1, 2), np.float32) * np.float32(WANDER)
    return np.asarray(np.moveaxis(error, 2, -1) + head, np.float32)
