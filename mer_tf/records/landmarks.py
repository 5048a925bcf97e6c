"""Where the face of each stored clip is, and which source frames were stored; no image is decoded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from mer_tf.config import MerError
from mer_tf.preprocessing.landmarks import canonical_landmarks, carried_landmarks
from mer_tf.records.index import Index, read_index, require_whole


@dataclass(frozen=True, eq=False)
class ClipPlaces:
    """What holds for all frames of a clip."""

    landmarks: NDArray[np.float64]
    """(68, 2): x and y as shares of the stored square."""
    frame_numbers: NDArray[np.int64]
    """(T,): number in the source of each stored frame."""


def clip_places(directory: Path) -> dict[str, ClipPlaces]:
    """Places of every clip of a record directory.

    Landmarks are those that were fitted; else the canonical face carried to the five points that MTCNN found in the
    clip's first frame, or the canonical face itself where aligned clips hold none. `MerError` for clips in which no
    face was looked for, and for those that lack the fitted landmarks they were made with.
    """
    index, found = read_index(directory), {}
    require_whole(index)
    for serialized in tf.data.TFRecordDataset([str(p) for p in index.paths()]).as_numpy_iterator():
        features = tf.train.Example.FromString(serialized).features.feature
        clip_id = features["clip_id"].bytes_list.value[0].decode()
        numbers = np.array(features["frame_numbers"].int64_list.value, np.int64)
        found[clip_id] = ClipPlaces(_landmarks(features, index, clip_id), numbers)
    return found


@cache
def fitted_landmarks(directory: Path) -> Mapping[str, NDArray[np.float64]]:
    """Fitted landmarks (68, 2) of every clip, shares of the stored square; none where MTCNN's points were used."""
    if read_index(directory).config.landmarks == "mtcnn":
        return {}
    return {clip_id: place.landmarks for clip_id, place in clip_places(directory).items()}


def _landmarks(features: tf.train.Features, index: Index, clip_id: str) -> NDArray[np.float64]:
    if index.config.landmarks != "mtcnn" and "fitted" not in features:
        raise MerError(
            f"clip {clip_id}: {index.directory} holds no fitted landmarks of it (preprocess.landmarks="
            f"{index.config.landmarks}); delete that folder and run `mer-tf preprocess` again, or use landmarks=mtcnn"
        )
    if "face" not in features:
        if index.config.face == "align":
            return canonical_landmarks()
        raise MerError(
            f"clip {clip_id}: {index.directory} holds no landmarks of it, since preprocess.face={index.config.face} "
            "looks for no face; use preprocess.face=align or crop"
        )
    matrix = np.frombuffer(features["transform"].bytes_list.value[0], "<f8").reshape(2, 3)
    if "fitted" in features:
        pixels = _stored(np.frombuffer(features["fitted"].bytes_list.value[0], "<f8").reshape(68, 2), matrix)
    else:
        five = np.frombuffer(features["face"].bytes_list.value[0], "<f8")[5:].reshape(5, 2)
        pixels = carried_landmarks(_stored(five, matrix))
    return np.asarray((pixels + 0.5) / index.config.size)


def _stored(points: NDArray[np.float64], matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points of the source in pixels of the stored square."""
    return np.asarray(points @ matrix[:, :2].T + matrix[:, 2])
