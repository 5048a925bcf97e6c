"""The bytes of one clip: tf.train.Example, written by `encode`, read by `decode` (numpy) and `parse` (tensors)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import cv2
import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from numpy.typing import NDArray

from mer_tf.config import MerError
from mer_tf.preprocessing.faces import Face
from mer_tf.records.clip import ClipRecord

ImageFormat = Literal["png", "raw"]
LARGEST = 2**31 - 2**16
"""A protocol buffer holds less than 2 GiB."""
TEXTS = ("clip_id", "dataset", "subject", "label_raw")


def encode(record: ClipRecord, image_format: ImageFormat) -> bytes:
    """Serialise a clip; lossless in either format. `MerError` for a clip beyond 2 GiB."""
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


def decode(serialized: bytes) -> ClipRecord:
    """The clip that `encode` serialised, bit for bit; `MerError` when the bytes are no such clip."""
    try:
        return _decode(tf.train.Example.FromString(serialized).features.feature)
    except (DecodeError, KeyError, IndexError, ValueError, cv2.error) as error:
        raise MerError(f"not a clip record: {error}") from error


def parse(serialized: Any, image_format: ImageFormat, flow: bool) -> dict[str, Any]:
    """One serialised clip, a string tensor, as tensors; only what is asked for is decoded.

    clip_id (), content_sha256 (), frames uint8 (T, S, S, 3), frame_numbers int64 (T,) and, when `flow`, flow float16
    (T - 1, S, S, 2).
    """
    one, many = tf.io.FixedLenFeature([], tf.string), tf.io.FixedLenSequenceFeature([], tf.string, allow_missing=True)
    spec = {
        "clip_id": one,
        "content_sha256": one,
        "shape": tf.io.FixedLenFeature([4], tf.int64),
        "frame_numbers": tf.io.FixedLenSequenceFeature([], tf.int64, allow_missing=True),
        "frames": many,
    }
    values = tf.io.parse_single_example(serialized, spec | ({"flow": one} if flow else {}))
    shape = values.pop("shape")
    values["frames"] = _frames_tensor(values["frames"], shape, image_format)
    if flow:
        fields = tf.io.decode_raw(values["flow"], tf.float16, little_endian=True)
        values["flow"] = tf.reshape(fields, tf.stack([shape[0] - 1, shape[1], shape[2], 2]))
    return values


def _frames_tensor(images: Any, shape: Any, image_format: ImageFormat) -> Any:
    """Strings of one image each, or of all pixels, as uint8 (T, S, S, 3)."""
    if image_format == "raw":
        return tf.reshape(tf.io.decode_raw(images[0], tf.uint8), shape)
    frames = tf.map_fn(
        lambda image: tf.io.decode_png(image, channels=3),
        images,
        fn_output_signature=tf.TensorSpec((None, None, 3), tf.uint8),
    )
    return tf.reshape(frames, shape)


def _decode(features: Mapping[str, Any]) -> ClipRecord:
    shape = tuple(features["shape"].int64_list.value)
    texts = {name: features[name].bytes_list.value[0].decode() for name in TEXTS}
    face, detected_in = None, None
    if "face" in features:
        values = _from_exact(features["face"])
        fitted = _from_exact(features["fitted"]).reshape(68, 2) if "fitted" in features else None
        face = Face(values[:4], float(values[4]), values[5:].reshape(5, 2), fitted)
        detected_in = int(features["detected_in"].int64_list.value[0])
    flow = None
    if "flow" in features:
        fields = np.frombuffer(features["flow"].bytes_list.value[0], "<f2").astype(np.float16)
        flow = fields.reshape(shape[0] - 1, shape[1], shape[2], 2)
    return ClipRecord(
        **texts,
        fps=float(_from_exact(features["fps"])[0]),
        frame_numbers=np.array(features["frame_numbers"].int64_list.value, np.int64),
        frames=_frames(list(features["frames"].bytes_list.value), shape),
        flow=flow,
        face=face,
        detected_in=detected_in,
        transform=_from_exact(features["transform"]).reshape(2, 3),
    )


def _frames(images: list[bytes], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """One string of all pixels, or T strings of PNG."""
    if len(images) == 1 and shape[0] != 1:
        return np.frombuffer(images[0], np.uint8).reshape(shape)
    decoded = [cv2.imdecode(np.frombuffer(image, np.uint8), cv2.IMREAD_COLOR) for image in images]
    if any(image is None for image in decoded):
        raise ValueError("a frame does not decode")
    return (
        np.stack([cv2.cvtColor(np.asarray(image), cv2.COLOR_BGR2RGB) for image in decoded])
        .astype(np.uint8)
        .reshape(shape)
    )


def _png(frames: NDArray[np.uint8]) -> list[bytes]:
    return [cv2.imencode(".png", cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))[1].tobytes() for frame in frames]


def _bytes(*values: bytes) -> Any:
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=values))


def _ints(values: Any) -> Any:
    return tf.train.Feature(int64_list=tf.train.Int64List(value=[int(v) for v in values]))


def _exact(values: NDArray[np.float64]) -> Any:
    """float64 as bytes: an Example's own floats have 32 bits."""
    return _bytes(np.asarray(values, "<f8").tobytes())


def _from_exact(feature: Any) -> NDArray[np.float64]:
    return np.frombuffer(feature.bytes_list.value[0], "<f8").astype(np.float64)
