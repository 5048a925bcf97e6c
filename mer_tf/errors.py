"""Errors, and how a command ends: what the user can mend is one line and exit status 1, never a traceback."""

from __future__ import annotations

import errno
import os
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager


class MerError(Exception):
    """Bad input, said so that the reader can mend it: names the file, the row and what to do.

    Commands show it without a traceback.
    """


def refuse(faults: Iterable[str]) -> None:
    """`MerError` with every fault on a line of its own; nothing happens without any."""
    if lines := list(faults):
        raise MerError("\n".join(lines))


ADDRESS = re.compile(r"(?:--[\w.-]+=)?([A-Za-z][A-Za-z0-9+.-]*://.*)")
MOUNT = (
    "give a folder or file of this machine: mount the store (rclone mount; mountpoint-s3, gcsfuse) "
    "or copy what is needed; a folder that is written to must know renames, and files that one process alone can make"
)


def refuse_addresses(words: Iterable[str]) -> None:
    """`MerError` for words of a command line that are addresses (s3://, gs://, https://): as paths they would be new
    folders here."""
    found = (ADDRESS.fullmatch(word) for word in words)
    refuse(f"{address[1]}: is an address, not a path; {MOUNT}" for address in found if address)


ROOM = "make room or name another folder, and run the same command again"
RIGHTS = "change the rights of the file and its folder, or name another place"
REASONS = {
    errno.ENOSPC: ("the disk is full", ROOM),
    errno.EDQUOT: ("the disk quota is used up", ROOM),
    errno.EACCES: ("permission denied", RIGHTS),
    errno.EPERM: ("permission denied", RIGHTS),
    errno.EROFS: ("the disk can be read only", "name another place"),
    errno.ENOENT: ("no such file or folder", "is the path right?"),
    errno.EISDIR: ("is a folder, and a file is meant", "name a file"),
    errno.ENOTEMPTY: ("is a folder, and a file is meant", "name a file"),
    errno.ENOTDIR: ("a part of the path is a file, not a folder", "name a folder, or another file"),
    errno.EEXIST: ("a file of this name is in the way", "name another folder, or remove the file"),
    errno.ENAMETOOLONG: ("the name is too long", "name a shorter one"),
    errno.ELOOP: ("is a link to itself", "name the file that is meant"),
    errno.EMFILE: ("too many files are open", "raise the limit (ulimit -n)"),
}
"""What the system may refuse -> reason and mend in words."""


@contextmanager
def one_line_errors(stopped: str) -> Iterator[None]:
    """End the process with status 1 and one line: of a `MerError`, what the system refuses, or `stopped` by Ctrl-C."""
    try:
        yield
    except MerError as error:
        sys.exit(f"error: {error}")
    except BrokenPipeError:  # `mer-tf score ... | head`: nobody reads any more
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        sys.exit(f"error: {refusal(error)}")
    except KeyboardInterrupt:
        sys.exit(stopped)


def refusal(error: OSError) -> str:
    """The path, the reason and the mend of what the operating system refused."""
    path = error.filename2 or error.filename
    reason, mend = REASONS.get(error.errno or 0, (error.strerror or str(error), "mend that and run the command again"))
    where = f"{os.fsdecode(path)}: " if isinstance(path, str | bytes | os.PathLike) else ""
    return f"{where}{reason}; {mend}"
