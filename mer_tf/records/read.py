"""Record directories to tf.data: whole clips in index order."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import tensorflow as tf
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from mer_tf.config import MerError
from mer_tf.records.clip import ClipRecord
from mer_tf.records.index import MEND, read_index, require_whole
from mer_tf.records.schema import decode, parse
from mer_tf.records.stored import need_flow

FAULTS = (tf.errors.OpError, DecodeError, LookupError, TypeError, ValueError)
"""What reading a damaged shard may raise."""
PARALLEL = 2


def clip_dataset(directory: Path, *, flow: bool = False) -> tf.data.Dataset:
    """Whole clips in index order, unbatched: the dict of `schema.parse`."""
    index = read_index(directory)
    require_whole(index)
    need_flow(index, flow)
    clips = tf.data.TFRecordDataset([str(path) for path in index.paths()])
    clips = clips.map(
        lambda s: parse(s, index.config.image_format, flow), num_parallel_calls=PARALLEL, deterministic=True
    )
    return clips.apply(tf.data.experimental.assert_cardinality(len(index.clips))).prefetch(2)


def shard_records(path: Path) -> Iterator[ClipRecord]:
    """The clips of one shard without its index; `MerError` names the file and says after how many clips it broke."""
    seen = 0
    try:
        for serialized in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
            yield decode(serialized)
            seen += 1
    except FAULTS as error:
        said = str(getattr(error, "message", error)).split(" [")[0]
        raise MerError(f"{path}: damaged or truncated after {seen} clips ({said}); {MEND}") from error
