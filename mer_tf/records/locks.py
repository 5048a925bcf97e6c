"""One writer a directory, across processes and, where the file system has locks, across machines."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mer_tf.config import MerError


@contextmanager
def held(directory: Path) -> Iterator[None]:
    """Hold a directory against a second writer; the system lets go when the process ends, however it ends.

    `MerError` when another process holds it, or when the file system knows no locks.
    """
    handle = os.open(directory, os.O_RDONLY)
    try:
        _take(handle, directory)
        yield
    finally:
        os.close(handle)


def _take(handle: int, directory: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise MerError(f"{directory} is being written by another process; wait for it to end") from error
    except OSError as error:
        raise MerError(
            f"{directory}: its file system cannot lock ({error.strerror}), so that two jobs could write it at once; "
            "mount it with locks (Lustre: -o flock), or write to a local disk and copy"
        ) from error
