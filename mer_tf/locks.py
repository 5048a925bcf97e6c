"""One writer a directory, across processes and, where the file system has locks, across machines."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from mer_tf.config import MerError
from mer_tf.parallel import among_others

if TYPE_CHECKING:
    from filelock import BaseFileLock

NO_LOCKS = frozenset({errno.EINVAL, errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP})
"""What a file system answers that has no locks."""


@contextmanager
def held(directory: Path, wait: float = 0) -> Iterator[None]:
    """Hold a directory, or a file, against a second writer; the system lets go when the process ends, however it ends.

    `MerError` when another process holds it, for `wait` seconds, or when the file system knows no locks. One of several
    processes of a command waits until the other is done. The lock is the file `.NAME.lock` beside it, so that the
    directory itself may be replaced.
    """
    from filelock import FileLock  # takes a twentieth of a second, and most commands lock nothing

    directory = Path(directory).resolve()
    file = directory.with_name(f".{directory.name}.lock")
    file.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(file)
    _take(lock, directory, -1 if among_others() else wait)
    try:
        yield
    finally:
        with suppress(OSError):  # Windows removes no open file; there the lock does when it is let go
            file.unlink()
        lock.release()


@contextmanager
def whole_folder(out: Path) -> Iterator[Path]:
    """Give a folder beside `out` to draw into, which becomes `out` when the block ends well, and vanishes when not.

    `MerError` when another process is drawing `out`, or has just done so.
    """
    out.mkdir(parents=True, exist_ok=True)
    part = out.with_name(f".{out.name}.{os.getpid()}.part")
    with held(out):
        if any(out.iterdir()):
            raise MerError(f"{out}: another process has just drawn it; run the same command again")
        try:
            part.mkdir()
            yield part
            out.rmdir()  # it is empty: a rename onto it works on some systems only
            part.rename(out)
        finally:
            shutil.rmtree(part, ignore_errors=True)
            with suppress(OSError):  # it holds the finished folder
                out.rmdir()


def _take(lock: BaseFileLock, directory: Path, wait: float) -> None:
    from filelock import Timeout

    try:
        lock.acquire(timeout=wait)
    except Timeout as error:
        raise MerError(f"{directory} is being written by another process; wait for it to end") from error
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
        raise MerError(
            f"{directory}: its file system cannot lock ({error.strerror}), so that two jobs could write it at once; "
            "mount it with locks (Lustre: -o flock), or write to a local disk and copy"
        ) from error
