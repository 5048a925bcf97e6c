"""One shard: its clips into one TFRecord file, and the sidecar that says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mer_tf.config import MerError, Preprocess
from mer_tf.datasets.manifest import ClipRow
from mer_tf.files import atomic, read_json, sha256, write_json
from mer_tf.records.clip import ClipRecord, process_clip


@dataclass(frozen=True)
class Shard:
    """A TFRecord file and the rows that belong in it."""

    path: Path
    rows: tuple[ClipRow, ...]

    @property
    def sidecar(self) -> Path:
        """JSON beside the shard: its clips, errors, size, SHA-256 and the software. Written after the shard."""
        return self.path.with_suffix(".json")


def read_sidecar(shard: Shard) -> dict[str, Any] | None:
    """The sidecar's content, or None when the shard is not finished or not of the size it states."""
    if not (shard.path.is_file() and shard.sidecar.is_file()):
        return None
    try:
        value: dict[str, Any] = read_json(shard.sidecar)
        return value if value["bytes"] == shard.path.stat().st_size else None
    except (MerError, KeyError, TypeError):
        return None


def write_shard(
    shard: Shard, config: Preprocess, versions: dict[str, str], *, skip: bool, tick: Callable[[], None]
) -> None:
    """Process the shard's clips in order and write it, then its sidecar. `tick` is called after each clip.

    A bad clip raises its `MerError`, or, with `skip`, goes into the sidecar's errors.
    """
    import tensorflow as tf

    from mer_tf.records.schema import encode

    clips: list[dict[str, Any]] = []
    errors: list[dict[str, str]] = []
    with atomic(shard.path) as part:
        with tf.io.TFRecordWriter(str(part)) as writer:
            for row in shard.rows:
                try:
                    record = process_clip(row, config)
                    writer.write(encode(record, config.image_format))
                    clips.append(_entry(record))
                except MerError as error:
                    if not skip:
                        raise
                    errors.append({"clip_id": row.clip_id, "source": row.video or row.frames_dir, "reason": str(error)})
                tick()
        size, checksum = part.stat().st_size, sha256(part)
    value = {"bytes": size, "sha256": checksum, "versions": versions, "clips": clips, "errors": errors}
    write_json(shard.sidecar, value)


def _entry(record: ClipRecord) -> dict[str, Any]:
    """What the index says of a clip; the shard's name is added there."""
    return {
        "clip_id": record.clip_id,
        "dataset": record.dataset,
        "subject": record.subject,
        "label_raw": record.label_raw,
        "n_frames": len(record.frames),
        "fps": record.fps,
        "content_sha256": record.content_sha256,
    }
