"""What experiments keep between runs: where it lies, one place a user, and which folders there are theirs."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from platformdirs import user_cache_path

Kind = Literal["drawn", "records", "features", "descriptors"]
PLACES: dict[Kind, tuple[str, str, str]] = {
    "drawn": (r"synthetic-[a-z0-9-]+-[0-9a-f]{10}(-png)?", "*synthetic*", "synthetic look-alike"),
    "records": (r".+-[0-9a-f]{10}", "shard-*", "aligned faces and flow"),
    "features": (r".+-[0-9a-f]{10}", "*.npy", "output of a frozen encoder"),
    "descriptors": (r".+-[0-9a-f]{10}", "*.npy", "vectors of tuned descriptors"),
}
"""Kind -> pattern of its folders' names, of a file they hold, and what that is. All but what is drawn lie in
folders of these names."""
VARIABLE = "MER_TF_CACHE"
OLD = Path("data")
"""Where all of it lay by default once: below the folder that a command was started in."""


def cache_folder(given: str | Path = "") -> Path:
    """The folder that was given; else that of $MER_TF_CACHE, else the one that the system has for a user's caches."""
    return Path(given or os.environ.get(VARIABLE) or user_cache_path("mer_tf", appauthor=False))


def kept_folders(folder: Path) -> Iterator[tuple[Path, Kind]]:
    """The folders that experiments made in a cache, and no others; links are not followed."""
    for kind, (pattern, inside, _) in PLACES.items():
        home = folder if kind == "drawn" else folder / kind
        for path in sorted(home.iterdir()) if home.is_dir() and not home.is_symlink() else ():
            ours = re.fullmatch(pattern, path.name) and path.is_dir() and not path.is_symlink()
            if ours and any(path.glob(inside)):
                yield path, kind


def older_kept(cache: Path) -> str:
    """What to do about a ./data that an older version filled, where `cache` is another folder; "" where there is none.

    Nothing of it is used by itself: what a command finds should not hang on where it is started.
    """
    if OLD.resolve() == cache.resolve() or not any(kept_folders(OLD)):
        return ""
    return (
        f"./{OLD} holds what an older version kept, which is not looked at: --data.cache {OLD} uses it, "
        f"`mer-tf cache --folder {OLD} --clear` frees its room"
    )
