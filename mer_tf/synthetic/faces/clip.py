"""One clip of the synthetic data set: who shows what, the true motion, and its frames.

Classes differ in the motion of the face alone, and that motion is proportional to the amplitude: at amplitude 0 the
labels carry no information.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mer_tf.code_version import PIXELS
from mer_tf.synthetic.action_units.table import Combination, drawn_combination, drawn_sides, expression
from mer_tf.synthetic.faces.appearance import (
    HEIGHT,
    WIDTH,
    Neutral,
    Subject,
    add_noise,
    close_lids,
    draw_neutral,
    make_subject,
    noise_bank,
    shifted,
)
from mer_tf.synthetic.faces.motion import (
    FaceMotion,
    apex_course,
    blink_course,
    drift,
    head_path,
    rest_course,
    talk_course,
)
from mer_tf.synthetic.faces.portraits import Portrait

CAMERAS = {"hs": ("HS", 100.0), "vis": ("VIS", 25.0), "nir": ("NIR", 25.0)}
LABELS = {"negative": "ne", "positive": "po", "surprise": "sur", "non-micro": "non"}
"""Raw label -> its part of the clip name."""
SMIC_NUMBERS = (*range(1, 7), 8, 9, *range(11, 16), 18, 19, 20)
"""Subjects with micro-expressions in SMIC-HS; more subjects count on from 21."""
COURSES = {"apex": apex_course, "talk": talk_course, "rest": rest_course}
FRAMES = (11, 58)
"""Shortest and longest clip at 100 frames a second (Li et al., FG 2013)."""


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """Everything that fixes the bytes of a tree."""

    camera: str = "hs"
    amplitude: float = 3.0
    """Greatest displacement at the apex, pixels on a face 96 pixels wide (a clip has .75 to 1.25 of it), at most 4."""
    subjects: int = 16
    clips_per_class: int = 2
    seed: int = 0
    style: str = "s01"
    """How subjects are written, s01 or s1; or whose tree it is."""
    faces: str
    """Digest of the portraits."""
    version: int = PIXELS
    tables: str = ""
    """Digest of the action unit tables."""


@dataclass(frozen=True)
class SyntheticClip:
    """One clip, not yet drawn. `name` and `folder` are those of the tree, e.g. s01_ne_01 in HS/s01/micro/negative/."""

    name: str
    folder: str
    subject: str
    label: str
    fps: float
    grey: bool
    first_frame: int
    """Number of the first frame in the file names."""
    neutral: Neutral
    motion: FaceMotion
    blink: NDArray[np.float64]
    """(T,) closure of the lids."""
    light: NDArray[np.float64]
    """(T,) relative change of brightness."""
    combination: Combination
    sides: tuple[float, float]
    intensity: float
    noise_seed: tuple[int, ...]

    @property
    def frames(self) -> int:
        """Number of frames."""
        return len(self.blink)

    @cached_property
    def apex(self) -> int | None:
        """Index of the strongest frame; None where there is no expression."""
        return int(self.motion.course.argmax()) if self.combination.aus else None


def displacement(
    clip: SyntheticClip, frame: int, direction: Literal["forward", "backward"] = "forward"
) -> NDArray[np.float32]:
    """True motion between the onset and `frame` (index from 0): float32 (240, 320, 2), dx and dy in pixels.

    forward: the point at x of the onset frame is at x + field(x) in `frame`, as optical flow from the onset says it.
    backward: frame(x) = onset(x + field(x)) up to light, noise and blinks, exactly as drawn (to 1/32 pixel).
    """
    return clip.motion.forward(frame) if direction == "forward" else clip.motion.backward(frame)


def draw(clip: SyntheticClip, noise: bool = True) -> Iterator[NDArray[np.uint8]]:
    """The frames of a clip: (240, 320, 3) uint8 RGB; without `noise` no blink and no change of light either."""
    rng = np.random.default_rng(clip.noise_seed)
    bank = noise_bank(rng)
    for index in range(clip.frames):
        face = close_lids(clip.neutral, clip.blink[index]) if noise and clip.blink[index] else clip.neutral.image
        image = shifted(face, clip.motion.backward_planes(index))
        if noise:
            image *= np.float32(1 + clip.light[index])
            image = add_noise(image, bank, rng)
        if clip.grey:
            image = np.repeat(image.mean(-1, keepdims=True), 3, axis=-1)
        image += np.float32(0.5)
        yield np.clip(image, 0, 255, out=image).astype(np.uint8)


def plan_clips(arguments: Arguments, portraits: Sequence[Portrait]) -> Iterator[SyntheticClip]:
    """All clips of a tree, subject by subject."""
    for index in range(arguments.subjects):
        subject = make_subject(portraits[index % len(portraits)], np.random.default_rng((arguments.seed, index)))
        for label, number in product(LABELS, range(1, arguments.clips_per_class + 1)):
            yield _clip(arguments, subject, index, label, number)


def _clip(arguments: Arguments, subject: Subject, index: int, label: str, number: int) -> SyntheticClip:
    """One clip. What is common to all classes comes from a random stream of its own, which the class cannot touch."""
    key = (arguments.seed, index, list(LABELS).index(label), number)
    common, special = np.random.default_rng((*key, 0)), np.random.default_rng((*key, 1))
    home, fps = CAMERAS[arguments.camera]
    frames = clip_length(fps, common)
    neutral = draw_neutral(subject, common)
    combination, sides = drawn_combination(label, special), drawn_sides(special)
    intensity = float(special.uniform(0.75, 1.25))
    size = arguments.amplitude * intensity * neutral.face_width / 96
    motion = FaceMotion(
        WIDTH,
        HEIGHT,
        expression(combination.aus, neutral.points, neutral.face_width, sides).scaled(size),
        COURSES[combination.course](frames, special),
        head_path(frames, neutral.center, neutral.face_width, common),
    )
    person = _person(index, arguments.style)
    name = f"{person}_{LABELS[label]}_{number:02d}"
    kind = "non_micro" if label == "non-micro" else f"micro/{label}"
    return SyntheticClip(
        name=name,
        folder=f"{home}/{person}/{kind}/{name}",
        subject=person,
        label=label,
        fps=fps,
        grey=arguments.camera == "nir",
        first_frame=int(common.integers(100_000, 900_000)),
        neutral=neutral,
        motion=motion,
        blink=blink_course(frames, fps, common),
        light=drift(frames, 0.03, common),
        combination=combination,
        sides=sides,
        intensity=intensity,
        noise_seed=(*key, 2),
    )


def clip_length(fps: float, rng: np.random.Generator) -> int:
    """Number of frames: 11 to 58, 30 on average, at 100 frames a second; never below 4."""
    shortest, longest = FRAMES
    return max(4, round((shortest + (longest - shortest) * rng.beta(2.6, 3.8)) * fps / 100))


def _person(index: int, style: str) -> str:
    number = SMIC_NUMBERS[index] if index < len(SMIC_NUMBERS) else 21 + index - len(SMIC_NUMBERS)
    return f"s{number:02d}" if style == "s01" else f"s{number}"
