"""A folder of video files as a data set: each file is one clip and, for want of better knowledge, one subject."""

from __future__ import annotations

import logging
from pathlib import Path

from mer_tf.config import MerError
from mer_tf.datasets.manifest import ClipRow, check_rows
from mer_tf.files import inside
from mer_tf.preprocessing.video import SUFFIXES, probe_video

log = logging.getLogger(__name__)


def video_rows(root: Path) -> list[ClipRow]:
    """One row a video (.mp4 .avi .mkv .mov .webm) below `root`, sorted; its label is empty.

    A file that cannot be read is left out with a warning; `MerError` when there is no video or none can be read.
    """
    root = Path(root)
    if not root.is_dir():
        raise MerError(f"{root}: no such folder; --data.root must name a folder of videos")
    files = sorted(p for p in root.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
    if not files:
        raise MerError(f"{root}: holds no video ({', '.join(sorted(SUFFIXES))})")
    rows, faults = [], []
    for path in files:
        try:
            rows.append(_row(root, path.relative_to(root)))
        except MerError as error:
            faults.append(str(error))
    for reason in faults if rows else []:
        log.warning("left out: %s", reason)
    if not rows:
        raise MerError(f"{root}: none of its {len(files)} videos can be read; the first: {faults[0]}")
    check_rows(rows, str(root))
    return rows


def _row(root: Path, relative: Path) -> ClipRow:
    """One video as a clip from its first to its last frame."""
    name = f"videos/{relative.with_suffix('').as_posix()}"
    info = probe_video(inside(root, str(relative), f"clip {name}"))
    return ClipRow(
        clip_id=name,
        dataset="videos",
        subject=name,
        session="",
        root=str(root),
        frames_dir="",
        video=relative.as_posix(),
        onset=0,
        apex=None,
        offset=info.frames - 1,
        fps=info.fps,
        label_raw="",
        aus="",
        sheet_sha="",
    )
