"""Whole clips of a record directory, with or without TensorFlow."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import cv2

from mer_tf.config import MerError
from mer_tf.records.index import MEND, Index, IndexedClip, read_index, require_whole
from mer_tf.records.wire import clip_arrays, records


def stored_clips(
    directory: Path, *, flow: bool = False, wanted: Collection[str] | None = None
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Id and arrays (`wire.clip_arrays`) of whole clips in index order; `MerError` names the shard and the clip that
    cannot be read.

    With `wanted` ids these clips alone: no other shard is opened and no other clip read.
    """
    index = read_index(directory)
    if not any(wanted is None or clip.clip_id in wanted for clip in index.clips):
        return
    require_whole(index)
    need_flow(index, flow)
    for name in index.shards:
        clips = [clip for clip in index.clips if clip.shard == name]
        kept = {place: c for place, c in enumerate(clips) if wanted is None or c.clip_id in wanted}
        if kept:
            yield from _of_shard(index, name, kept, flow)


def _of_shard(index: Index, name: str, kept: dict[int, IndexedClip], flow: bool) -> Iterator[tuple[str, Any]]:
    path, read = index.directory / name, records(index.directory / name, frozenset(kept))
    for entry in kept.values():
        try:
            item = clip_arrays(next(read), index.config.image_format, flow)
        except (StopIteration, LookupError, TypeError, ValueError, OSError, cv2.error) as error:
            said = "it ends before" if isinstance(error, StopIteration) else error
            raise MerError(f"{path}: clip {entry.clip_id}: {said}; {MEND}") from error
        if item["clip_id"] != entry.clip_id:
            raise MerError(f"{path}: holds {item['clip_id']} in the place of {entry.clip_id}; {MEND}")
        yield entry.clip_id, item


def need_flow(index: Index, flow: bool) -> None:
    """`MerError` for a directory without the flow that is asked for."""
    if flow and index.config.flow == "none":
        raise MerError(f"{index.directory} holds no flow; preprocess with preprocess.flow=dis or farneback")
