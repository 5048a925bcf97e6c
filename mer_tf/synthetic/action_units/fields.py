"""Onset-apex flow images of drawn expressions, thousands a second: no face is drawn and no flow is estimated.

Beside the expression there is what every pair of frames has: the head moves, and the flow is wrong by smooth noise of
several scales.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from mer_tf.preprocessing.stacks import flow_stack, min_max
from mer_tf.synthetic.action_units.geometry import Geometry, geometry
from mer_tf.synthetic.action_units.movement import Profile, draw_labels, draw_movements

SIDE = 28
SCALES = (3, 5, 9, 15)
"""Knots a side of the smooth noise."""


@dataclass(frozen=True)
class Nuisance:
    """What moves beside the expression; pixels of an image of 28, or shares."""

    amplitude: tuple[float, float] = (0.2, 1.3)
    """Greatest displacement of the expression."""
    shift: float = 0.35
    turn: float = 0.012
    """Of the head, radians; about as much zoom and shear."""
    noise: tuple[float, float] = (0.06, 0.6)
    """Standard deviation of the flow's error."""
    frame: float = 0.05
    """The crop sits wrong by this share, and is as much too large or small."""


@dataclass(frozen=True)
class Drawn:
    """Images and what they show."""

    images: NDArray[np.uint8]
    """(N, 28, 28, 3): u, v, optical strain, each stretched to 0..255."""
    labels: NDArray[np.int64]
    """(N,) indices of `CLASSES`."""


def joined(parts: Sequence[Drawn]) -> Drawn:
    """Images of several drawings, one after the other."""
    return Drawn(np.concatenate([p.images for p in parts]), np.concatenate([p.labels for p in parts]))


def draw_images(
    count: int, rng: np.random.Generator, *, profile: Profile = "bell", face: Geometry | None = None
) -> Drawn:
    """`count` flow images, classes alike, drawn directly on a face that lies as `face` says, `tight` without."""
    labels, nuisance = draw_labels(count, rng), Nuisance()
    movements = draw_movements(labels, face or geometry("tight"), rng)
    movements = movements.scaled(rng.uniform(*nuisance.amplitude, count) / SIDE)
    centers = (movements.centers - 0.5) * np.exp(rng.normal(0, nuisance.frame, (count, 1, 2)))
    fields = replace(movements, centers=centers + 0.5).fields(SIDE, profile)
    return Drawn(flow_images(disturbed(fields, rng, nuisance)), labels)


def disturbed(fields: NDArray[np.floating], rng: np.random.Generator, nuisance: Nuisance) -> NDArray[np.float32]:
    """Flow (N, 28, 28, 2) in pixels on which a head moves, wrong by smooth noise."""
    return np.asarray(fields + _head(len(fields), rng, nuisance) + _noise(len(fields), rng, nuisance), np.float32)


def flow_images(fields: NDArray[np.floating]) -> NDArray[np.uint8]:
    """u, v and optical strain of flow (..., H, W, 2), each stretched to 0..255, as flow-image folders hold them."""
    return min_max(flow_stack(fields, "strain"))


def _head(count: int, rng: np.random.Generator, nuisance: Nuisance) -> NDArray[np.float32]:
    """(count, 28, 28, 2): shift, turn, zoom and a little shear of the head."""
    y, x = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    shift = rng.normal(0, nuisance.shift, (count, 2))
    linear = rng.normal(0, nuisance.turn / 2, (count, 2, 2))
    turn, zoom = rng.normal(0, nuisance.turn, (2, count))
    linear += turn[:, None, None] * np.array([[0, -1], [1, 0]]) + zoom[:, None, None] * np.eye(2)
    made = linear.astype(np.float32) @ np.stack([x, y]).reshape(2, -1).astype(np.float32)
    return np.moveaxis(made.reshape(count, 2, SIDE, SIDE), 1, -1) + shift[:, None, None, :].astype(np.float32)


def _noise(count: int, rng: np.random.Generator, nuisance: Nuisance) -> NDArray[np.float32]:
    """(count, 28, 28, 2): smooth, of several scales in random shares."""
    shares = rng.dirichlet(np.ones(len(SCALES)), count)
    size = np.exp(rng.uniform(np.log(nuisance.noise[0]), np.log(nuisance.noise[1]), count))
    total = np.zeros((count, 2, SIDE, SIDE), np.float32)
    for knots, share in zip(SCALES, shares.T, strict=True):
        up = cv2.resize(np.eye(knots, dtype=np.float32), (knots, SIDE), interpolation=cv2.INTER_CUBIC)
        rough = rng.standard_normal((count, 2, knots, knots), np.float32)
        rough *= (size * np.sqrt(share)).astype(np.float32)[:, None, None, None]
        total += up @ rough @ up.T
    return np.moveaxis(total, 1, -1)
