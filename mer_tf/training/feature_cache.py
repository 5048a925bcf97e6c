"""Frozen layers are computed once a frame and kept on disk, not once a window and epoch.

A cache folder is named by what its numbers depend on: the records, the encoder's weights and its settings. Chunks of
clips are written one by one, so that a stopped run goes on where it was.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import keras
import numpy as np
from tqdm import tqdm

from mer_tf.config import MerError
from mer_tf.files import atomic
from mer_tf.training.batches import FeatureStore

Clips = Callable[[], Iterable[tuple[str, np.ndarray]]]
CHUNK = 8


def weights_digest(model: keras.Model) -> str:
    """Hex SHA-256 over the values of all weights of a model, in order."""
    total = hashlib.sha256()
    for value in model.get_weights():
        total.update(np.ascontiguousarray(value).tobytes())
    return total.hexdigest()


def encode_clips(
    clips: Clips, lengths: dict[str, int], encoder: keras.Model, folder: Path, *, mirror: bool, batch: int = 32
) -> FeatureStore:
    """Features of all frames of all clips, read from `folder` where they are, computed and written where not.

    clips() yields (clip_id, frames uint8 (T, S, S, 3)) in the order of `lengths` (clip_id -> T); with `mirror` the
    features of left-right mirrored frames are made too. Values are float32.
    """
    chunks = list(_chunks(list(lengths)))
    wanted = [(part, side) for part in range(len(chunks)) for side in ([False, True] if mirror else [False])]
    if missing := [key for key in wanted if not _file(folder, *key).exists()]:
        _compute(clips, lengths, chunks, missing, encoder, folder, batch)
    sides: tuple[dict[str, np.ndarray], dict[str, np.ndarray]] = ({}, {})
    for part, side in wanted:
        with np.load(_file(folder, part, side), allow_pickle=False) as arrays:
            sides[side].update({name: arrays[f"clip{k}"] for k, name in enumerate(chunks[part])})
    return FeatureStore(*sides)


def _compute(
    clips: Clips,
    lengths: dict[str, int],
    chunks: Sequence[Sequence[str]],
    missing: Sequence[tuple[int, bool]],
    encoder: keras.Model,
    folder: Path,
    batch: int,
) -> None:
    total = sum(lengths[c] for part, _ in missing for c in chunks[part])
    stream = iter(clips())
    with tqdm(total=total, desc="features", unit="frame", smoothing=0.05) as bar:
        for part, names in enumerate(chunks):
            frames = _take(stream, names)
            for side in [side for p, side in missing if p == part]:
                shown = [clip[:, :, ::-1] if side else clip for clip in frames]
                values = _predict(encoder, np.concatenate(shown), batch, bar)
                parts = np.split(values, np.cumsum([len(clip) for clip in frames])[:-1])
                with atomic(_file(folder, part, side)) as path:
                    np.savez(path, allow_pickle=False, **{f"clip{k}": value for k, value in enumerate(parts)})


def _take(stream: Iterator[tuple[str, np.ndarray]], names: Sequence[str]) -> list[np.ndarray]:
    """Frames of the next clips, which must be those of `names`: features under a wrong name would go unseen."""
    taken = [next(stream, ("no clip", np.empty(0))) for _ in names]
    if [name for name, _ in taken] != list(names):
        raise MerError(f"frames came for {[name for name, _ in taken]}, but {list(names)} are next")
    return [frames for _, frames in taken]


def _predict(encoder: keras.Model, images: np.ndarray, batch: int, bar: tqdm) -> np.ndarray:
    """Features of images in batches of one shape (the last one padded), so that XLA compiles once."""
    values = []
    for start in range(0, len(images), batch):
        part = images[start : start + batch]
        padded = np.concatenate([part, np.repeat(part[-1:], batch - len(part), axis=0)]).astype("float32")
        values.append(np.asarray(encoder.predict_on_batch(padded), dtype="float32")[: len(part)])
        bar.update(len(part))
    return np.concatenate(values)


def _chunks(names: Sequence[str]) -> Iterator[list[str]]:
    return (list(names[i : i + CHUNK]) for i in range(0, len(names), CHUNK))


def _file(folder: Path, part: int, mirrored: bool) -> Path:
    return folder / f"{'mirrored' if mirrored else 'plain'}-{part:05d}.npz"
