"""Look at a record directory: what it holds, whether it is sound, and what its faces look like."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from mer_tf.config import MerError
from mer_tf.files import sha256
from mer_tf.preprocessing.frames import Frame
from mer_tf.preprocessing.pictures import replace_picture
from mer_tf.progress import Progress
from mer_tf.records.clip import ClipRecord
from mer_tf.records.index import MEND, Index, IndexedClip, read_index
from mer_tf.records.stored import shard_clips, stored_clips


def describe(directory: Path) -> str:
    """A table of clips by data set and raw label, with subjects, frames, size on disk, settings and errors."""
    index = read_index(directory)
    settings = ", ".join(f"{name}={value}" for name, value in dataclasses.asdict(index.config).items())
    size = sum(path.stat().st_size for path in index.paths())
    lines = [
        f"{index.directory}",
        f"settings  {settings}",
        f"software  {', '.join(f'{name} {value}' for name, value in index.versions.items())}",
        f"stored    {len(index.clips)} clips, {sum(c.n_frames for c in index.clips)} frames, "
        f"{len(index.shards)} shards, {size / 2**20:.1f} MiB",
        f"left out  {index.errors}" + (" (see errors.csv)" if index.errors else ""),
        "",
        *_table(index.clips),
    ]
    if same := _duplicates(index.clips):
        lines += ["", f"same pixels under several names: {'; '.join(same)}"]
    return "\n".join(lines)


def check(directory: Path, progress: bool = True) -> list[str]:
    """Read every record again; one line a fault, naming the shard and the clip; an empty list when all is sound."""
    index = read_index(directory)
    faults: list[str] = []
    for path in Progress(index.paths(), unit="shard", desc="check", disable=not progress):
        if (found := sha256(path)) != index.shards[path.name]:
            said = index.shards[path.name]
            faults.append(f"{path.name}: SHA-256 is {found[:12]}..., the index says {said[:12]}...; {MEND}")
        faults += [f"{path.name}: {fault}" for fault in _shard_faults(index, path)]
    return faults


def write_face_sheet(directory: Path, out_png: Path) -> Path:
    """A contact sheet of the first stored frame of each clip, with the clip ids."""
    tiles = [_tile(record.frames[0], record.clip_id) for record in stored_clips(directory)]
    columns = max(1, 1200 // tiles[0].shape[1])
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % columns)
    rows = [np.hstack(tiles[i : i + columns]) for i in range(0, len(tiles), columns)]
    return replace_picture(Path(out_png), np.vstack(rows))


def _shard_faults(index: Index, path: Path) -> list[str]:
    """Faults of one shard's records against the index."""
    expected = [clip for clip in index.clips if clip.shard == path.name]
    faults, seen = [], 0
    try:
        for record in shard_clips(path, index.config.image_format):
            if seen < len(expected):
                faults += _clip_faults(index, expected[seen], record)
            seen += 1
    except MerError as error:
        return [*faults, f"{str(error).removeprefix(f'{path}: ')}; after {seen} of {len(expected)} clips"]
    return faults if seen == len(expected) else [*faults, f"holds {seen} clips, the index says {len(expected)}"]


def _clip_faults(index: Index, entry: IndexedClip, record: ClipRecord) -> list[str]:
    config, side = index.config, index.config.size
    frames = (entry.n_frames, side, side, 3)
    flow = None if config.flow == "none" else (entry.n_frames - 1, side, side, 2)
    faults = {
        f"is {record.clip_id}": record.clip_id != entry.clip_id,
        f"frames are {record.frames.shape}, not {frames}": record.frames.shape != frames,
        f"flow is not {flow}": (None if record.flow is None else record.flow.shape) != flow,
        "frame numbers do not ascend, one a frame": not _ascending(record, made=bool(config.fps or config.interpolate)),
        "pixels differ from the content hash": record.content_sha256 != entry.content_sha256,
        "flow is not finite": record.flow is not None and not bool(np.isfinite(record.flow).all()),
    }
    return [f"clip {entry.clip_id}: {fault}" for fault, broken in faults.items() if broken]


def _ascending(record: ClipRecord, made: bool) -> bool:
    """One number a frame, each greater than the last; of frames `made` from several, neighbours may share theirs."""
    numbers = record.frame_numbers
    return len(numbers) == len(record.frames) and bool((np.diff(numbers) >= (0 if made else 1)).all())


def _table(clips: Sequence[IndexedClip]) -> list[str]:
    """Rows of data set, label, clips, subjects, shortest, mean and longest clip."""
    groups: dict[tuple[str, str], list[IndexedClip]] = {}
    for clip in clips:
        groups.setdefault((clip.dataset, clip.label_raw or "-"), []).append(clip)
    head = ("dataset", "label", "clips", "subjects", "frames min", "mean", "max")
    rows = [head]
    for (dataset, label), group in sorted(groups.items()):
        lengths = [clip.n_frames for clip in group]
        people = len({clip.subject for clip in group})
        numbers = (len(group), people, min(lengths), f"{np.mean(lengths):.1f}", max(lengths))
        rows.append((dataset, label, *map(str, numbers)))  # type: ignore[arg-type]
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    return ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows]


def _duplicates(clips: Sequence[IndexedClip]) -> list[str]:
    """Groups of clips with equal pixels."""
    counts = Counter(clip.content_sha256 for clip in clips)
    repeated = [digest for digest, n in counts.items() if n > 1]
    return [" = ".join(c.clip_id for c in clips if c.content_sha256 == digest) for digest in repeated]


def _tile(frame: Frame, name: str) -> Frame:
    """A frame above a strip that bears the clip's id."""
    factor = max(1, round(160 / frame.shape[0]))
    picture = frame.repeat(factor, axis=0).repeat(factor, axis=1)
    strip = np.zeros((18, picture.shape[1], 3), np.uint8)
    cv2.putText(strip, name[-(picture.shape[1] // 8) :], (2, 13), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (255, 255, 255), 1)
    return np.asarray(np.vstack([picture, strip]), np.uint8)
