"""What experiments keep between runs in data.cache, and how it is cleared."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mer_tf.cached import PLACES, Kind, cache_folder, kept_folders, older_kept
from mer_tf.errors import MerError
from mer_tf.locks import held

DAY = 86400.0


@dataclass(frozen=True)
class Kept:
    """A folder of the cache."""

    path: Path
    kind: Kind
    bytes: int
    days: float
    """Since something in it was last written."""

    def __str__(self) -> str:
        return f"{self.bytes / 2**20:9.1f} MiB {self.days:6.1f} days  {PLACES[self.kind][2]:<27} {self.path}"


def cache(
    folder: Path | None = None,
    clear: bool = False,
    kind: tuple[Kind, ...] = (),
    older: float = 0.0,
    yes: bool = False,
) -> None:
    """List what experiments keep between runs: drawn look-alikes, records, features, descriptors; --clear deletes it.

    All of it is made again when it is next needed. Whatever else lies in the folder is left alone.

    Args:
        folder: The cache, data.cache of an experiment; without it $MER_TF_CACHE, or the place that the system has for
            caches of this user, which is where experiments keep it by themselves.
        clear: Delete what is listed, after a question.
        kind: List and clear these alone.
        older: List and clear what was last written so many days ago or longer.
        yes: Delete without the question.
    """
    home = cache_folder(folder or "")
    if folder and not home.is_dir():
        raise MerError(f"{folder}: is no folder; --folder names the cache of your experiments (data.cache)")
    found = [one for one in kept(home) if one.days >= older and (not kind or one.kind in kind)]
    size = f"{sum(one.bytes for one in found) / 2**20:9.1f} MiB in {len(found)} folders"
    print(*found, f"{size} of {home}", *filter(None, [older_kept(home)]), sep="\n")
    if not clear or not found:
        return
    if not yes and not _agreed(len(found)):
        raise MerError("nothing was deleted; --yes deletes without a question")
    for one in found:
        with held(one.path):
            shutil.rmtree(one.path)
    print("deleted")


def kept(folder: Path) -> Iterator[Kept]:
    """The folders that experiments made in a cache, measured."""
    for path, kind in kept_folders(folder):
        states = [file.lstat() for file in path.rglob("*")] or [path.lstat()]
        latest = max(state.st_mtime for state in states)
        yield Kept(path, kind, sum(state.st_size for state in states), (time.time() - latest) / DAY)


def _agreed(number: int) -> bool:
    return sys.stdin.isatty() and input(f"delete these {number} folders? [y/N] ").strip().lower() in ("y", "yes")
