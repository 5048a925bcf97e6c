"""Records as TensorFlow's own readers give them, to hold ours against."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tensorflow as tf

from mer_tf.records.index import read_index


def tensorflow_clips(directory: Path) -> Iterator[dict[str, Any]]:
    """Whole clips of a record directory, in index order, as arrays and bytes."""
    index = read_index(directory)
    serialized = tf.data.TFRecordDataset([str(path) for path in index.paths()])
    return serialized.map(lambda s: parsed(s, index.config.image_format)).as_numpy_iterator()


def parsed(serialized: Any, image_format: str) -> dict[str, Any]:
    """One clip as tensors: clip_id (), content_sha256 (), frames (T, S, S, 3), frame_numbers (T,), flow."""
    one, many = tf.io.FixedLenFeature([], tf.string), tf.io.FixedLenSequenceFeature([], tf.string, allow_missing=True)
    numbers = tf.io.FixedLenSequenceFeature([], tf.int64, allow_missing=True)
    spec = dict.fromkeys(("clip_id", "content_sha256", "flow"), one) | {"frame_numbers": numbers, "frames": many}
    values = tf.io.parse_single_example(serialized, spec | {"shape": tf.io.FixedLenFeature([4], tf.int64)})
    shape = values.pop("shape")
    if image_format == "raw":
        frames = tf.io.decode_raw(values["frames"][0], tf.uint8)
    else:
        picture = tf.TensorSpec((None, None, 3), tf.uint8)
        frames = tf.map_fn(lambda x: tf.io.decode_png(x, channels=3), values["frames"], fn_output_signature=picture)
    flow = tf.io.decode_raw(values["flow"], tf.float16, little_endian=True)
    return values | {
        "frames": tf.reshape(frames, shape),
        "flow": tf.reshape(flow, tf.stack([shape[0] - 1, shape[1], shape[2], 2])),
    }
