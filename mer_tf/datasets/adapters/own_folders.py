"""Your own clips: any tree whose folders name class, subject and clip, or one with a table beside it.

`class/clip/<frames>`, `subject/class/clip/<frames>`, `class/*.mp4` and the like, by a pattern of paths; or a CSV, TSV
or XLSX table with the columns clip, subject, label and, where they are known, onset, apex, offset and fps.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from mer_tf.config import USUAL_FPS, MerError
from mer_tf.datasets.adapters.clip_tree import clips_below, is_clip_video
from mer_tf.datasets.adapters.folders import told_apart
from mer_tf.datasets.adapters.listing import Event, Listing, ListingBuilder, listing_of
from mer_tf.datasets.adapters.path_pattern import PathPattern, fitting_patterns
from mer_tf.datasets.adapters.sheets import SheetRow, read_sheet
from mer_tf.datasets.adapters.videos import video_row
from mer_tf.datasets.manifest import ClipRow
from mer_tf.names import few

NAME = "folders"
PATTERNS = "{label}/{clip}, {subject}/{label}/{clip}, {label}/{subject}/{clip}, {label}/{subject}_{clip}"
COLUMNS = {
    "clip": ("clip path", "clip", "path", "video", "folder", "file", "filename"),
    "subject": ("subject", "person", "participant", "subject id"),
    "label": ("label", "class", "emotion", "estimated emotion"),
    "onset": ("onset", "onset frame"),
    "apex": ("apex", "apex frame"),
    "offset": ("offset", "offset frame"),
    "fps": ("fps", "frame rate", "frames per second"),
    "mark": ("mark",),
}
OPTIONAL = ("onset", "apex", "offset", "fps", "mark")
REJECTED = "rejected"
"""Mark of a line that is no expression, as the page of `mer-tf spot` writes it."""


@dataclasses.dataclass(frozen=True)
class Found:
    """A clip as a path or a line of a table tells it."""

    path: Path
    clip_id: str
    """Below the data set's name."""
    subject: str
    label: str
    where: str
    onset: int | None = None
    apex: int | None = None
    offset: int | None = None
    fps: float | None = None


def folders_listing(root: Path, sheet: Path | None, pattern: str = "") -> Listing:
    """Every clip below `root`, subject and class by the table `sheet` or by `pattern`, which is guessed when empty.

    What is filled in is said in the notes; what cannot be used is a problem. `MerError` for a tree whose pattern cannot
    be told, one that no path fits, and a table without the columns that are needed.
    """
    root = Path(root)
    if not root.is_dir():
        raise MerError(f"{root}: no such folder; the root must be the folder that holds your clips")
    if sheet is not None and pattern:
        raise MerError(f"data.pattern={pattern}: the table {sheet} says subject and class of each clip; leave one out")
    problems: list[str] = []
    notes: list[str] = []
    found = list(_by_table(root, Path(sheet), problems, notes) if sheet else _by_path(root, pattern, problems, notes))
    builder = ListingBuilder(root, problems=problems, thinned=Counter())
    videos: dict[Path, ClipRow] = {}
    rows = [row for one in found if (row := _row(root, one, builder, videos)) is not None]
    listing = builder.listing() if builder.rows else None
    rows += listing.rows if listing else []
    notes += [*builder.notes, *_thinned(builder), *_filled(found)]
    return listing_of(rows, listing.problems if listing else builder.problems, str(root), notes=notes)


def _by_path(root: Path, pattern: str, problems: list[str], notes: list[str]) -> Iterator[Found]:
    """Clips whose paths the pattern fits; the others are problems."""
    paths = {path.relative_to(root).as_posix(): path for path in clips_below(root)}
    if not paths:
        raise MerError(f"{root}: holds no clip: no folder of two or more pictures below it, and no video")
    known = PathPattern(pattern or _guessed(root, list(paths), notes))
    for relative, path in paths.items():
        fields = known.match(relative)
        if fields is None:
            problems.append(f"{path}: does not fit the pattern {known.text}; the clip is left out, move or rename it")
            continue
        name = relative.removesuffix(path.suffix) if path.is_file() else relative
        yield Found(path, name, fields.get("subject") or "", fields.get("label") or "", str(path))


def _guessed(root: Path, paths: Sequence[str], notes: list[str]) -> str:
    """The one usual pattern that fits; `MerError`, which shows paths and what to choose from, for none and several."""
    fitting = fitting_patterns(paths)
    if len(fitting) == 1:
        notes.append(
            f"{root}: read by the pattern {fitting[0]}, which fits all {len(paths)} clips (--pattern changes it)"
        )
        return fitting[0]
    shown = few(sorted(paths), 3)
    if fitting:
        raise MerError(
            f"{root}: several patterns fit {shown}; choose with --data.pattern (--pattern): {' or '.join(fitting)}"
        )
    raise MerError(
        f"{root}: no usual pattern fits all of {shown}; say with --data.pattern (--pattern) how paths are read, as "
        f"{PATTERNS}, or give a table of clip, subject and label with --data.sheet (--sheet)"
    )


def _by_table(root: Path, sheet: Path, problems: list[str], notes: list[str]) -> Iterator[Found]:
    """Clips of a table; a line that names no clip, or one without class, is a problem."""
    table = read_sheet(sheet, columns=COLUMNS, header_key=None, optional=OPTIONAL)
    problems += table.problems
    kept = [row for row in table.rows if row.text("mark").casefold() != REJECTED]
    if lost := len(table.rows) - len(kept):
        notes.append(f"{sheet}: {lost} line(s) are marked {REJECTED} and left out")
    yield from told_apart(list(_told_rows(root, kept, problems)), always=False)


def _told_rows(root: Path, rows: Sequence[SheetRow], problems: list[str]) -> Iterator[Found]:
    for row in rows:
        if lacks := [name for name in ("clip", "label") if not row.text(name)]:
            problems.append(f"{row.where}: {lacks[0]} is empty, so the line is left out; fill the cell")
        else:
            yield _told(root, row, problems)


def _told(root: Path, row: SheetRow, problems: list[str]) -> Found:
    text = row.text("clip").replace("\\", "/").strip("/" if not Path(row.text("clip")).is_absolute() else "")
    path = root / text
    name = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
    spans: dict[str, Any] = {n: row.integer(n, optional=True) for n in ("onset", "apex", "offset")}
    return Found(path, name, row.text("subject"), row.text("label"), row.where, **spans, fps=_rate(row, problems))


def _rate(row: SheetRow, problems: list[str]) -> float | None:
    text = row.text("fps").replace(",", ".")
    try:
        return (float(text) or None) if text else None
    except ValueError:
        problems.append(f"{row.where}: fps {text!r} is no number and is taken as not given; correct the cell")
        return None


def _row(root: Path, found: Found, builder: ListingBuilder, videos: dict[Path, ClipRow]) -> ClipRow | None:
    """A video as a row; None for a folder, which the builder takes, and for what cannot be used, which is a problem.

    `videos`: files that were looked through already, which takes a decoding.
    """
    name = f"{NAME}/{found.clip_id}"
    subject = f"{NAME}/{found.subject}" if found.subject else name
    if found.path.is_file() and is_clip_video(found.path):
        return _video(root, found, name, subject, builder, videos)
    given = found.onset is not None and found.offset is not None
    event = Event(
        clip_id=name,
        subject=subject,
        folder=found.path,
        onset=found.onset or 0,
        apex=found.apex,
        offset=found.offset or 0,
        fps=found.fps or USUAL_FPS,
        label_raw=found.label,
        where=found.where,
    )
    (builder.add if given else builder.add_whole)(event)
    return None


def _video(
    root: Path, found: Found, name: str, subject: str, builder: ListingBuilder, videos: dict[Path, ClipRow]
) -> ClipRow | None:
    if found.path not in videos:
        try:
            videos[found.path], missing = video_row(root, found.path.relative_to(root), name, NAME)
        except (MerError, ValueError) as error:
            row_said = "" if found.where == str(found.path) else f"{found.where}: "
            builder.problems.append(f"{row_said}{error}")
            return None
        builder.problems += [missing] if missing else []
    row = dataclasses.replace(
        videos[found.path],
        clip_id=name,
        subject=subject,
        label_raw=found.label,
        fps=found.fps or videos[found.path].fps,
        apex=found.apex,
        apex_source="" if found.apex is None else "given",
    )
    if found.onset is None or found.offset is None:
        return row
    if not 0 <= found.onset <= found.offset <= row.offset:
        builder.problems.append(
            f"{found.where}: frames {found.onset} to {found.offset} are not all in {found.path.name}, which has 0 to "
            f"{row.offset}; the clip is left out, correct the line"
        )
        return None
    return dataclasses.replace(row, onset=found.onset, offset=found.offset)


def _thinned(builder: ListingBuilder) -> Iterator[str]:
    """Clips of which every n-th frame is there."""
    for step, clips in sorted((builder.thinned or {}).items()):
        yield (
            f"frame numbers of {clips} clip(s) rise by {step}: taken as clips of which one frame in {step} was kept, "
            f"not as clips that lack frames; frames a second are those that are kept"
        )


def _filled(found: Sequence[Found]) -> Iterator[str]:
    """What no path and no table says, and what stands in its place."""
    ends = sum(one.onset is None or one.offset is None for one in found)
    rates = sum(one.fps is None and not one.path.is_file() for one in found)
    people = sum(not one.subject for one in found)
    if ends:
        yield f"onset and offset of {ends} clip(s) are not given: their first and last frame are taken"
    if apexes := sum(one.apex is None for one in found):
        yield f"the apex of {apexes} clip(s) is not given; --data.apex (--apex) estimates it"
    if rates:
        yield f"frames a second of {rates} clip(s) are not given: {USUAL_FPS:g} are taken (a table can say it)"
    if people:
        yield (
            f"the subject of {people} clip(s) is not given: each counts as a person of its own. If people come in "
            "several clips, they stand on both sides of a fold and figures are too good: name them by {subject}"
        )
    classes = Counter(one.label or "(none)" for one in found)
    yield f"classes: {', '.join(f'{name} {count}' for name, count in sorted(classes.items()))}"
