"""Features of a frozen encoder, computed once a frame and copy, and kept on disk: not once a window, epoch and fold.

A file is named by the content hash of its clip and lies in a folder named by what else its numbers depend on: the
encoder's weights, settings and layer. So every data set, fold and sweep that meets the clip again finds it.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import keras
import numpy as np

from mer_tf.arrays import is_whole, load_array, require_room, save_array
from mer_tf.config import MerError
from mer_tf.inputs import shelf
from mer_tf.inputs.batches import FeatureStore, Viewed
from mer_tf.locks import held
from mer_tf.preprocessing.augment import turned
from mer_tf.progress import Progress
from mer_tf.records.index import IndexedClip

log = logging.getLogger("mer_tf")
Frames = Callable[[], Iterable[tuple[str, np.ndarray]]]
Wanted = Mapping[IndexedClip, int]
"""Clips whose features are wanted, and of how many copies: 1 as stored, 2 with its mirror, more turned."""
Missing = Mapping[IndexedClip, list[int]]
CHUNK = 8
TURN = 10.0
"""Greatest angle of a turned copy, degrees (Bai & Goecke's released code)."""


def weights_digest(model: keras.Model) -> str:
    """Hex SHA-256 over the values of all weights of a model, in order."""
    total = hashlib.sha256()
    for value in model.get_weights():
        total.update(np.ascontiguousarray(value).tobytes())
    return total.hexdigest()


def encode_clips(frames: Frames, clips: Wanted, encoder: keras.Model, folder: Path, *, batch: int = 32) -> FeatureStore:
    """Features of all frames of all clips, read from `folder` where they are whole, computed and written where not.

    frames() yields (clip_id, frames uint8 (T, S, S, 3)) in the order of `clips`. Values are float32 (T, ...). More than
    1 GiB of them stays on disk and is read as batches ask. While another process computes into the same folder, on this
    machine or on another one, this one waits for it. `MerError` when the disk has no room for them.
    """
    if any(_missing(folder, clips).values()):
        with held(folder, wait=-1):
            missing = _missing(folder, clips)  # another process may have made them meanwhile
            _check_room(encoder, missing, folder)
            _compute(frames, missing, encoder, folder, batch)
    files = {(clip.clip_id, k): _file(folder, clip, k) for clip, copies in clips.items() for k in range(copies)}
    sides: list[dict[str, Path]] = [{} for _ in range(max(clips.values(), default=1))]
    for (clip_id, copy), file in files.items():
        sides[copy][clip_id] = file
    many = sum(f.stat().st_size for f in files.values()) > shelf.IN_MEMORY
    plain, *others = (Viewed(side, mapped) if many else {k: load_array(f) for k, f in side.items()} for side in sides)
    return FeatureStore(plain, others[0] if others else {}, tuple(others[1:]))


@lru_cache(256)  # each keeps a file open, and a process may have few of them open
def mapped(path: Path) -> np.ndarray:
    """The array in a file, of which only what is looked at is read."""
    return load_array(path, "r")


def copy_frames(frames: np.ndarray, clip: IndexedClip, copy: int) -> np.ndarray:
    """Frames (T, S, S, 3) of a copy: 0 as stored, 1 mirrored, from 2 on each frame turned by its own angle.

    Angles are drawn from U(-10, 10) degrees by the clip's content and the copy's number (Bai & Goecke 2020 print that
    frames are turned, their released code has by how much).
    """
    if copy < 2:
        return frames[:, :, ::-1] if copy else frames
    rng = np.random.default_rng([copy, *bytes.fromhex(clip.content_sha256)])
    return turned(frames, rng.uniform(-TURN, TURN, len(frames)))


def _missing(folder: Path, clips: Wanted) -> Missing:
    """Copies of each clip whose file is absent or not whole; what is cut or changed is said and made again."""
    missing = {clip: [k for k in range(n) if not is_whole(_file(folder, clip, k))] for clip, n in clips.items()}
    for file in (f for clip, copies in missing.items() for k in copies if (f := _file(folder, clip, k)).exists()):
        log.warning("%s: is cut or changed, and is made again", file)
    return missing


def _check_room(encoder: keras.Model, missing: Missing, folder: Path) -> None:
    frame = 4 * int(np.prod([n or 1 for n in encoder.output_shape[1:]]))
    wanted = _frames(missing) * frame
    mend = "choose another data.cache, or retrain from a later layer"
    free = require_room(folder, wanted, "features need {} GiB", mend)
    log.info("features: %.1f GiB to compute into %s, %.1f GiB are free", wanted / 2**30, folder, free / 2**30)


def _frames(missing: Missing) -> int:
    return sum(clip.n_frames * len(copies) for clip, copies in missing.items())


def _compute(frames: Frames, missing: Missing, encoder: keras.Model, folder: Path, batch: int) -> None:
    stream, clips = iter(frames()), list(missing.items())
    with Progress(total=_frames(missing), desc="features", unit="frame", smoothing=0.05) as bar:
        for start in range(0, len(clips), CHUNK):
            part = clips[start : start + CHUNK]
            seen = _take(stream, [clip.clip_id for clip, _ in part])
            wanted = [(clip, k, shown) for (clip, copies), shown in zip(part, seen, strict=True) for k in copies]
            images = (copy_frames(shown, clip, k) for clip, k, shown in wanted)
            for (clip, k, _), values in zip(wanted, _predict(encoder, images, batch, bar), strict=True):
                save_array(_file(folder, clip, k), values)


def _take(stream: Iterator[tuple[str, np.ndarray]], names: Sequence[str]) -> list[np.ndarray]:
    """Frames of the next clips, which must be those of `names`: features under a wrong name would go unseen."""
    taken = [next(stream, ("no clip", np.empty(0))) for _ in names]
    if [name for name, _ in taken] != list(names):
        raise MerError(f"frames came for {[name for name, _ in taken]}, but {list(names)} are next")
    return [frames for _, frames in taken]


def _predict(encoder: keras.Model, clips: Iterable[np.ndarray], batch: int, bar: Progress) -> list[np.ndarray]:
    """Features of each clip, in batches of one shape across clips (the last one padded), so that XLA compiles once."""
    held = list(clips)
    images, values = np.concatenate(held or [np.empty((0,))]), []
    for start in range(0, len(images), batch):
        part = images[start : start + batch]
        padded = np.concatenate([part, np.repeat(part[-1:], batch - len(part), axis=0)]).astype("float32")
        values.append(np.asarray(encoder.predict_on_batch(padded), dtype="float32")[: len(part)])
        bar.update(len(part))
    ends = np.cumsum([len(clip) for clip in held])[:-1]
    return np.split(np.concatenate(values), ends) if values else []


def _file(folder: Path, clip: IndexedClip, copy: int) -> Path:
    return folder / f"{clip.content_sha256}-{copy}.npy"
