"""How a drawn subject looks: the shape of the face, tone and light, the lids, the noise of the sensor."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mer_tf.synthetic.action_units.table import SIDES, Blobs
from mer_tf.synthetic.faces.portraits import Portrait

WIDTH, HEIGHT = 320, 240
"""Frame size, pixels."""
NOISE = 2.0
"""Standard deviation of the sensor noise, grey levels."""
FEATURES = (
    # anchor, lateral, down, sigma, lowest, highest move; in face widths. A broad smile is relaxed, the rest varies.
    ("mouth_corner", -0.4, 1.0, 0.13, 0.00, 0.06),
    ("mouth_corner", 1.0, 0.0, 0.15, -0.04, 0.02),
    ("mouth_bottom", 0.0, 1.0, 0.14, -0.045, 0.0),
    ("brow_mid", 0.0, 1.0, 0.12, -0.03, 0.02),
    ("brow_inner", 1.0, 0.2, 0.10, -0.02, 0.02),
    ("eye_upper", 0.0, 1.0, 0.06, -0.012, 0.014),
    ("eye_outer", 1.0, 0.0, 0.10, -0.02, 0.02),
    ("nose_wing", 1.0, 0.0, 0.10, -0.025, 0.025),
    ("nose_tip", 0.0, 1.0, 0.14, -0.04, 0.04),
    ("cheek", 1.0, 0.0, 0.20, -0.03, 0.03),
    ("face", 1.0, 0.0, 0.25, -0.06, 0.06),
    ("chin", 0.0, 1.0, 0.25, -0.07, 0.05),
)


@dataclass(frozen=True)
class Subject:
    """One drawn person: everything that all clips of a subject share."""

    portrait: Portrait
    shape: Blobs
    """Backward warp, pixels of the portrait: the subject's face at q looks like the portrait at q + shape(q)."""
    face_width: float
    """Wanted width of the face in a frame, pixels."""
    roll: float
    place: NDArray[np.float64]
    """Where the middle of the face sits in the frame, (x, y)."""
    coloured: NDArray[np.float32]
    """The portrait in the subject's colours, (H, W, 3) RGB."""
    slope: NDArray[np.float64]
    """Relative brightening from left to right and from top to bottom."""


@dataclass(frozen=True)
class Neutral:
    """The onset frame of a clip without noise, and where the parts of the face are in it."""

    image: NDArray[np.float32]
    """(H, W, 3) RGB, 0 to 255."""
    points: dict[str, NDArray[np.float64]]
    face_width: float
    center: NDArray[np.float64]


def make_subject(portrait: Portrait, rng: np.random.Generator) -> Subject:
    """A person drawn at random from a portrait."""
    portrait = portrait.mirrored() if rng.uniform() < 0.5 else portrait
    return Subject(
        portrait=portrait,
        shape=_wobble(portrait, rng).joined(_features(portrait, rng)),
        face_width=float(rng.uniform(96, 110)),
        roll=float(rng.normal(0, 0.02)),
        place=np.array([WIDTH / 2, 0.56 * HEIGHT]) + rng.uniform(-5, 5, 2),
        coloured=_coloured(portrait, rng),
        slope=rng.uniform(-0.25, 0.25, 2),
    )


def draw_neutral(subject: Subject, rng: np.random.Generator) -> Neutral:
    """The subject as one clip begins: its own small shift, tilt, size and light, but no expression."""
    width = subject.face_width * float(rng.uniform(0.98, 1.02))
    place = subject.place + rng.normal(0, 1.5, 2)
    to_portrait = _pose(subject, width, place, subject.roll + float(rng.normal(0, 0.01)))
    to_frame = np.asarray(cv2.invertAffineTransform(to_portrait), dtype=float)
    shape = subject.shape.moved(to_frame)
    columns, rows = np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT))
    source = (np.stack([columns, rows], -1) + shape.grid(WIDTH, HEIGHT)) @ to_portrait[:, :2].T + to_portrait[:, 2]
    image = warp(subject.coloured, source)
    image *= _light(subject.slope + rng.uniform(-0.05, 0.05, 2)) * float(rng.uniform(0.95, 1.05))
    names = list(subject.portrait.points)
    on_face = np.array([subject.portrait.points[n] for n in names]) @ to_frame[:, :2].T + to_frame[:, 2]
    points = dict(zip(names, shape.solve(on_face), strict=True))
    placed = Portrait(subject.portrait.image, points)
    return Neutral(np.clip(image, 0, 255), points, placed.face_width, placed.center)


def warp(image: NDArray[np.float32], source: NDArray[np.floating]) -> NDArray[np.float32]:
    """Image drawn from `source` (H, W, 2), the place each pixel is taken from; cubic, places rounded to 1/32 pixel."""
    return _sample(image, source, cv2.INTER_CUBIC, cv2.BORDER_REFLECT_101)


def shifted(image: NDArray[np.float32], planes: tuple[NDArray[np.float32], ...]) -> NDArray[np.float32]:
    """`warp` from where each pixel is shifted to, by dx and dy (H, W) each."""
    height, width = planes[0].shape
    x, y = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)[:, None]
    places = (x + planes[0], y + planes[1])
    return np.asarray(cv2.remap(image, *places, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101), np.float32)


def close_lids(neutral: Neutral, closure: float) -> NDArray[np.float32]:
    """Copy of the neutral image with the upper lids down by `closure`, 0 open to 1 closed."""
    image = neutral.image.copy()
    for side in SIDES:
        _close_lid(
            image,
            {part: neutral.points[f"eye_{part}_{side}"] for part in ("outer", "inner", "upper", "lower")},
            closure,
        )
    return image


def noise_bank(rng: np.random.Generator) -> NDArray[np.float32]:
    """Sensor noise larger than a frame, for `add_noise`: drawing it afresh for each frame would double the time."""
    return rng.standard_normal((HEIGHT + 64, WIDTH + 64, 3), dtype=np.float32) * np.float32(NOISE)


def add_noise(image: NDArray[np.float32], bank: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Image plus a random cut of the noise bank."""
    y, x = rng.integers(0, 65, 2)
    return np.asarray(image + bank[y : y + HEIGHT, x : x + WIDTH])


def _wobble(portrait: Portrait, rng: np.random.Generator) -> Blobs:
    """Random field of low frequency over the head."""
    unit = portrait.face_width
    steps = np.stack(np.meshgrid(np.linspace(-1, 1, 5), np.linspace(-1.2, 1, 5)), -1).reshape(-1, 2)
    centers = portrait.center + unit * (steps + rng.uniform(-0.1, 0.1, steps.shape))
    return Blobs(centers, np.full_like(centers, 0.4 * unit), rng.normal(0, 0.03 * unit, centers.shape))


def _features(portrait: Portrait, rng: np.random.Generator) -> Blobs:
    """Random size and place of brows, eyes, nose, mouth and chin, the same on both sides."""
    unit = portrait.face_width
    centers, sigmas, vectors = [], [], []
    for anchor, lateral, down, sigma, low, high in FEATURES:
        move = -float(rng.uniform(low, high)) * unit  # backward: what moves right is taken from the left
        for side, sign in ((f"_{SIDES[0]}", -1.0), (f"_{SIDES[1]}", 1.0), ("", 0.0)):
            if anchor + side in portrait.points:
                centers.append(portrait.points[anchor + side])
                sigmas.append([sigma * unit] * 2)
                vectors.append([sign * lateral * move, down * move])
    return Blobs(np.array(centers), np.array(sigmas), np.array(vectors))


def _pose(subject: Subject, width: float, place: NDArray[np.float64], roll: float) -> NDArray[np.float64]:
    """Affine map (2, 3) from the frame to the portrait."""
    portrait = subject.portrait
    scale, angle = portrait.face_width / width, portrait.roll - roll
    linear = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.column_stack([linear, portrait.center - linear @ place])


def _coloured(portrait: Portrait, rng: np.random.Generator) -> NDArray[np.float32]:
    """The portrait with its own saturation, contrast and tint."""
    image = portrait.image.astype(np.float32) / 255
    grey = image.mean(-1, keepdims=True)
    gains, gamma, saturation = rng.uniform(0.91, 1.09, 3), np.exp(rng.uniform(-0.35, 0.45)), rng.uniform(0.55, 1.2)
    image = np.clip(grey + np.float32(saturation) * (image - grey), 0, 1) ** np.float32(gamma)
    return np.asarray(image * (255 * gains).astype(np.float32))


def _light(slope: NDArray[np.float64]) -> NDArray[np.float32]:
    """(H, W, 1) gain that grows by `slope` across the frame and down it, 1 in the middle."""
    across, down = np.linspace(-0.5, 0.5, WIDTH), np.linspace(-0.5, 0.5, HEIGHT)
    return (1 + slope[0] * across + slope[1] * down[:, None]).astype(np.float32)[..., None]


def _close_lid(image: NDArray[np.float32], eye: dict[str, NDArray[np.float64]], closure: float) -> None:
    """Paint one upper lid down over the eye, in place: skin stretched from above, and the lashes at its edge."""
    left, right = sorted((eye["outer"], eye["inner"]), key=lambda p: p[0])
    pad = 6
    x0, x1 = int(left[0]) - pad, int(right[0]) + pad + 1
    y0, y1 = int(eye["upper"][1]) - 3 * pad, int(eye["lower"][1]) + 2 * pad
    x, y = np.meshgrid(np.arange(x0, x1, dtype=float), np.arange(y0, y1, dtype=float))
    u = np.clip(2 * (x - left[0]) / (right[0] - left[0]) - 1, -1.3, 1.3)
    line = left[1] + (right[1] - left[1]) * (u + 1) / 2
    middle = (left[1] + right[1]) / 2
    upper = line + (eye["upper"][1] - middle - 1.5) * (1 - u**2)
    lower = line + (eye["lower"][1] - middle) * (1 - u**2)
    edge = upper + closure * (lower - upper)
    crease = upper - 2.5  # above the lashes of the open eye, which the lid takes along
    places = np.stack([x - x0, np.where(y > crease, crease - 0.5 * (y - crease), y) - y0], -1)
    patch = image[y0:y1, x0:x1]
    lid = _sample(patch, places, cv2.INTER_LINEAR, cv2.BORDER_REPLICATE)
    inside = np.clip((1.15 - np.abs(u)) / 0.3, 0, 1)
    lashes = 1 - 0.55 * np.exp(-(((y - edge) / 1.1) ** 2)) * inside
    cover = np.clip((edge - y) / 1.5 + 0.5, 0, 1) * np.clip(y - crease + 1, 0, 1) * inside
    blend = (np.minimum(1, 4 * closure) * cover)[..., None]
    patch += (blend * (lid * lashes[..., None] - patch)).astype(np.float32)


def _sample(
    image: NDArray[np.float32], places: NDArray[np.floating], interpolation: int, border: int
) -> NDArray[np.float32]:
    x, y = (np.ascontiguousarray(places[..., axis], dtype=np.float32) for axis in (0, 1))
    return np.asarray(cv2.remap(np.ascontiguousarray(image), x, y, interpolation, borderMode=border), np.float32)
