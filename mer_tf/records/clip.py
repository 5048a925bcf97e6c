"""One clip from its files to aligned frames and flow: decode, find the face, warp, steps in time, flow."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from mer_tf.config import MerError, Preprocess
from mer_tf.datasets.clip_frames import iter_clip
from mer_tf.datasets.manifest import ClipRow
from mer_tf.preprocessing.faces import Face, detect_face, face_transform, warp
from mer_tf.preprocessing.flow import flow_clip
from mer_tf.preprocessing.frames import Frame
from mer_tf.preprocessing.landmarks import fitted_face, fitted_transform, load_landmark_model
from mer_tf.preprocessing.recipes import check_recipe
from mer_tf.preprocessing.steps import Course, treated
from mer_tf.records.landmark_files import filed_face, listed, network_file, tried_frames

TEXTS = ("clip_id", "dataset", "subject", "label_raw")
"""What a record and its index have of the manifest's row."""


@dataclass(frozen=True, eq=False)
class ClipRecord:
    """One stored clip of T frames of S x S pixels."""

    clip_id: str
    dataset: str
    subject: str
    label_raw: str
    fps: float
    """Stored frames a second."""
    frame_numbers: NDArray[np.int64]
    """(T,): numbers in the source, ascending; of an interpolated frame the nearest one, so that some may repeat."""
    frames: NDArray[np.uint8]
    """(T, S, S, 3) RGB."""
    flow: NDArray[np.float16] | None
    """(T - 1, S, S, 2): (dx, dy) in stored pixels, frame t (or 0, as preprocess.flow_from says) to t + 1."""
    face: Face | None
    detected_in: int | None
    """Number of the frame the face was found in: the first one, unless no face was found there."""
    transform: NDArray[np.float64]
    """(2, 3): the one map from source pixels to stored pixels."""

    @cached_property
    def content_sha256(self) -> str:
        """Hex SHA-256 of the stored pixels: two clips with the same one are the same clip, whatever their names."""
        shape = ",".join(map(str, self.frames.shape))
        return hashlib.sha256(shape.encode() + np.ascontiguousarray(self.frames).tobytes()).hexdigest()


def process_clip(row: ClipRow, config: Preprocess) -> ClipRecord:
    """Frames onset .. offset of a clip under one map, and their flow; `MerError` names the clip and the fault.

    The source is read one frame at a time, so memory holds the stored frames only.
    """
    check_recipe(config)
    try:
        return _process(row, config)
    except cv2.error as error:
        raise MerError(f"clip {row.clip_id}: OpenCV refuses {row.source()}: {error}") from error


def _process(row: ClipRow, config: Preprocess) -> ClipRecord:
    without = config.face == "none" and config.landmarks == "mtcnn"
    face, detected_in = (None, None) if without else _find_face(row, config)
    numbers, frames, matrix = [], [], None
    for number, frame in iter_clip(row):
        if matrix is None:
            matrix = _transform(face, config, (frame.shape[0], frame.shape[1]))
        numbers.append(number)
        frames.append(warp(frame, matrix, config.size))
    course = Course(np.stack(frames), np.array(numbers, np.int64), row.fps)
    try:
        course = treated(course, config)
    except MerError as error:
        raise MerError(f"clip {row.clip_id}: {error}") from error
    return ClipRecord(
        **{name: getattr(row, name) for name in TEXTS},
        fps=course.fps,
        frame_numbers=course.numbers,
        frames=course.frames,
        flow=_flow(course.frames, config),
        face=face,
        detected_in=detected_in,
        transform=np.asarray(matrix),
    )


def _flow(frames: NDArray[np.uint8], config: Preprocess) -> NDArray[np.float16] | None:
    if config.flow == "tvl1":
        from mer_tf.preprocessing.tvl1 import tvl1_clip  # loads Keras

        return tvl1_clip(frames, config.flow_from)
    return None if config.flow == "none" else flow_clip(frames, config.flow, config.flow_from)


def _transform(face: Face | None, config: Preprocess, shape: tuple[int, int]) -> NDArray[np.float64]:
    if config.face == "align" and face is not None and face.fitted is not None:
        return fitted_transform(face.fitted, config.size)
    return face_transform(face, config.face, config.size, config.margin, shape)


def _find_face(row: ClipRow, config: Preprocess) -> tuple[Face, int]:
    """The face and the number of the frame it was found in: the first frame, else one later in the clip."""
    if config.landmarks == "file":
        folder = Path(config.landmarks_from)
        return filed_face(row, folder, listed(folder))
    targets, min_face = tried_frames(row), config.min_face
    for number, frame in iter_clip(row):
        if not targets:
            break
        if number < targets[0]:
            continue
        targets = [t for t in targets if t > number]
        if face := detect_face(frame, min_face, config.detector):
            return _fitted(face, frame, config), number
    raise MerError(
        f"clip {row.clip_id}: no face of {min_face} px or more in {row.source()}; "
        "use a smaller preprocess.min_face, or preprocess.face=none if the clips are cropped already"
    )


def _fitted(face: Face, frame: Frame, config: Preprocess) -> Face:
    """The face with the points of the landmark network, where there is one."""
    if config.landmarks == "mtcnn":
        return face
    return fitted_face(_network(network_file(config))(frame, face), face.confidence, face.box)


_network = lru_cache(maxsize=1)(load_landmark_model)
"""One network a process."""
