"""One writer a directory, across processes and across machines that share a disk, NFS among them.

Who writes creates a file that nobody else has (O_EXCL) and touches it as long as it writes. That asks the file system
for no locks, and nobody's clock: a lock is taken from a process of this machine that has ended, and from another
machine once its file was seen not to change for `LEASE` seconds of one's own time.
"""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from mer_tf.config import MerError
from mer_tf.files import process_name
from mer_tf.parallel import among_others

if TYPE_CHECKING:
    from filelock import SoftFileLease

log = logging.getLogger("mer_tf")
LEASE = 90.0
"""Seconds without a sign of life after which a lock of another machine may be taken. All must agree on it."""
BEATS = 9
"""Signs of life that are given in so many seconds."""


@contextmanager
def held(directory: Path, wait: float = 0) -> Iterator[None]:
    """Hold a directory, or a file, against a second writer.

    `MerError` when another process holds it, for `wait` seconds (-1: however long). One of several processes of a
    command waits until the other is done. The lock is the file `.NAME.lock` beside it, so that the directory itself may
    be replaced.
    """
    from filelock import SoftFileLease  # takes a twentieth of a second, and most commands lock nothing

    directory = Path(directory).resolve()
    file = directory.with_name(f".{directory.name}.lock")
    file.parent.mkdir(parents=True, exist_ok=True)
    lock = SoftFileLease(file, lease_duration=LEASE, heartbeat_interval=LEASE / BEATS)
    _take(lock, file, directory, -1 if among_others() else wait)
    try:
        _look_anew(directory)
        yield
    finally:
        _release(lock, file)


@contextmanager
def whole_folder(out: Path) -> Iterator[Path]:
    """Give a folder beside `out` to draw into, which becomes `out` when the block ends well, and vanishes when not.

    `MerError` when another process is drawing `out`, or has just done so.
    """
    out.mkdir(parents=True, exist_ok=True)
    part = out.with_name(f".{out.name}.{process_name()}.part")
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


def _take(lock: SoftFileLease, file: Path, directory: Path, wait: float) -> None:
    """Take a lock; of one that is held by another machine it is first seen whether that still lives."""
    from filelock import Timeout

    with suppress(Timeout):
        lock.acquire(timeout=0)
        return
    if lock.owner is None:
        _remove_nobodys(lock, file)
    with suppress(Timeout):
        seen, owner = _changed(file), lock.owner
        if wait:
            log.info("%s: another process is writing it; waiting for it to end", directory)
            lock.acquire(timeout=wait)
            return
        if owner is None or owner.hostname != _this_machine():
            log.info("%s: is locked, not by this machine; waiting for a sign that it still writes", directory)
            lock.acquire(timeout=2 * LEASE, cancel_check=lambda: _changed(file) not in (0, seen))
            return
    raise MerError(f"{directory} is being written by another process; wait for it to end")


def _release(lock: SoftFileLease, file: Path) -> None:
    """Give a lock back; where the system does not let its file be removed now, it ends with this process."""
    try:
        lock.release()
    except PermissionError as error:
        log.warning("%s: cannot be removed (%s); it holds until this process ends", file, error)


@cache
def _this_machine() -> str:
    """How locks name it."""
    from filelock import SoftFileLease

    with tempfile.TemporaryDirectory() as home, SoftFileLease(Path(home) / "lock") as lock:
        owner = lock.owner
        return "" if owner is None else owner.hostname


def _remove_nobodys(lock: SoftFileLease, file: Path) -> None:
    """Remove a lock that names nobody and stays so: an empty file, as older versions left where a process died."""
    seen, end = _changed(file), time.monotonic() + LEASE / BEATS
    while time.monotonic() < end:
        time.sleep(min(LEASE / BEATS, 0.2))
        if _changed(file) != seen or lock.owner is not None:
            return
    lock.force_break()


def _changed(file: Path) -> int:
    """When a lock was last touched, by the clock of whoever keeps it; 0 where there is none."""
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return 0


def _look_anew(directory: Path) -> None:
    """Make a client of a shared disk forget what it knew of a folder: it may not show yet what another one has made.

    A file that is made there brings the folder's present state back.
    """
    probe = directory / f".look.{process_name()}.part"
    with suppress(OSError):  # no folder, or none to write to
        os.close(os.open(probe, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        probe.unlink()
