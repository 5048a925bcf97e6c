"""A folder of video files as a data set: each file is one clip and, for want of better knowledge, one subject."""

from __future__ import annotations

import dataclasses
import logging
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from mer_tf.config import MerError
from mer_tf.datasets.adapters.listing import Listing, listing_of
from mer_tf.datasets.manifest import ClipRow
from mer_tf.files import hidden, placed
from mer_tf.names import few
from mer_tf.preprocessing.containers import is_video
from mer_tf.preprocessing.video import SUFFIXES, probe_video

log = logging.getLogger(__name__)


def videos_listing(root: Path, sheet: Path | None) -> Listing:
    """One row a video below `root`, whatever its name, sorted; its label is empty.

    A file that cannot be read, or shares its name with another, is left out and is a problem; of a video that is cut,
    what is there is listed, and what is missing is a problem. `MerError` for a sheet,
    when there is no video, or when none can be used.
    """
    if sheet is not None:
        raise MerError(f"{sheet}: a folder of videos takes no sheet; leave --sheet out")
    if not root.is_dir():
        raise MerError(f"{root}: no such folder; --data.root must name a folder of videos")
    files = _videos(root)
    if not files:
        raise MerError(f"{root}: holds no video ({', '.join(sorted(SUFFIXES))})")
    names = Counter(_name(p.relative_to(root)) for p in files)
    rows, problems = [], []
    for path in files:
        relative = path.relative_to(root)
        try:
            if names[_name(relative)] > 1:
                raise MerError(f"{path}: another video is clip {_name(relative)} too; rename one")
            row, missing = video_row(root, relative, _name(relative))
            rows.append(row)
            problems += [missing] if missing else []
        except MerError as error:
            problems.append(str(error))
    return listing_of(rows, problems, f"{root}: none of its {len(files)} videos can be used")


def _videos(root: Path) -> list[Path]:
    """Files that are videos by their name or their content, sorted; the log counts and names the others."""
    shown = (p for p in root.rglob("*") if not any(map(hidden, p.relative_to(root).parts)))
    files = sorted(p for p in shown if p.is_file())
    videos = [p for p in files if p.suffix.lower() in SUFFIXES or is_video(p)]
    if others := sorted({str(p.relative_to(root)) for p in files} - {str(p.relative_to(root)) for p in videos}):
        log.warning("%s: %d file(s) are no video and are passed over: %s", root, len(others), few(others, 10))
    return videos


def _name(relative: Path) -> str:
    return f"videos/{relative.with_suffix('').as_posix()}"


def by_time(rows: Sequence[ClipRow], fps: float) -> list[ClipRow]:
    """Rows of videos, whole, resampled to `fps` frames a second by their time stamps; see `ClipRow.sampling`.

    `MerError` for a row that has no video, since files of frames have no time stamps, and for a rate below 1.
    """
    if not 1 <= fps <= 1000:
        raise MerError(f"--by-time {fps:g}: give a frame rate from 1 to 1000 a second")
    if frames := [row.clip_id for row in rows if not row.video]:
        raise MerError(
            f"--by-time: clip {frames[0]} is no video, and frames in files have no time stamps; leave it out"
        )
    spans = [probe_video(row.source(), by_time=True).seconds for row in rows]
    return [
        dataclasses.replace(row, onset=0, apex=None, offset=int(span * fps + 1e-6), fps=fps, sampling="time")
        for row, span in zip(rows, spans, strict=True)
    ]


def video_row(root: Path, relative: Path, name: str, dataset: str = "videos", subject: str = "") -> tuple[ClipRow, str]:
    """One video as the clip `name` from its first to its last frame, and what is missing of it."""
    home, video = placed(root, relative.as_posix(), f"clip {name}")
    info = probe_video(home / video)
    row = ClipRow(
        clip_id=name,
        dataset=dataset,
        subject=subject or name,
        root=(root if home == root.resolve() else home).as_posix(),
        video=video,
        offset=info.frames - 1,
        fps=info.fps,
        label_raw="",
    )
    return row, info.missing
