"""Drawn long videos on disk: compressed files, the truth of every frame range, and sheets as two data sets have them.

`manifest.csv` counts frames from 0, as videos are read; the sheets count from 1, as the frame files of CAS(ME)^2 and
SAMM Long Videos do.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import cv2
import numpy as np
import pandas as pd

from mer_tf.code_version import PIXELS
from mer_tf.config import MerError, digest
from mer_tf.datasets.manifest import MARKER, ClipRow, write_manifest
from mer_tf.errors import refuse
from mer_tf.files import atomic, write_csv, write_json
from mer_tf.locks import held
from mer_tf.progress import Progress
from mer_tf.synthetic.faces.appearance import HEIGHT, WIDTH, make_subject
from mer_tf.synthetic.faces.portraits import Portrait, load_portraits
from mer_tf.synthetic.layouts.casme import SQ_SUBJECTS, SQ_VIDEOS, casme_sq_sheets
from mer_tf.synthetic.layouts.files import finished, write_sheet
from mer_tf.synthetic.layouts.plan import PlannedClip
from mer_tf.synthetic.layouts.samm import LONG_SUBJECTS, MICRO, samm_lv_sheets
from mer_tf.synthetic.long.draw import draw_long
from mer_tf.synthetic.long.plan import DISTRACTORS, Plan, plan_video

Layout = Literal["casme-sq", "samm-lv"]
RATES = {"casme-sq": 30.0, "samm-lv": 200.0}
TRUTH, BEGUN = "long_truth.csv", ".begun.json"
EMPTY = 0.3
"""Share of videos without any expression."""


@dataclass(frozen=True)
class LongArguments:
    """Everything that fixes the bytes of a tree."""

    layout: str
    amplitude: float
    subjects: int
    videos: int
    """Of each subject."""
    seconds: float
    fps: float
    distractors: tuple[str, ...]
    seed: int
    faces: str
    """Digest of the portraits."""
    version: int = PIXELS


@dataclass(frozen=True)
class _Video:
    """One video: its file below the root, and as whom and under which name the sheet has it."""

    path: str
    subject: str
    name: str
    plan: Plan
    portrait: Portrait
    seed: int
    key: tuple[int, ...]


def write_long(
    out: Path,
    *,
    layout: str = "casme-sq",
    amplitude: float = 3.0,
    subjects: int = 4,
    videos: int = 1,
    seconds: float = 60.0,
    fps: float | None = None,
    distractors: Sequence[str] = DISTRACTORS,
    seed: int = 0,
    faces: Path | None = None,
    portraits: Sequence[Portrait] | None = None,
    progress: bool = True,
) -> Path:
    """Draw videos and their sheet under `out` and return `out`; what is finished is kept when a killed call runs again.

    `amplitude` is that of a micro-expression, pixels on a face 96 pixels wide; a macro-expression has twice that. The
    true frames stand in `manifest.csv`, in the sheet of `layout` and, with distractors, in `long_truth.csv`.
    """
    people = list(portraits or load_portraits(faces))
    shown = digest([p.digest() for p in people])
    rate = fps or RATES.get(layout, 0.0)
    made = LongArguments(
        layout, float(amplitude), subjects, videos, float(seconds), rate, tuple(distractors), seed, shown
    )
    _check(made)
    out, arguments = Path(out), dataclasses.asdict(made) | {"distractors": list(distractors)}
    if finished(out, arguments, MARKER, BEGUN):
        return out
    out.mkdir(parents=True, exist_ok=True)
    with held(out):
        write_json(out / BEGUN, arguments)
        planned = list(_videos(made, people))
        for video in Progress(planned, "long videos", disable=not progress, unit="video"):
            if not (out / video.path).exists():
                _write_video(out / video.path, video, made)
        _write_truth(out, planned, made)
        write_json(out / MARKER, arguments)
        (out / BEGUN).unlink()
    return out


@contextmanager
def video_writer(path: Path, fps: float, size: tuple[int, int]) -> Iterator[cv2.VideoWriter]:
    """A compressed video (MPEG-4) of (width, height) that is whole or absent."""
    with atomic(path) as part:
        writer = cv2.VideoWriter(str(part), cv2.VideoWriter.fourcc(*"mp4v"), fps, size)
        try:
            if not writer.isOpened():
                raise MerError(f"{path}: OpenCV cannot write this video; is there room, and may the folder be written?")
            yield writer
        finally:
            writer.release()


def _check(made: LongArguments) -> None:
    known = {"casme-sq": (len(SQ_SUBJECTS), len(SQ_VIDEOS)), "samm-lv": (len(LONG_SUBJECTS), 7)}
    most = known.get(made.layout, (1, 1))
    odd = [name for name in made.distractors if name not in DISTRACTORS]
    faults = {
        f"layout must be one of {', '.join(get_args(Layout))}, not {made.layout!r}": made.layout not in known,
        f"amplitude must lie in 0 .. 6 pixels, not {made.amplitude:g}": not 0 <= made.amplitude <= 6,
        f"subjects must lie in 1 .. {most[0]}, not {made.subjects}": not 1 <= made.subjects <= most[0],
        f"videos of a subject must lie in 1 .. {most[1]}, not {made.videos}": not 1 <= made.videos <= most[1],
        f"seconds must be 6 or more, not {made.seconds:g}": not made.seconds >= 6,
        f"fps must lie in 10 .. 1000, not {made.fps:g}": made.layout in known and not 10 <= made.fps <= 1000,
        f"distractors must be among {', '.join(DISTRACTORS)}, not {', '.join(odd)}": bool(odd),
    }
    refuse(f"long videos: {fault}" for fault, broken in faults.items() if broken)


def _videos(made: LongArguments, portraits: Sequence[Portrait]) -> Iterator[_Video]:
    for number in range(made.subjects * made.videos):
        person, own = divmod(number, made.videos)
        key = (made.seed, person, own)
        empty = int(EMPTY * (number + 1) + 1e-9) > int(EMPTY * number + 1e-9)
        plan = plan_video(made.seconds, made.distractors, empty, key)
        if made.layout == "casme-sq":
            subject, name = str(SQ_SUBJECTS[person]), list(SQ_VIDEOS)[own]
            path = f"rawvideo/s{subject}/{subject}_{''.join(SQ_VIDEOS[name])}.mp4"
        else:
            subject = LONG_SUBJECTS[person]
            name = f"{subject}_{own + 1}"
            path = f"SAMM_longvideos/{name}.mp4"
        yield _Video(path, subject, name, plan, portraits[person % len(portraits)], person, key)


def _write_video(path: Path, video: _Video, made: LongArguments) -> None:
    subject = make_subject(video.portrait, np.random.default_rng((made.seed, video.seed)))
    with video_writer(path, made.fps, (WIDTH, HEIGHT)) as writer:
        for frame in draw_long(video.plan, subject, made.fps, made.amplitude, video.key):
            writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))


def _write_truth(out: Path, videos: Sequence[_Video], made: LongArguments) -> None:
    clips = [(video, clip) for video in videos for clip in _clips(video, made)]
    sheets = casme_sq_sheets if made.layout == "casme-sq" else samm_lv_sheets
    for name, tabs in sheets([_from_one(clip) for _, clip in clips]).items():
        write_sheet(out / name, tabs)
    write_csv(pd.DataFrame(list(_truth(videos, made.fps))), out / TRUTH)
    write_manifest([_row(out, video, clip, made) for video, clip in clips], out / "manifest.csv")


def _clips(video: _Video, made: LongArguments) -> Iterator[PlannedClip]:
    """Expressions as the sheet names them; frames from 0."""
    for number, e in enumerate(sorted(video.plan.expressions, key=lambda e: e.span.start), start=1):
        onset, apex, offset = (round(s * made.fps) for s in (e.span.start, e.apex, e.span.end))
        kind = (MICRO if e.kind == "micro-expression" else "Macro") if made.layout == "samm-lv" else ""
        label = kind or f"{e.kind}/{e.emotion}"
        yield PlannedClip(video.subject, f"{video.name}_{number}", label, onset, apex, offset, e.combination.code)


def _from_one(clip: PlannedClip) -> PlannedClip:
    apex = None if clip.apex is None else clip.apex + 1
    return dataclasses.replace(clip, onset=clip.onset + 1, apex=apex, offset=clip.offset + 1)


def _row(out: Path, video: _Video, clip: PlannedClip, made: LongArguments) -> ClipRow:
    kind, _, emotion = clip.label.partition("/")
    square = made.layout == "casme-sq"
    subject = f"s{clip.subject}" if square else clip.subject
    short = kind[:5].casefold()
    name = clip.name if square or short == "micro" else f"{clip.name}-macro"
    return ClipRow(
        clip_id=f"{made.layout}/{subject}/{name}",
        dataset=made.layout,
        subject=f"cas_me_2/{subject}" if square else f"samm/{subject}",
        session=kind if square else video.name.split("_")[1],
        root=out.resolve().as_posix(),
        video=video.path,
        onset=clip.onset,
        apex=clip.apex,
        offset=clip.offset,
        fps=made.fps,
        label_raw=emotion if square else short,
        aus=clip.aus,
        apex_source="given",
    )


def _truth(videos: Sequence[_Video], fps: float) -> Iterator[dict[str, Any]]:
    """One row an expression and a distractor; frames from 0."""
    for video in videos:
        for e in video.plan.expressions:
            times = {"onset": e.span.start, "apex": e.apex, "offset": e.span.end}
            said = {"what": e.kind, "emotion": e.emotion, "aus": e.combination.code, "size": round(e.size, 3)}
            yield {"video": video.path, **said, **{name: round(s * fps) for name, s in times.items()}}
        for what, spans in video.plan.spans.items():
            for span in spans:
                frames = {"onset": round(span.start * fps), "apex": "", "offset": round(span.end * fps)}
                yield {"video": video.path, "what": what, "emotion": "", "aus": "", "size": "", **frames}
