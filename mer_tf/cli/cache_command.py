"""What experiments keep between runs in data.cache, and how it is cleared."""

from __future__ import annotations

import re
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mer_tf.errors import MerError
from mer_tf.locks import held

Kind = Literal["drawn", "records", "features", "descriptors"]
PLACES: dict[Kind, tuple[str, str, str]] = {
    "drawn": (r"synthetic-[a-z0-9-]+-[0-9a-f]{10}(-png)?", "*synthetic*", "synthetic look-alike"),
    "records": (r".+-[0-9a-f]{10}", "shard-*", "aligned faces and flow"),
    "features": (r".+-[0-9a-f]{10}", "*.npy", "output of a frozen encoder"),
    "descriptors": (r".+-[0-9a-f]{10}", "*.npy", "vectors of tuned descriptors"),
}
"""Kind -> pattern of its folders' names, of a file they hold, and what that is. All but what is drawn lie in
folders of these names."""
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
    folder: Path = Path("data"),
    clear: bool = False,
    kind: tuple[Kind, ...] = (),
    older: float = 0.0,
    yes: bool = False,
) -> None:
    """List what experiments keep between runs: drawn look-alikes, records, features, descriptors; --clear deletes it.

    All of it is made again when it is next needed. Whatever else lies in the folder is left alone.

    Args:
        folder: The cache, data.cache of an experiment.
        clear: Delete what is listed, after a question.
        kind: List and clear these alone.
        older: List and clear what was last written so many days ago or longer.
        yes: Delete without the question.
    """
    if not folder.is_dir():
        raise MerError(f"{folder}: is no folder; --folder names the cache of your experiments (data.cache)")
    found = [one for one in kept(folder) if one.days >= older and (not kind or one.kind in kind)]
    print(*found, f"{sum(one.bytes for one in found) / 2**20:9.1f} MiB in {len(found)} folders", sep="\n")
    if not clear or not found:
        return
    if not yes and not _agreed(len(found)):
        raise MerError("nothing was deleted; --yes deletes without a question")
    for one in found:
        with held(one.path):
            shutil.rmtree(one.path)
    print("deleted")


def kept(folder: Path) -> Iterator[Kept]:
    """The folders that experiments made in a cache, and no others; links are not followed."""
    for kind, (pattern, inside, _) in PLACES.items():
        home = folder if kind == "drawn" else folder / kind
        for path in sorted(home.iterdir()) if home.is_dir() and not home.is_symlink() else ():
            ours = re.fullmatch(pattern, path.name) and path.is_dir() and not path.is_symlink()
            if ours and any(path.glob(inside)):
                yield _measured(path, kind)


def _measured(path: Path, kind: Kind) -> Kept:
    states = [file.lstat() for file in path.rglob("*")] or [path.lstat()]
    latest = max(state.st_mtime for state in states)
    return Kept(path, kind, sum(state.st_size for state in states), (time.time() - latest) / DAY)


def _agreed(number: int) -> bool:
    return sys.stdin.isatty() and input(f"delete these {number} folders? [y/N] ").strip().lower() in ("y", "yes")
