"""What is to be predicted: folders of frames, videos, folders of these, flow images and manifests, as manifest rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from mer_tf.config import USUAL_FPS, MerError
from mer_tf.datasets.adapters.clip_tree import clips_below
from mer_tf.datasets.adapters.listing import Event, ListingBuilder
from mer_tf.datasets.adapters.videos import video_row
from mer_tf.datasets.manifest import ClipRow, check_rows, read_manifest
from mer_tf.preprocessing.frame_names import SUFFIXES as PICTURES

NEW = "new"
"""Data set of clips that belong to none."""


def rows_of(paths: Sequence[Path], subject: str = "", fps: float = USUAL_FPS) -> tuple[list[ClipRow], list[str]]:
    """A row for each clip at or below `paths`, and what is wrong with single ones.

    subject: the person in all clips that no manifest tells about, as the run names people; empty: unknown. fps: only
    preprocess.fps and preprocess.magnify make use of it.
    `MerError` for a path that is not there, holds no clip, or holds none that can be used.
    """
    rows: list[ClipRow] = []
    problems: list[str] = []
    for path in map(Path, paths):
        found, wrong = _of_path(path, subject, fps)
        rows += found
        problems += wrong
        if not found:
            raise MerError(wrong[0] if wrong else f"{path}: holds no clip: no folder of two frames, and no video")
    check_rows(rows, "predict")
    return rows, problems


def _of_path(path: Path, subject: str, fps: float) -> tuple[list[ClipRow], list[str]]:
    if path.suffix.lower() == ".csv":
        return read_manifest(path), []
    if path.is_file() and path.suffix.lower() in PICTURES:
        return [_image(path, subject)], []
    home, rows = path.absolute().parent, list[ClipRow]()
    builder = ListingBuilder(home, thinned=Counter())
    for clip in clips_below(path.absolute()):
        name = f"{NEW}/{clip.relative_to(home).as_posix()}"
        if clip.is_dir():
            whole = Event(clip_id=name, subject=subject or name, folder=clip, fps=fps, label_raw="")
            builder.add_whole(whole)
            continue
        try:
            row, missing = video_row(home, clip.relative_to(home), name, NEW, subject or name)
            rows.append(row)
            builder.problems += [missing] if missing else []
        except MerError as error:
            builder.problems.append(str(error))
    return sorted([*rows, *builder.rows], key=lambda row: row.clip_id), builder.problems


def _image(path: Path, subject: str) -> ClipRow:
    """A ready-made flow image, which is a clip of its own."""
    name = f"{NEW}/{path.name}"
    return ClipRow(
        clip_id=name,
        dataset=NEW,
        subject=subject or name,
        root=path.absolute().parent.as_posix(),
        fps=1.0,
        label_raw="",
        image=path.name,
    )
