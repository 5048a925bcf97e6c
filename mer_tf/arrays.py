"""Arrays kept on disk that say whether they are whole: a .npy file, followed by a SHA-256 of its name and its bytes.

`np.load` reads such a file as any other, also mapped: it stops where the array ends.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mer_tf.config import MerError
from mer_tf.files import atomic

SEAL = hashlib.sha256().digest_size
CHUNK = 2**20


def evenly(length: int, most: int) -> NDArray[np.int64]:
    """Up to `most` places from 0 to length - 1, evenly spread, both ends among them."""
    return np.unique(np.linspace(0, length - 1, min(most, length)).round().astype(np.int64))


def require_room(folder: Path, wanted: int, need: str, mend: str) -> int:
    """Bytes that are free where `folder` is, which is made; `MerError` when they are fewer than `wanted`.

    need: what takes them, with {} for their number, as "features need {} GiB"; mend: what to do instead.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if (free := shutil.disk_usage(folder).free) < wanted:
        gib = need.format(f"{wanted / 2**30:.1f}")
        raise MerError(f"{folder}: {gib} and {free / 2**30:.1f} GiB are free; {mend}")
    return free


def save_array(path: Path, values: np.ndarray) -> Path:
    """Write an array atomically, and wait until it is on the disk; return the path."""
    data = io.BytesIO()
    np.save(data, values, allow_pickle=False)
    seal = hashlib.sha256(Path(path).name.encode())
    seal.update(data.getbuffer())
    with atomic(path) as part, part.open("wb") as stream:
        stream.write(data.getbuffer())
        stream.write(seal.digest())
        stream.flush()
        os.fsync(stream.fileno())
    return Path(path)


def is_whole(path: Path) -> bool:
    """Whether the file holds what `save_array` wrote under this name: not cut, changed or another's.

    A process reads each file for this once, as long as its size and time stay.
    """
    try:
        state = Path(path).stat()
    except FileNotFoundError:
        return False
    return _sealed(Path(path), state.st_size, state.st_mtime_ns)


def load_array(path: Path, mapped: Literal["r"] | None = None) -> np.ndarray:
    """An array that is whole; `MerError` otherwise."""
    if not is_whole(path):
        raise MerError(f"{path}: is cut or changed; delete it, and the next run makes it again")
    return np.asanyarray(np.load(path, mmap_mode=mapped, allow_pickle=False))


def array_faults(folder: Path) -> tuple[int, list[str]]:
    """Number of arrays in a folder, and a line for each that is not whole."""
    files = sorted(Path(folder).glob("*.npy"))
    return len(files), [
        f"{path.name}: is cut or changed; delete it, and the next run makes it again"
        for path in files
        if not is_whole(path)
    ]


@cache
def _sealed(path: Path, size: int, time: int) -> bool:
    if size <= SEAL:
        return False
    total = hashlib.sha256(path.name.encode())
    with path.open("rb") as stream:
        left = size - SEAL
        while left > 0 and (part := stream.read(min(CHUNK, left))):
            total.update(part)
            left -= len(part)
        return total.digest() == stream.read()
