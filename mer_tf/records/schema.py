"""The bytes of one clip: a tf.train.Example, written by `encode`, read by `decode`, which needs no TensorFlow."""

from __future__ import annotations

from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from mer_tf.config import MerError
from mer_tf.preprocessing.faces import Face
from mer_tf.records.clip import TEXTS, ClipRecord
from mer_tf.records.wire import Features, example

ImageFormat = Literal["png", "raw"]
LARGEST = 2**31 - 2**16
"""A protocol buffer holds less than 2 GiB."""


def encode(record: ClipRecord, image_format: ImageFormat) -> bytes:
    """Serialise a clip; lossless in either format. `MerError` for a clip beyond 2 GiB."""
    import tensorflow as tf

    images = _png(record.frames) if image_format == "png" else [record.frames.tobytes()]
    features: dict[str, Any] = {name: _bytes(getattr(record, name).encode()) for name in TEXTS}
    features |= {
        "fps": _exact(np.array([record.fps])),
        "shape": _ints(record.frames.shape),
        "frame_numbers": _ints(record.frame_numbers),
        "frames": _bytes(*images),
        "transform": _exact(record.transform),
        "content_sha256": _bytes(record.content_sha256.encode()),
    }
    if record.flow is not None:
        features["flow"] = _bytes(record.flow.astype("<f2").tobytes())
    if record.face is not None:
        face = np.concatenate([record.face.box, [record.face.confidence], record.face.landmarks.ravel()])
        features |= {"face": _exact(face), "detected_in": _ints([record.detected_in])}
        if record.face.fitted is not None:
            features["fitted"] = _exact(record.face.fitted)
    if sum(len(v) for f in features.values() for v in f.bytes_list.value) > LARGEST:
        raise MerError(f"clip {record.clip_id}: {len(record.frames)} frames exceed 2 GiB; cut it into shorter clips")
    return bytes(tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString(deterministic=True))


def decode(record: bytes, image_format: ImageFormat, *, flow: bool = True) -> ClipRecord:
    """The clip that `encode` serialised, bit for bit, without its flow where that is not asked for.

    `MerError` when the bytes are no such clip.
    """
    try:
        features = example(record)
    except (LookupError, TypeError, ValueError) as error:
        raise MerError(f"not a clip record: {error}") from error
    return clip_of(features, image_format, flow=flow)


def clip_of(features: Features, image_format: ImageFormat, *, flow: bool) -> ClipRecord:
    """The clip of a record's features, as `decode` reads it."""
    try:
        return _clip(features, image_format, flow)
    except (LookupError, TypeError, ValueError, cv2.error) as error:
        raise MerError(f"not a clip record: {error}") from error


def _clip(features: Features, image_format: ImageFormat, flow: bool) -> ClipRecord:
    count, height, width, _ = shape = tuple(features["shape"])
    texts = {name: bytes(features[name][0]).decode() for name in TEXTS}
    face, found = None, "face" in features
    if found:
        values = floats(features, "face")
        fitted = floats(features, "fitted").reshape(68, 2) if "fitted" in features else None
        face = Face(values[:4], float(values[4]), values[5:].reshape(5, 2), fitted)
    fields = np.frombuffer(features["flow"][0], "<f2").astype(np.float16) if flow and "flow" in features else None
    images = features["frames"]
    # Copies: a view would keep the whole record.
    raw = np.frombuffer(images[0], np.uint8).reshape(shape).copy() if image_format == "raw" else None
    return ClipRecord(
        **texts,
        fps=float(floats(features, "fps")[0]),
        frame_numbers=np.array(features["frame_numbers"], np.int64),
        frames=_decoded(images).reshape(shape) if raw is None else raw,
        flow=None if fields is None else fields.reshape(count - 1, height, width, 2),
        face=face,
        detected_in=int(features["detected_in"][0]) if found else None,
        transform=floats(features, "transform").reshape(2, 3),
    )


def floats(features: Features, name: str) -> NDArray[np.float64]:
    """Numbers that `encode` wrote as bytes."""
    return np.frombuffer(features[name][0], "<f8").astype(np.float64)


def _decoded(images: list[Any]) -> NDArray[np.uint8]:
    """PNG files as RGB (T, S, S, 3)."""
    decoded = [cv2.imdecode(np.frombuffer(image, np.uint8), cv2.IMREAD_COLOR) for image in images]
    if any(image is None for image in decoded):
        raise ValueError("a frame does not decode")
    return np.stack([cv2.cvtColor(np.asarray(image), cv2.COLOR_BGR2RGB) for image in decoded]).astype(np.uint8)


def _png(frames: NDArray[np.uint8]) -> list[bytes]:
    return [cv2.imencode(".png", cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))[1].tobytes() for frame in frames]


def _bytes(*values: bytes) -> Any:
    import tensorflow as tf

    return tf.train.Feature(bytes_list=tf.train.BytesList(value=values))


def _ints(values: Any) -> Any:
    import tensorflow as tf

    return tf.train.Feature(int64_list=tf.train.Int64List(value=[int(v) for v in values]))


def _exact(values: NDArray[np.float64]) -> Any:
    """float64 as bytes: an Example's own floats have 32 bits."""
    return _bytes(np.asarray(values, "<f8").tobytes())
