"""Record directories to tf.data: whole clips in index order, or the windows of a plan, shuffled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from mer_tf.config import MerError
from mer_tf.datasets.windows import Window
from mer_tf.records.clip import ClipRecord
from mer_tf.records.index import MEND, Index, read_index, require_whole
from mer_tf.records.schema import decode, parse
from mer_tf.records.stored import need_flow

FAULTS = (tf.errors.OpError, DecodeError, LookupError, TypeError, ValueError)
"""What reading a damaged shard may raise."""
PARALLEL = 2
OPEN_SHARDS = 4
OPEN_CLIPS = 16
"""Decoded clips that take turns in giving windows, so that neighbours in a batch come from different clips."""
WAITING_CLIPS = 128
"""Clips in the first shuffle, still encoded."""
WAITING_BYTES = 64 * 2**20
"""Memory of the second shuffle, of cut windows, which fills up before an epoch's first batch can come."""

AHEAD = 8
"""Batches made ahead: with `repeat`, the next epoch's shuffle fills up while the last steps of this one run."""


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


def window_dataset(
    directory: Path,
    plan: Sequence[Window],
    *,
    labels: Mapping[str, int],
    frames: int,
    batch_size: int,
    seed: int,
    shuffle: bool = True,
    flow: bool = False,
    repeat: bool = False,
) -> tf.data.Dataset:
    """Batches of the planned windows, each exactly once an epoch, as (inputs, label).

    inputs: frames uint8 (B, N, S, S, 3); onset uint8 (B, 1, S, S, 3), the first frame of the window's clip; mask bool
    (B, N), False where a clip shorter than N is filled up with its last frame; and, when `flow`, flow float16
    (B, N - 1, S, S, 2), zero where filled up. A mirrored window is mirrored in all of them, and its dx negated.
    label: int32 (B,). Without `shuffle` windows come in clip order, within a clip in plan order. With it, order follows
    from `seed` alone and differs from epoch to epoch. `repeat`: epochs follow one another without end, so that training
    with steps_per_epoch need not wait at the start of each. `MerError` for a planned clip that is absent or unlabelled.
    """
    index = read_index(directory)
    require_whole(index)
    _check_plan(index, plan, labels, flow)
    queue, neighbours = _Plan(index, plan, labels), all(window.step == 1 for window in plan)
    windows = _clips(index, queue, seed, shuffle, flow).interleave(
        lambda clip, rows: _windows(clip, rows, frames, seed, shuffle, neighbours),
        cycle_length=OPEN_CLIPS if shuffle else 1,
    )
    if shuffle:
        windows = windows.shuffle(
            _waiting(index, frames, flow, len(plan)), seed=seed + 2, reshuffle_each_iteration=True
        )
    windows = windows.apply(tf.data.experimental.assert_cardinality(len(plan)))
    batches = (windows.repeat() if repeat else windows).batch(
        batch_size, num_parallel_calls=PARALLEL, deterministic=True
    )
    return batches.prefetch(AHEAD)


class _Plan:
    """The plan by clip, as tensors: for each clip the rows (start, mirror, label) of its windows."""

    def __init__(self, index: Index, plan: Sequence[Window], labels: Mapping[str, int]) -> None:
        rows: dict[str, list[tuple[int, int, int, int]]] = {}
        for window in plan:
            rows.setdefault(window.clip_id, []).append((window.start, window.copy, window.step, labels[window.clip_id]))
        self.shards = [
            index.directory / s for s in index.shards if any(c.shard == s and c.clip_id in rows for c in index.clips)
        ]
        self._rows = tf.ragged.constant(list(rows.values()), dtype=tf.int32, ragged_rank=1, inner_shape=(4,))
        keys = tf.lookup.KeyValueTensorInitializer(list(rows), np.arange(len(rows)), tf.string, tf.int64)
        self._place = tf.lookup.StaticHashTable(keys, -1)

    def wants(self, serialized: Any) -> Any:
        """Whether a serialised clip is planned; looks at its id only."""
        return self._place.lookup(_clip_id(serialized)) >= 0

    def rows(self, clip_id: Any) -> Any:
        """int32 (W, 4): start, copy, step, label of each of the clip's windows."""
        return self._rows[self._place.lookup(clip_id)]


def _clips(index: Index, plan: _Plan, seed: int, shuffle: bool, flow: bool) -> tf.data.Dataset:
    """(clip, its window rows) of the planned clips, decoded last, after encoded ones were shuffled."""
    paths = tf.data.Dataset.from_tensor_slices([str(p) for p in plan.shards])
    if shuffle:
        paths = paths.shuffle(len(plan.shards), seed=seed, reshuffle_each_iteration=True)
    files = paths.interleave(tf.data.TFRecordDataset, cycle_length=OPEN_SHARDS if shuffle else 1).filter(plan.wants)
    if shuffle:
        files = files.shuffle(WAITING_CLIPS, seed=seed + 1, reshuffle_each_iteration=True)
    clips = files.map(
        lambda s: parse(s, index.config.image_format, flow), num_parallel_calls=PARALLEL, deterministic=True
    )
    return clips.map(lambda clip: (_shaped(clip, index.config.size), plan.rows(clip["clip_id"])))


def _windows(
    clip: dict[str, Any], rows: Any, frames: int, seed: int, shuffle: bool, neighbours: bool
) -> tf.data.Dataset:
    """The windows of one clip. neighbours: each is of frames that follow one another, which is cut at less cost."""
    order = tf.data.Dataset.from_tensor_slices(rows)
    if shuffle:
        order = order.shuffle(256, seed=seed + 3, reshuffle_each_iteration=True)
    length, continued = tf.shape(clip["frames"])[0], _continued(clip, rows, frames)
    return order.map(
        lambda row: (cut(continued, length, row[0], row[1] > 0, frames, 1 if neighbours else row[2]), row[3])
    )


def _continued(clip: dict[str, Any], rows: Any, frames: int) -> dict[str, Any]:
    """The clip as far as its windows reach: its last frame again and again, and no motion.

    Once a clip, so that every window is a stretch of it, a view that is copied only into its batch.
    """
    reach = tf.reduce_max(rows[:, 0] + rows[:, 2] * (frames - 1)) + 1
    more = tf.maximum(reach - tf.shape(clip["frames"])[0], 0)

    def still(flow: Any) -> Any:
        return tf.zeros(tf.concat([[more], tf.shape(flow)[1:]], 0), flow.dtype)

    tails = {"frames": lambda images: tf.repeat(images[-1:], more, axis=0), "flow": still}
    return clip | {name: tf.concat([clip[name], tail(clip[name])], 0) for name, tail in tails.items() if name in clip}


def _shaped(clip: dict[str, Any], side: int) -> dict[str, Any]:
    """The clip with the sizes of its images known, without which a model's convolutions cannot be traced."""
    channels = {"frames": 3, "flow": 2}
    return clip | {n: tf.ensure_shape(clip[n], (None, side, side, c)) for n, c in channels.items() if n in clip}


def cut(clip: dict[str, Any], length: Any, start: Any, mirror: Any, frames: int, step: Any = 1) -> dict[str, Any]:
    """One window of a parsed clip of `length` frames that goes on as far: frames, onset, mask and its flow if any."""
    window = {
        "frames": _stretch(clip["frames"], start, step, frames),
        "onset": clip["frames"][:1],
        "mask": start + step * tf.range(frames) < length,
    }
    if "flow" in clip:
        window["flow"] = _stretch(clip["flow"], start, step, frames - 1)
    return tf.cond(mirror, lambda: mirrored(window), lambda: window)


def _stretch(clip: Any, start: Any, step: Any, count: int) -> Any:
    """`count` entries from `start` on, every `step`-th: an int where that is known while the graph is made."""
    if isinstance(step, int) and step == 1:
        return tf.ensure_shape(tf.slice(clip, [start, 0, 0, 0], [count, -1, -1, -1]), (count, *clip.shape[1:]))
    return tf.ensure_shape(clip[start : start + step * count : step], (count, *clip.shape[1:]))


def mirrored(window: dict[str, Any]) -> dict[str, Any]:
    """A window seen in a mirror: x reversed in every image, dx negated."""
    flipped = {name: value if name == "mask" else tf.reverse(value, axis=[-2]) for name, value in window.items()}
    if "flow" in flipped:
        flipped["flow"] *= tf.constant([-1, 1], tf.float16)
    return flipped


def _check_plan(index: Index, plan: Sequence[Window], labels: Mapping[str, int], flow: bool) -> None:
    if not plan:
        raise MerError(f"{index.directory}: the plan holds no window")
    need_flow(index, flow)
    lengths = {clip.clip_id: clip.n_frames for clip in index.clips}
    for window in plan:
        if window.clip_id not in lengths:
            raise MerError(f"{index.directory}: clip {window.clip_id} is planned but not stored; see errors.csv there")
        if window.clip_id not in labels:
            raise MerError(f"clip {window.clip_id} is planned but has no label; does the label protocol drop it?")
        if window.copy > 1 or (flow and window.step > 1):
            raise MerError(
                f"clip {window.clip_id}: records give windows as stored or mirrored, and flow between neighbouring "
                f"frames alone, not copy {window.copy} with step {window.step}"
            )
        if not 0 <= window.start < lengths[window.clip_id]:
            raise MerError(
                f"clip {window.clip_id} has {lengths[window.clip_id]} frames; no window starts at {window.start}"
            )


def _waiting(index: Index, frames: int, flow: bool, planned: int) -> int:
    """How many windows the second shuffle holds: all, or what fits into `WAITING_BYTES`."""
    pixels = index.config.size**2
    size = pixels * (3 * (frames + 1) + (4 * (frames - 1) if flow else 0))
    return max(1, min(planned, max(64, WAITING_BYTES // size)))


def _clip_id(serialized: Any) -> Any:
    return tf.io.parse_single_example(serialized, {"clip_id": tf.io.FixedLenFeature([], tf.string)})["clip_id"]
