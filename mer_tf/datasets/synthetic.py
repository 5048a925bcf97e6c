"""A look-alike of SMIC drawn from portraits, in the layout of the real data set, with the true motion known.

Classes differ in the motion of the face alone, and that motion is proportional to the amplitude: at amplitude 0 the
labels carry no information. Nothing measured on it is evidence about people.
"""

from __future__ import annotations

import dataclasses
import io
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from itertools import product
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from tqdm import tqdm

from mer_tf.config import MerError, digest
from mer_tf.datasets.action_units import Combination, combinations, expression
from mer_tf.datasets.appearance import (
    HEIGHT,
    WIDTH,
    Neutral,
    Subject,
    add_noise,
    close_lids,
    draw_neutral,
    make_subject,
    noise_bank,
    warp,
)
from mer_tf.datasets.face_motion import FaceMotion, apex_course, blink_course, drift, head_path, talk_course
from mer_tf.datasets.portraits import Portrait, load_portraits
from mer_tf.files import read_json, write_json, write_text

VERSION = 1
"""Raised whenever the same arguments would draw other bytes."""
MARKER = "synthetic.json"
"""Written last: arguments and version of a finished tree."""
TRUTH = "synthetic_truth.csv"
WORK = ".synthetic"
"""Folder of half-drawn clips, beside the tree and never inside it; holds the arguments of an unfinished tree."""
CAMERAS = {"hs": ("HS", 100.0), "vis": ("VIS", 25.0), "nir": ("NIR", 25.0)}
LABELS = {"negative": "ne", "positive": "po", "surprise": "sur", "non-micro": "non"}
"""Raw label -> its part of the clip name."""
SMIC_NUMBERS = (*range(1, 7), 8, 9, *range(11, 16), 18, 19, 20)
"""Subjects with micro-expressions in SMIC-HS; more subjects count on from 21."""
MAX_AMPLITUDE = 4.0
FRAMES = (11, 58)
"""Shortest and longest clip at 100 frames a second (Li et al., FG 2013)."""


@dataclass(frozen=True)
class Arguments:
    """Everything that fixes the bytes of a tree."""

    camera: str
    amplitude: float
    subjects: int
    clips_per_class: int
    seed: int
    style: str
    faces: str
    """Digest of the portraits."""
    version: int = VERSION
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

    forward: the point at x of the onset frame is at x + field(x) in `frame`, as optical flow from onset to frame says it.
    backward: frame(x) = onset(x + field(x)) up to light, noise and blinks, exactly as drawn (to 1/32 pixel).
    """
    return clip.motion.forward(frame) if direction == "forward" else clip.motion.backward(frame)


def draw(clip: SyntheticClip, noise: bool = True) -> Iterator[NDArray[np.uint8]]:
    """The frames of a clip: (240, 320, 3) uint8 RGB; without `noise` also without blinks and change of light."""
    rng = np.random.default_rng(clip.noise_seed)
    bank = noise_bank(rng)
    grid = np.stack(np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT)), axis=-1).astype(np.float32)
    for index in range(clip.frames):
        face = close_lids(clip.neutral, clip.blink[index]) if noise and clip.blink[index] else clip.neutral.image
        image = warp(face, grid + clip.motion.backward(index))
        if noise:
            image = add_noise(image * np.float32(1 + clip.light[index]), bank, rng)
        if clip.grey:
            image = np.repeat(image.mean(-1, keepdims=True), 3, axis=-1)
        yield np.clip(image + 0.5, 0, 255).astype(np.uint8)


def smic_clips(
    *,
    camera: str = "hs",
    amplitude: float = 3.0,
    subjects: int = 16,
    clips_per_class: int = 2,
    seed: int = 0,
    style: Literal["s01", "s1"] = "s01",
    faces: Path | None = None,
) -> Iterator[SyntheticClip]:
    """The clips `write_smic` draws for the same arguments, subject by subject, with their true motion."""
    portraits = load_portraits(faces)
    yield from _clips(_arguments(camera, amplitude, subjects, clips_per_class, seed, style, portraits), portraits)


def write_smic(
    out: Path,
    *,
    camera: str = "hs",
    amplitude: float = 3.0,
    subjects: int = 16,
    clips_per_class: int = 2,
    seed: int = 0,
    style: Literal["s01", "s1"] = "s01",
    faces: Path | None = None,
    progress: bool = True,
) -> Path:
    """Draw a tree in SMIC's layout under `out` and return `out`; a finished tree of the same arguments is left as it is.

    `amplitude`: greatest displacement at the apex, pixels on a face 96 pixels wide (a clip has .75 to 1.25 of it), at
    most 4. Equal arguments give equal bytes (on one machine and one version of the libraries). A killed call resumes.
    True parameters of each clip go to `synthetic_truth.csv`. A tree of other arguments, or of files that are not ours,
    is a `MerError`.
    """
    out, portraits = Path(out), load_portraits(faces)
    arguments = _arguments(camera, amplitude, subjects, clips_per_class, seed, style, portraits)
    if _finished(out, arguments):
        return out
    work = out / WORK
    write_json(work / MARKER, dataclasses.asdict(arguments))
    total = subjects * clips_per_class * len(LABELS)
    bar = tqdm(_clips(arguments, portraits), "synthetic clips", total, disable=not progress, unit="clip")
    rows = [_write_clip(clip, out, work) for clip in bar]
    text = io.StringIO()
    pd.DataFrame(rows).to_csv(text, index=False)
    write_text(out / TRUTH, text.getvalue())
    write_json(out / MARKER, dataclasses.asdict(arguments))
    shutil.rmtree(work)
    return out


def _arguments(
    camera: str,
    amplitude: float,
    subjects: int,
    clips_per_class: int,
    seed: int,
    style: str,
    portraits: Sequence[Portrait],
) -> Arguments:
    for fault, broken in {
        f"camera must be one of {', '.join(CAMERAS)}, not {camera!r}": camera not in CAMERAS,
        f"style must be s01 or s1, not {style!r}": style not in ("s01", "s1"),
        f"amplitude must lie in 0 .. {MAX_AMPLITUDE:g} pixels, not {amplitude}": not 0 <= amplitude <= MAX_AMPLITUDE,
        f"subjects must be 1 or more, not {subjects}": subjects < 1,
        f"clips_per_class must lie in 1 .. 99, not {clips_per_class}": not 1 <= clips_per_class <= 99,
        f"seed must be 0 or more, not {seed}": seed < 0,
    }.items():
        if broken:
            raise MerError(f"synthetic data: {fault}")
    tables = [files("data_manifests").joinpath(n).read_text() for n in ("action_units.csv", "emotion_action_units.csv")]
    faces = digest([p.digest() for p in portraits])
    return Arguments(camera, float(amplitude), subjects, clips_per_class, seed, style, faces, tables=digest(tables))


def _finished(out: Path, arguments: Arguments) -> bool:
    """Whether the tree is there; `MerError` when another one is, or files that are not ours."""
    for marker in (out / MARKER, out / WORK / MARKER):
        if marker.exists():
            found, wanted = read_json(marker), dataclasses.asdict(arguments)
            if found != wanted:
                differ = ", ".join(f"{k} {found.get(k)!r} not {v!r}" for k, v in wanted.items() if found.get(k) != v)
                raise MerError(
                    f"{out}: holds synthetic data of other arguments ({differ}); delete it or choose another folder"
                )
            return marker.parent == out
    if out.is_dir() and any(out.iterdir()):
        raise MerError(f"{out}: holds files that mer_tf did not draw; choose an empty folder for the synthetic data")
    return False


def _clips(arguments: Arguments, portraits: Sequence[Portrait]) -> Iterator[SyntheticClip]:
    for index in range(arguments.subjects):
        subject = make_subject(portraits[index % len(portraits)], np.random.default_rng((arguments.seed, index)))
        for label, number in product(LABELS, range(1, arguments.clips_per_class + 1)):
            yield _clip(arguments, subject, index, label, number)


def _clip(arguments: Arguments, subject: Subject, index: int, label: str, number: int) -> SyntheticClip:
    """One clip. What is common to all classes comes from a random stream of its own, which the class cannot touch."""
    key = (arguments.seed, index, list(LABELS).index(label), number)
    common, special = np.random.default_rng((*key, 0)), np.random.default_rng((*key, 1))
    home, fps = CAMERAS[arguments.camera]
    frames = max(4, round((FRAMES[0] + round((FRAMES[1] - FRAMES[0]) * common.beta(2.6, 3.8))) * fps / 100))
    neutral = draw_neutral(subject, common)
    combination, sides, intensity = _expression(label, special)
    size = arguments.amplitude * intensity * neutral.face_width / 96
    courses = {"apex": apex_course, "talk": talk_course, "rest": lambda n, _: np.zeros(n)}
    motion = FaceMotion(
        WIDTH,
        HEIGHT,
        expression(combination.aus, neutral.points, neutral.face_width, sides).scaled(size),
        courses[combination.course](frames, special),
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


def _expression(label: str, rng: np.random.Generator) -> tuple[Combination, tuple[float, float], float]:
    """Combination, strength of the two sides of the image, intensity."""
    options = combinations()[label]
    combination = options[int(rng.choice(len(options), p=[o.weight for o in options]))]
    weak = 0.15 if rng.uniform() < 0.1 else 1.0
    sides = (1.0, weak) if rng.uniform() < 0.5 else (weak, 1.0)
    return combination, sides, float(rng.uniform(0.75, 1.25))


def _person(index: int, style: str) -> str:
    number = SMIC_NUMBERS[index] if index < len(SMIC_NUMBERS) else 21 + index - len(SMIC_NUMBERS)
    return f"s{number:02d}" if style == "s01" else f"s{number}"


def _write_clip(clip: SyntheticClip, out: Path, work: Path) -> dict[str, Any]:
    """Draw a clip beside the tree and move it in whole; return its line of the truth table."""
    home = out / clip.folder
    if not home.exists():
        part = work / clip.name
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        for number, image in enumerate(draw(clip), start=clip.first_frame):
            path = part / f"reg_image{number}.bmp"
            if not cv2.imwrite(str(path), image[..., ::-1]):
                raise MerError(f"{path}: could not be written; is the disk full?")
        home.parent.mkdir(parents=True, exist_ok=True)
        part.rename(home)
    return _truth(clip)


def _truth(clip: SyntheticClip) -> dict[str, Any]:
    head = clip.motion.head - clip.motion.head[0]
    return {
        "clip": clip.name,
        "folder": clip.folder,
        "subject": clip.subject,
        "label": clip.label,
        "aus": clip.combination.code,
        "course": clip.combination.course,
        "onset": clip.first_frame,
        "apex": "" if clip.apex is None else clip.first_frame + clip.apex,
        "offset": clip.first_frame + clip.frames - 1,
        "intensity": round(clip.intensity, 4),
        "strength_left": clip.sides[0],
        "strength_right": clip.sides[1],
        "face_width_px": round(clip.neutral.face_width, 2),
        "head_turn_degrees": round(float(np.degrees(np.abs(head[:, 1, 0]).max())), 3),
        "blink": int(clip.blink.max() > 0),
        "light_change": round(float(np.abs(clip.light).max()), 4),
    }
