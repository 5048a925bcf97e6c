"""One shard: which rows it holds, its clips into one TFRecord file, and the sidecar that says so."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mer_tf.config import MerError, Preprocess
from mer_tf.datasets.manifest import ClipRow
from mer_tf.files import atomic, read_mapping, sha256, write_json
from mer_tf.records.clip import TEXTS, ClipRecord, process_clip


@dataclass(frozen=True)
class Shard:
    """A TFRecord file and the rows that belong in it."""

    path: Path
    rows: tuple[ClipRow, ...]

    @property
    def sidecar(self) -> Path:
        """JSON beside the shard: its clips, errors, size, SHA-256 and the software. Written after the shard."""
        return self.path.with_suffix(".json")

    @property
    def begun(self) -> bool:
        """Whether a temporary file says that the shard is being written, or was when its writer died."""
        return any(self.path.parent.glob(f".{self.path.stem}.*.part*"))


@dataclass(frozen=True)
class Outcome:
    """What became of a row: the bytes of its record and what the index says of it, or why there are none."""

    serialized: bytes
    """Empty when the clip could not be processed."""
    entry: dict[str, Any]
    """An `IndexedClip` without its shard, or a row of errors.csv."""


def plan_shards(rows: Sequence[ClipRow], config: Preprocess, directory: Path) -> list[Shard]:
    """Rows in the order of their ids, `clips_per_shard` to a shard."""
    ordered = sorted(rows, key=lambda r: r.clip_id)
    starts = range(0, len(ordered), config.clips_per_shard)
    return [
        Shard(
            directory / f"shard-{i:05d}-of-{len(starts):05d}.tfrecord", tuple(ordered[s : s + config.clips_per_shard])
        )
        for i, s in enumerate(starts)
    ]


def read_sidecar(shard: Shard, *, verify: bool = False) -> dict[str, Any] | None:
    """The sidecar's content, or None when the shard is not finished or not of the size it states.

    verify: its SHA-256 must be the stated one too, since a power cut may leave a file of the right size.
    """
    if not (shard.path.is_file() and shard.sidecar.is_file()):
        return None
    try:
        value = read_mapping(shard.sidecar)
        if value["bytes"] != shard.path.stat().st_size or (verify and value["sha256"] != sha256(shard.path)):
            return None
        return value
    except (MerError, KeyError, TypeError):
        return None


def write_shard(shard: Shard, config: Preprocess, versions: dict[str, str], *, tick: Callable[[], None]) -> None:
    """Process the shard's clips in order and write it, then its sidecar. `tick` is called after each clip.

    A bad clip goes into the sidecar's errors.
    """

    def outcomes() -> Iterator[Outcome]:
        for row in shard.rows:
            yield row_outcome(row, config)
            tick()

    store_shard(shard, outcomes(), versions)


def row_outcome(row: ClipRow, config: Preprocess) -> Outcome:
    """One row to its record, serialised. What cannot be read is an outcome too."""
    from mer_tf.records.schema import encode

    try:
        record = process_clip(row, config)
        return Outcome(encode(record, config.image_format), entry_of(record))
    except MerError as error:
        reason = str(error)
    except OSError as error:  # of the source's file system
        reason = f"clip {row.clip_id}: cannot be read ({error})"
    return Outcome(b"", {"clip_id": row.clip_id, "source": row.video or row.frames_dir, "reason": reason})


def entry_of(record: ClipRecord) -> dict[str, Any]:
    """What the index says of a record, but its shard."""
    sizes = {"n_frames": len(record.frames), "fps": record.fps, "content_sha256": record.content_sha256}
    return {name: getattr(record, name) for name in TEXTS} | sizes


def store_shard(shard: Shard, outcomes: Iterable[Outcome], versions: dict[str, str]) -> None:
    """Write outcomes, in the order given, as a shard, then its sidecar; `MerError` when the disk refuses.

    One outcome is held at a time. What is not finished leaves no file.
    """
    import tensorflow as tf

    clips: list[dict[str, Any]] = []
    errors: list[dict[str, Any]] = []
    try:
        with atomic(shard.path) as part:
            with tf.io.TFRecordWriter(str(part)) as writer:
                for outcome in outcomes:
                    if outcome.serialized:
                        writer.write(outcome.serialized)
                    (clips if outcome.serialized else errors).append(outcome.entry)
            size, checksum = _to_disk(part), sha256(part)
        value = {"bytes": size, "sha256": checksum, "versions": versions, "clips": clips, "errors": errors}
        write_json(shard.sidecar, value)
    except (OSError, tf.errors.OpError) as error:
        raise MerError(
            f"{shard.path}: cannot be written ({error}); mend that, for instance by making room, and run the same "
            "command again: finished shards are kept"
        ) from error


def _to_disk(path: Path) -> int:
    """Wait until a file is on the disk, so that no power cut leaves a sidecar without its shard; return its bytes."""
    with path.open("r+b") as stream:  # Windows writes out only what may be written
        os.fsync(stream.fileno())
        return os.fstat(stream.fileno()).st_size
