"""Where the face of each stored clip is; no image is decoded."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mer_tf.config import MerError, Preprocess
from mer_tf.preprocessing.landmarks import canonical_landmarks, carried_landmarks, moved
from mer_tf.records.index import read_index
from mer_tf.records.schema import floats
from mer_tf.records.stored import stored_features
from mer_tf.records.wire import Features


def recorded_landmarks(directory: Path) -> dict[str, NDArray[np.float64]]:
    """Landmarks (68, 2) of every clip of a record directory: x and y as shares of the stored square.

    They are those that were fitted; else the canonical face carried to the five points that MTCNN found in the clip's
    first frame, or the canonical face itself where aligned clips hold none. `MerError` for clips in which no face was
    looked for, and for those that lack the fitted landmarks they were made with.
    """
    config = read_index(directory).config
    found = stored_features(directory)
    return {
        entry.clip_id: _landmarks(features, config, f"clip {entry.clip_id}: {directory}") for entry, features in found
    }


@cache
def fitted_landmarks(directory: Path) -> Mapping[str, NDArray[np.float64]]:
    """Fitted landmarks (68, 2) of every clip, shares of the stored square; none where MTCNN's points were used."""
    return {} if read_index(directory).config.landmarks == "mtcnn" else recorded_landmarks(directory)


def _landmarks(features: Features, config: Preprocess, where: str) -> NDArray[np.float64]:
    if config.landmarks != "mtcnn" and "fitted" not in features:
        raise MerError(
            f"{where} holds no fitted landmarks of it (preprocess.landmarks={config.landmarks}); delete that folder "
            "and run `mer-tf preprocess` again, or use landmarks=mtcnn"
        )
    if "face" not in features:
        if config.face == "align":
            return canonical_landmarks()
        raise MerError(
            f"{where} holds no landmarks of it, since preprocess.face={config.face} looks for no face; use "
            "preprocess.face=align or crop"
        )
    matrix = floats(features, "transform").reshape(2, 3)
    if "fitted" in features:
        pixels = moved(matrix, floats(features, "fitted").reshape(68, 2))
    else:
        pixels = carried_landmarks(moved(matrix, floats(features, "face")[5:].reshape(5, 2)))
    return np.asarray((pixels + 0.5) / config.size)
