"""Whole clips of a record directory; loads no TensorFlow."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mer_tf.config import MerError
from mer_tf.records.clip import ClipRecord
from mer_tf.records.index import MEND, Index, IndexedClip, read_index, require_whole
from mer_tf.records.schema import ImageFormat, clip_of, decode
from mer_tf.records.wire import Features, example, records

Wanted = Collection[str] | None
"""Ids of the clips that are wanted; None: all."""


def stored_clips(directory: Path, *, flow: bool = False, wanted: Wanted = None) -> Iterator[ClipRecord]:
    """Whole clips in index order, with flow where that is asked for; `MerError` names the shard and the clip that
    cannot be read.

    With `wanted` ids these clips alone: no other shard is opened and no other clip read.
    """
    index = read_index(directory)
    if flow and index.config.flow == "none":
        raise MerError(f"{index.directory} holds no flow; preprocess with preprocess.flow=dis or farneback")
    for entry, features in _features(index, wanted):
        try:
            clip = clip_of(features, index.config.image_format, flow=flow)
        except MerError as error:
            raise MerError(f"{index.directory / entry.shard}: clip {entry.clip_id}: {error}; {MEND}") from error
        yield clip


def stored_features(directory: Path, *, wanted: Wanted = None) -> Iterator[tuple[IndexedClip, Features]]:
    """The entry of each clip in the index and the features of its record, of which no picture is decoded."""
    return _features(read_index(directory), wanted)


def frame_numbers(directory: Path, *, wanted: Wanted = None) -> dict[str, NDArray[np.int64]]:
    """Of clips by their ids the number in the source of each stored frame (T,)."""
    found = stored_features(directory, wanted=wanted)
    return {entry.clip_id: np.array(features["frame_numbers"], np.int64) for entry, features in found}


def shard_clips(path: Path, image_format: ImageFormat) -> Iterator[ClipRecord]:
    """The clips of one shard without its index; `MerError` names the file and says after how many clips it broke."""
    seen = 0
    try:
        for record in records(path):
            yield decode(record, image_format)
            seen += 1
    except (MerError, ValueError, OSError) as error:
        raise MerError(f"{path}: damaged or truncated after {seen} clips ({error}); {MEND}") from error


def _features(index: Index, wanted: Wanted) -> Iterator[tuple[IndexedClip, Features]]:
    """Entry and features of each clip, of whole shards alone; a record in the place of another clip is refused."""
    if not any(wanted is None or clip.clip_id in wanted for clip in index.clips):
        return
    require_whole(index)
    for name in index.shards:
        clips = [clip for clip in index.clips if clip.shard == name]
        kept = {place: c for place, c in enumerate(clips) if wanted is None or c.clip_id in wanted}
        if kept:
            yield from _of_shard(index.directory / name, kept)


def _of_shard(path: Path, kept: dict[int, IndexedClip]) -> Iterator[tuple[IndexedClip, Features]]:
    read = records(path, frozenset(kept))
    for entry in kept.values():
        try:
            features = example(next(read))
            held = bytes(features["clip_id"][0]).decode()
        except (StopIteration, LookupError, TypeError, ValueError, OSError) as error:
            said = "it ends before" if isinstance(error, StopIteration) else error
            raise MerError(f"{path}: clip {entry.clip_id}: {said}; {MEND}") from error
        if held != entry.clip_id:
            raise MerError(f"{path}: holds {held} in the place of {entry.clip_id}; {MEND}")
        yield entry, features
