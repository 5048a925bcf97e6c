"""Triangle codes of the patches of flow images by dictionaries that ship with the package (Coates & Ng, ICML 2011)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import as_file, files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mer_tf.config import MerError
from mer_tf.files import read_mapping, sha256
from mer_tf.models.patch_kernel import DICTIONARIES
from mer_tf.names import unknown

PATCH = 7
GRID = 4
CHUNK = 64
"""Images that are coded at once."""
Floats = NDArray[np.float32]
Dictionary = Mapping[str, Floats]
"""mean (147,) and whiten (147, 147) of patches, words (K, 147), center and spread (16 K,) of descriptions."""


def coded(images: Floats, dictionary: Dictionary) -> Floats:
    """Standardised descriptions (N, 16 K) of prepared images (N, 28, 28, 3)."""
    return (pooled(images, dictionary) - dictionary["center"]) / dictionary["spread"]


def pooled(images: Floats, dictionary: Dictionary) -> Floats:
    """The same before it is standardised: square roots of mean triangle codes, max(0, mean distance - distance)."""
    grid, words = _grid(images.shape[1] - PATCH + 1), dictionary["words"]
    found = []
    for start in range(0, len(images), CHUNK):
        patches = patches_of(images[start : start + CHUNK])
        flat = (patches.reshape(-1, patches.shape[-1]) - dictionary["mean"]) @ dictionary["whiten"]
        squared = (flat**2).sum(axis=1, keepdims=True) - 2 * flat @ words.T + (words**2).sum(axis=1)
        apart = np.sqrt(np.maximum(squared, 0))
        codes = np.maximum(apart.mean(axis=1, keepdims=True) - apart, 0).reshape(*patches.shape[:2], -1)
        found.append(np.sqrt(grid @ codes).reshape(len(codes), -1))
    return np.concatenate(found)


def patches_of(images: Floats) -> Floats:
    """All patches of each image, (N, places, 147)."""
    seen = np.lib.stride_tricks.sliding_window_view(images, (PATCH, PATCH), axis=(1, 2))
    return np.ascontiguousarray(seen).reshape(len(images), seen.shape[1] * seen.shape[2], -1)


@cache
def _grid(places: int) -> Floats:
    """(16, places * places): the mean over each cell of a 4 x 4 grid."""
    cell = np.arange(places) * GRID // places
    rows = np.stack([(cell == k) / np.sum(cell == k) for k in range(GRID)])
    return np.kron(rows, rows).astype(np.float32)


@cache
def load_dictionaries(name: str) -> tuple[Dictionary, ...]:
    """The shipped dictionaries, without pickle; `MerError` where their SHA-256 is not that of the card."""
    with _shipped(name, ".npz") as path:
        expected = card_of(name)["sha256"]
        if (found := sha256(path)) != expected:
            raise MerError(
                f"{path}: SHA-256 is {found[:12]}..., its card says {expected[:12]}...; install mer_tf again"
            )
        with np.load(path, allow_pickle=False) as stored:
            shared = {key: stored[key] for key in ("mean", "whiten")}
            own = [{key: stored[key][k] for key in ("words", "center", "spread")} for k in range(len(stored["words"]))]
    return tuple({**shared, **one} for one in own)


def card_of(name: str) -> dict[str, Any]:
    """What made the shipped dictionaries, what they were measured on, and their limits."""
    with _shipped(name, ".json") as path:
        return read_mapping(path)


def _shipped(name: str, suffix: str) -> Any:
    if name not in DICTIONARIES:
        raise MerError(unknown("dictionary", name, DICTIONARIES))
    return as_file(files("mer_tf.models").joinpath("weights_files", name + suffix))
