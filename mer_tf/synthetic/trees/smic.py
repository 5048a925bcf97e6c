"""A look-alike of SMIC drawn from portraits, in the layout of the real data set, with the true motion known.

Classes differ in the motion of the face alone, and that motion is proportional to the amplitude: at amplitude 0 the
labels carry no information. Nothing measured on it is evidence about people.
"""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd

from mer_tf.config import digest
from mer_tf.datasets.manifest import MARKER
from mer_tf.errors import refuse
from mer_tf.files import fact_file, write_csv, write_json
from mer_tf.locks import held
from mer_tf.parallel import check_stop, in_threads, products_alone
from mer_tf.preprocessing.pictures import write_picture
from mer_tf.progress import Progress
from mer_tf.synthetic.faces.clip import CAMERAS, LABELS, Arguments, SyntheticClip, displacement, draw, plan_clips
from mer_tf.synthetic.faces.portraits import Portrait, load_portraits
from mer_tf.synthetic.layouts.files import finished

__all__ = ["Arguments", "SyntheticClip", "displacement", "draw", "smic_clips", "write_smic"]

TRUTH = "synthetic_truth.csv"
WORK = ".synthetic"
"""Folder of half-drawn clips, beside the tree and never inside it; holds the arguments of an unfinished tree."""
MAX_AMPLITUDE = 4.0
PNG = (
    *(cv2.IMWRITE_PNG_COMPRESSION, 1),
    *(cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_HUFFMAN_ONLY),
    *(cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_AVG),
)
"""Noise has nothing that repeats, and one filter suits all rows: to look for better takes twice the time."""


def smic_clips(*, faces: Path | None = None, **arguments: Any) -> Iterator[SyntheticClip]:
    """The clips `write_smic` draws for the same arguments, subject by subject, with their true motion."""
    portraits = load_portraits(faces)
    yield from plan_clips(tree_arguments(portraits, **arguments), portraits)


def write_smic(
    out: Path, *, faces: Path | None = None, progress: bool = True, suffix: str = ".bmp", **arguments: Any
) -> Path:
    """Draw a tree in SMIC's layout under `out` and return `out`; a finished tree of equal arguments is left alone.

    `suffix`: format of the frames, .bmp as in SMIC or .png. `arguments` are those of `Arguments`. Equal ones give equal
    bytes (on one machine and one version of the libraries). A killed call resumes. True parameters of each clip go to
    `synthetic_truth.csv`. A tree of other arguments, of files that are not ours, or that another process is drawing,
    and an argument out of its range are `MerError`s.
    """
    portraits = load_portraits(faces)
    made = tree_arguments(portraits, **arguments)
    bar = partial(Progress, total=made.subjects * made.clips_per_class * len(LABELS), disable=not progress)
    return draw_tree(Path(out), made, plan_clips(made, portraits), bar, f"reg_image{{}}{suffix}")


def draw_tree(
    out: Path,
    arguments: Arguments,
    clips: Iterable[SyntheticClip],
    bar: Callable[..., Iterable[dict[str, Any]]],
    image: str = "reg_image{}.bmp",
    finish: Callable[[list[dict[str, Any]]], None] = lambda rows: None,
) -> Path:
    """Write the clips into their folders, then the truth table; `finish` gets its rows, and the marker comes last.

    Clips are drawn side by side (`mer_tf.parallel`). `bar`: wraps the rows as they come. `image`: name of a frame's
    file, formatted with its number and `clip`.
    """
    if _finished(out, arguments):
        return out
    out.mkdir(parents=True, exist_ok=True)
    with held(out), products_alone():
        if not _finished(out, arguments):  # by another process, meanwhile
            work = out / WORK
            write_json(work / MARKER, dataclasses.asdict(arguments))
            write = partial(_write_clip, out=out, work=work, image_name=image)
            rows = list(bar(in_threads(write, clips), desc="synthetic clips", unit="clip"))
            write_csv(pd.DataFrame(rows), out / TRUTH)
            finish(rows)
            write_json(out / MARKER, dataclasses.asdict(arguments))
            shutil.rmtree(work)
    return out


def tree_arguments(portraits: Sequence[Portrait], **given: Any) -> Arguments:
    """Checked arguments of a tree; `MerError` for one out of its range."""
    tables = [fact_file(n).read_text(encoding="utf-8") for n in ("action_units.csv", "emotion_action_units.csv")]
    made = Arguments(faces=digest([p.digest() for p in portraits]), tables=digest(tables), **given)
    most, clips = f"{MAX_AMPLITUDE:g} pixels", made.clips_per_class
    faults = {
        f"camera must be one of {', '.join(CAMERAS)}, not {made.camera!r}": made.camera not in CAMERAS,
        f"style must be s01 or s1, not {made.style!r}": made.style not in ("s01", "s1", "casme2", "samm"),
        f"amplitude must lie in 0 .. {most}, not {made.amplitude}": not 0 <= made.amplitude <= MAX_AMPLITUDE,
        f"subjects must be 1 or more, not {made.subjects}": made.subjects < 1,
        f"clips_per_class must lie in 1 .. 99, not {clips}": not 1 <= clips <= 99,
        f"seed must be 0 or more, not {made.seed}": made.seed < 0,
    }
    refuse(f"synthetic data: {fault}" for fault, broken in faults.items() if broken)
    return dataclasses.replace(made, amplitude=float(made.amplitude))


def _finished(out: Path, arguments: Arguments) -> bool:
    return finished(out, dataclasses.asdict(arguments), MARKER, f"{WORK}/{MARKER}")


def _write_clip(clip: SyntheticClip, out: Path, work: Path, image_name: str) -> dict[str, Any]:
    """Draw a clip beside the tree and move it in whole; return its line of the truth table."""
    check_stop()
    home = out / clip.folder
    if not home.exists():
        part = work / clip.folder  # other subjects may have a clip of the same name
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        options = PNG if image_name.endswith(".png") else ()
        for number, image in enumerate(draw(clip), start=clip.first_frame):
            write_picture(part / image_name.format(number, clip=clip), image, options)
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
