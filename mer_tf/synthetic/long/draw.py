"""The frames of a drawn long video, one after the other: nothing but the present frame is kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from mer_tf.synthetic.action_units.table import SIDES, Blobs, expression
from mer_tf.synthetic.faces.appearance import (
    HEIGHT,
    WIDTH,
    Neutral,
    Subject,
    add_noise,
    close_lids,
    draw_neutral,
    noise_bank,
    shifted,
)
from mer_tf.synthetic.faces.motion import FaceMotion, ease, head_pose
from mer_tf.synthetic.long.plan import Array, Expression, Plan, Span

TALK, TURN, GAZE = 3.0, 6.0, 2.5
"""Greatest motion of the jaw, of the head and of the eyes, pixels on a face 96 pixels wide."""
SYLLABLES = (3.0, 5.0)
"""A second."""
BROW_OF_BLINK = 0.4
"""Pixels by which a blink draws the brows down."""


@dataclass(frozen=True)
class Courses:
    """What moves in which frame; each (T,), or (T, 2) for x and y."""

    blink: Array
    talk: Array
    turn: Array
    gaze: Array
    light: Array
    shift: Array
    roll: Array
    zoom: Array


def draw_long(
    plan: Plan, subject: Subject, fps: float, amplitude: float, key: Sequence[int]
) -> Iterator[NDArray[np.uint8]]:
    """Frames (240, 320, 3) uint8 RGB; `key` seeds what the plan leaves open."""
    rng = np.random.default_rng((*key, 10))
    times = np.arange(round(plan.seconds * fps)) / fps
    courses, bank = _courses(plan, times, rng), noise_bank(rng)
    for scene, (start, end) in enumerate(_scenes(plan, times)):
        neutral = _framed(subject, scene, key)
        away = any(span.start <= times[start] < span.end for span in plan.spans.get("away", ()))
        moved = [(e.strength(times), _blobs_of(e, neutral, amplitude)) for e in plan.expressions]
        empty = cv2.GaussianBlur(neutral.image, (0, 0), 40) if away else None
        for t in range(start, end):
            if empty is not None:
                image = empty
            else:
                face = close_lids(neutral, float(courses.blink[t])) if courses.blink[t] else neutral.image
                image = shifted(face, _field(neutral, courses, moved, t))
            image = add_noise(image * np.float32(1 + courses.light[t]), bank, rng)
            yield np.clip(image + 0.5, 0, 255).astype(np.uint8)


def _scenes(plan: Plan, times: Array) -> list[tuple[int, int]]:
    """First frame and the one after the last of what lies between two cuts."""
    breaks = [span.start for span in plan.spans.get("cut", ())]
    breaks += [edge for span in plan.spans.get("away", ()) for edge in (span.start, span.end)]
    edges = [0, *sorted({int(np.searchsorted(times, second)) for second in breaks}), len(times)]
    return [(a, b) for a, b in pairwise(edges) if b > a]


def _framed(subject: Subject, scene: int, key: Sequence[int]) -> Neutral:
    """The person as one scene shows it: after each cut elsewhere and of another size."""
    rng = np.random.default_rng((*key, 11, scene))
    step = rng.uniform(-25, 25, 2) * [1, 0.4] if scene else np.zeros(2)
    return draw_neutral(replace(subject, place=subject.place + step), rng)


def _courses(plan: Plan, times: Array, rng: np.random.Generator) -> Courses:
    spans = {name: plan.spans.get(name, ()) for name in ("blink", "talk", "turn", "gaze", "light")}
    closed = sum((_bump(times, span) for span in spans["blink"]), np.zeros(len(times)))
    talk, light = np.zeros((2, len(times)))
    turn, gaze = np.zeros((2, len(times), 2))
    for span in spans["talk"]:
        talk += _speech(times, span, rng)
    for span in spans["turn"]:
        turn += _held(times, span, 0.4)[:, None] * _direction(rng) * rng.uniform(0.4, 1)
    for span in spans["gaze"]:
        gaze += _held(times, span, 0.05)[:, None] * _direction(rng) * rng.uniform(0.5, 1)
    for span in spans["light"]:
        light += _held(times, span, 0.1) * rng.choice([-1, 1]) * rng.uniform(0.05, 0.15)
    if "light" in plan.spans:
        light += 0.004 * np.sin(2 * np.pi * 100.3 * times)
    light += 0.03 * _sway(times, rng)
    shift = 1.5 * np.stack([_sway(times, rng), _sway(times, rng)], axis=-1)
    return Courses(closed, talk, turn, gaze, light, shift, 0.008 * _sway(times, rng), 0.005 * _sway(times, rng))


def _field(
    neutral: Neutral, courses: Courses, moved: Sequence[tuple[Array, Blobs]], t: int
) -> tuple[NDArray[np.float32], ...]:
    """Backward field of one frame, dx and dy: expressions, speech, eyes and brows on a head that moves."""
    unit = neutral.face_width / 96
    parts = [blobs.scaled(float(course[t])) for course, blobs in moved if course[t] > 0]
    if courses.talk[t]:
        jaw = expression((25, 26), neutral.points, neutral.face_width, (1.0, 1.0))
        parts.append(jaw.scaled(float(courses.talk[t]) * TALK * unit))
    if courses.blink[t]:
        parts.append(_at(neutral, "brow_mid", 0.12, np.array([0, courses.blink[t] * BROW_OF_BLINK * unit])))
    if courses.gaze[t].any():
        parts.append(_at(neutral, "eye_upper", 0.05, courses.gaze[t] * GAZE * unit, down=0.03))
    if courses.turn[t].any():  # what sticks out moves further than the rest
        center = neutral.points["nose_tip"][None]
        size = np.full((1, 2), 0.3 * neutral.face_width)
        parts.append(Blobs(center, size, (courses.turn[t] * TURN * 0.35 * unit)[None]))
    still = Blobs(*(np.zeros((0, 2)) for _ in range(3)))
    blobs = reduce(Blobs.joined, parts, still)
    head = _head(neutral, courses, t)
    return FaceMotion(WIDTH, HEIGHT, blobs, np.ones(1), head[None]).backward_planes(0)


def _blobs_of(event: Expression, neutral: Neutral, amplitude: float) -> Blobs:
    size = amplitude * event.size * neutral.face_width / 96
    return expression(event.combination.aus, neutral.points, neutral.face_width, event.sides).scaled(size)


def _at(neutral: Neutral, point: str, size: float, vector: Array, down: float = 0.0) -> Blobs:
    """One blob on each side of the face; `size` and `down` in widths of the face."""
    centers = np.stack([neutral.points[f"{point}_{side}"] for side in SIDES]) + np.array([0, down * neutral.face_width])
    return Blobs(centers, np.full((2, 2), size * neutral.face_width), np.stack([vector, vector]))


def _head(neutral: Neutral, courses: Courses, t: int) -> Array:
    shift = (courses.shift[t] + courses.turn[t] * TURN) * (neutral.face_width / 96)
    return head_pose(neutral.center, np.array([*shift, courses.roll[t], courses.zoom[t]]))


def _bump(times: Array, span: Span) -> Array:
    phase = np.clip((times - span.start) / (span.end - span.start), 0, 1)
    return np.asarray(np.sin(np.pi * phase) ** 2)


def _held(times: Array, span: Span, ramp: float) -> Array:
    """Rises within `ramp` seconds, stays, and falls."""
    edge = np.minimum(times - span.start, span.end - times) / ramp
    return ease(edge)


def _speech(times: Array, span: Span, rng: np.random.Generator) -> Array:
    """Openings of different height, one a syllable."""
    edges = [span.start]
    while edges[-1] < span.end:
        edges.append(edges[-1] + 1 / float(rng.uniform(*SYLLABLES)))
    syllables = [Span(a, b) for a, b in pairwise(edges)]
    return np.asarray(sum(_bump(times, one) * float(rng.uniform(0.3, 1)) for one in syllables))


def _direction(rng: np.random.Generator) -> Array:
    angle = float(rng.uniform(0, 2 * np.pi))
    return np.array([np.cos(angle), 0.5 * np.sin(angle)])


def _sway(times: Array, rng: np.random.Generator) -> Array:
    """Slow wandering of size about 1."""
    speeds, phases = rng.uniform([0.03, 0.1, 0.25], [0.1, 0.25, 0.5]), rng.uniform(0, 2 * np.pi, 3)
    waves = [a * np.sin(2 * np.pi * s * times + p) for a, s, p in zip((0.6, 0.3, 0.1), speeds, phases, strict=True)]
    return np.asarray(sum(waves))
