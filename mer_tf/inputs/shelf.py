"""Arrays by name that may be more than memory holds: beyond a budget they lie in a file and are read when asked for."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO

import numpy as np

from mer_tf.config import MerError

IN_MEMORY = 2**30
"""Bytes of arrays above which they stay on disk and are mapped, not read."""


class Shelf(Mapping[str, np.ndarray]):
    """The arrays of `items`, taken one after the other; the file has no name and goes with the shelf.

    folder: where the file lies; None: where the system keeps its temporary files (TMPDIR). parts: as many shelves
    share the budget.
    """

    def __init__(
        self, items: Iterable[tuple[str, np.ndarray]] = (), folder: str | Path | None = None, parts: int = 1
    ) -> None:
        self._folder, self._left = folder, IN_MEMORY // parts
        self._held: dict[str, np.ndarray] = {}
        self._places: dict[str, tuple[np.dtype, int, tuple[int, ...]]] = {}
        self._file: IO[bytes] | None = None
        for name, values in items:
            self.put(name, values)

    def put(self, name: str, values: np.ndarray) -> None:
        """Keep an array under a name of its own, in memory as long as there is room."""
        self._left -= values.nbytes
        if self._left >= 0 or not values.size:
            self._held[name] = values
            return
        self._file = self._file or nameless(self._folder)
        self._places[name] = values.dtype, self._file.seek(0, 2), values.shape
        try:
            self._file.write(np.ascontiguousarray(values).data)
            self._file.flush()
        except OSError as error:
            raise MerError(f"{self._folder or tempfile.gettempdir()}: holds no more arrays ({error})") from error

    def __getitem__(self, name: str) -> np.ndarray:
        """The array, or a view of the file."""
        if name in self._held:
            return self._held[name]
        dtype, offset, shape = self._places[name]
        assert self._file is not None
        return np.memmap(self._file, dtype, "r", offset, shape)

    def __iter__(self) -> Iterator[str]:
        return iter([*self._held, *self._places])

    def __len__(self) -> int:
        return len(self._held) + len(self._places)


def nameless(folder: str | Path | None = None) -> IO[bytes]:
    """A file that nobody else sees and that is gone when it is closed."""
    if folder is not None:
        Path(folder).mkdir(parents=True, exist_ok=True)
    return tempfile.TemporaryFile(dir=folder)


def room(shape: tuple[int, ...], dtype: str) -> np.ndarray:
    """An array to be filled, in a nameless file where it would exceed the budget."""
    if np.dtype(dtype).itemsize * int(np.prod(shape)) <= IN_MEMORY:
        return np.empty(shape, dtype)
    return np.memmap(nameless(), dtype, "w+", shape=shape)
