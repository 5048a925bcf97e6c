"""A portrait that nobody sat for: painted features on textured skin, with the points that a portrait needs."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from mer_tf.synthetic.faces.portraits import POINTS, Portrait

SIDE = 512
CENTER, WIDTH = (256.0, 250.0), 170.0
"""Middle of the face and its width, pixels."""
PLACES = {
    # lateral and down from the middle, in widths of the face
    "brow_outer": (0.37, -0.30),
    "brow_mid": (0.25, -0.34),
    "brow_inner": (0.11, -0.30),
    "eye_outer": (0.33, -0.18),
    "eye_upper": (0.23, -0.22),
    "eye_lower": (0.23, -0.145),
    "eye_inner": (0.12, -0.17),
    "nose_wing": (0.13, 0.16),
    "mouth_corner": (0.21, 0.33),
    "cheek": (0.29, 0.06),
    "face": (0.50, 0.0),
    "nose_tip": (0.0, 0.11),
    "mouth_top": (0.0, 0.29),
    "mouth_bottom": (0.0, 0.40),
    "chin_boss": (0.0, 0.54),
    "chin": (0.0, 0.70),
}
Places = dict[str, NDArray[np.float64]]


def painted_portrait(seed: int = 0) -> Portrait:
    """A face (512, 512, 3) drawn from a seed: tone, shape of the features, skin texture."""
    rng = np.random.default_rng((seed, 7))
    points = _points(rng)
    tone = rng.uniform([150, 105, 80], [225, 180, 160])
    image = np.full((SIDE, SIDE, 3), rng.uniform(60, 170, 3), np.float32)
    _ellipse(image, (CENTER[0], CENTER[1] - 20), (0.56, 0.86), rng.uniform(20, 90, 3))
    _ellipse(image, (CENTER[0], CENTER[1] + 12), (0.50, 0.70), tone)
    _shade(image, points, tone)
    _eyes(image, points, rng)
    _brows(image, points, rng)
    _mouth(image, points, tone)
    image += _texture(rng)
    return Portrait(np.clip(image, 0, 255).astype(np.uint8), points)


def _points(rng: np.random.Generator) -> Places:
    found = {}
    for name in POINTS:
        stem, _, side = name.rpartition("_")
        sign = {"left": -1.0, "right": 1.0}.get(side, 0.0)
        lateral, down = PLACES[stem if sign else name]
        found[name] = np.array(CENTER) + WIDTH * np.array([sign * lateral, down]) + rng.normal(0, 1.0, 2)
    return found


def _ellipse(
    image: NDArray[np.float32], center: tuple[float, float], radii: tuple[float, float], colour: object
) -> None:
    size = [round(WIDTH * r) for r in radii]
    cv2.ellipse(image, [round(c) for c in center], size, 0, 0, 360, _colour(colour), -1, cv2.LINE_AA)


def _colour(values: object) -> tuple[float, ...]:
    return tuple(float(v) for v in np.asarray(values, float))


def _shade(image: NDArray[np.float32], points: Places, tone: NDArray[np.float64]) -> None:
    """Light from above, the ridge of the nose, its wings, the folds beside the mouth, the hollow above the chin."""
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    image *= (1.08 - 0.25 * ((y - CENTER[1]) / SIDE) - 0.3 * ((x - CENTER[0]) / WIDTH) ** 2).clip(0.5, 1.2)[..., None]
    dark = _colour(tone * 0.62)
    layer = image.copy()
    for side in ("left", "right"):
        wing, corner = points[f"nose_wing_{side}"], points[f"mouth_corner_{side}"]
        _line(layer, [points[f"eye_inner_{side}"], (points["nose_tip"] + 2 * wing) / 3, wing], dark, 3)
        outward = np.array([0.06 * WIDTH * np.sign(corner[0] - CENTER[0]), 0.0])
        _line(layer, [wing, (wing + corner) / 2 + outward, corner + outward], dark, 3)
        cv2.circle(layer, _pixel(wing * 0.8 + points["nose_tip"] * 0.2), 5, _colour(tone * 0.4), -1, cv2.LINE_AA)
    hollow = (points["mouth_bottom"] * 2 + points["chin_boss"]) / 3
    _line(layer, [hollow + np.array(step) for step in ((-18, 0), (0, 4), (18, 0))], dark, 4)
    image[:] = cv2.GaussianBlur(layer, (0, 0), 1.6)


def _eyes(image: NDArray[np.float32], points: Places, rng: np.random.Generator) -> None:
    iris = rng.uniform([40, 30, 20], [110, 110, 130])
    for side in ("left", "right"):
        outer, upper, inner, lower = (points[f"eye_{part}_{side}"] for part in ("outer", "upper", "inner", "lower"))
        shape = np.array([_pixel(p) for p in (*_curve(outer, upper, inner), *_curve(inner, lower, outer))], np.int32)
        cv2.fillPoly(image, [shape], (232, 226, 222), cv2.LINE_AA)
        cv2.circle(image, _pixel((upper + lower) / 2), 7, _colour(iris), -1, cv2.LINE_AA)
        cv2.circle(image, _pixel((upper + lower) / 2), 3, (12, 12, 12), -1, cv2.LINE_AA)
        _line(image, _curve(outer, upper, inner), (35, 25, 22), 2)
        _line(image, _curve(outer, lower, inner), (110, 75, 65), 1)
        _line(image, _curve(outer, upper - [0, 7], inner), (120, 80, 65), 1)


def _brows(image: NDArray[np.float32], points: Places, rng: np.random.Generator) -> None:
    """Hairs one by one: their ends are what flow holds on to."""
    hair = rng.uniform([20, 15, 10], [90, 65, 45])
    for side in ("left", "right"):
        arc = _curve(*(points[f"brow_{part}_{side}"] for part in ("outer", "mid", "inner")))
        for _ in range(220):
            root = arc[rng.integers(len(arc))] + rng.normal(0, [2.0, 3.0])
            tip = root + np.array([np.sign(root[0] - CENTER[0]) * rng.uniform(4, 9), rng.uniform(-5, 1)])
            cv2.line(image, _pixel(root), _pixel(tip), _colour(hair * rng.uniform(0.7, 1.4)), 1, cv2.LINE_AA)


def _mouth(image: NDArray[np.float32], points: Places, tone: NDArray[np.float64]) -> None:
    left, right, top, bottom = (points[f"mouth_{n}"] for n in ("corner_left", "corner_right", "top", "bottom"))
    lips = np.array([_pixel(p) for p in (*_curve(left, top, right), *_curve(right, bottom, left))], np.int32)
    cv2.fillPoly(image, [lips], _colour(tone * [0.85, 0.58, 0.6]), cv2.LINE_AA)
    _line(image, _curve(left, (top + bottom) / 2 - [0, 2], right), _colour(tone * 0.35), 2)


def _curve(start: NDArray[np.float64], through: NDArray[np.float64], end: NDArray[np.float64]) -> NDArray[np.float64]:
    """Parabola through three points, (17, 2)."""
    t = np.linspace(0, 1, 17)[:, None]
    middle = 2 * through - (start + end) / 2
    return (1 - t) ** 2 * start + 2 * t * (1 - t) * middle + t**2 * end


def _line(image: NDArray[np.float32], places: object, colour: tuple[float, ...], width: int) -> None:
    points = np.round(np.asarray(places, float)).astype(np.int32)
    cv2.polylines(image, [points], False, colour, width, cv2.LINE_AA)


def _pixel(place: NDArray[np.float64]) -> tuple[int, int]:
    return round(float(place[0])), round(float(place[1]))


def _texture(rng: np.random.Generator) -> NDArray[np.float32]:
    """(512, 512, 1) pores and blotches, as skin has at every scale."""
    total = np.zeros((SIDE, SIDE), np.float32)
    for sigma, strength in ((1.0, 4.0), (2.0, 5.0), (4.0, 5.0), (10.0, 6.0)):
        rough = cv2.GaussianBlur(rng.standard_normal((SIDE, SIDE)).astype(np.float32), (0, 0), sigma)
        total += rough / rough.std() * np.float32(strength)
    return total[..., None]
