"""Files that are either whole or absent, and paths that stay inside their root."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import platform
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mer_tf.config import MerError

if TYPE_CHECKING:
    import pandas as pd


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Give a temporary name beside `path`; rename it to `path` when the block ends well, remove it when it does not.

    The temporary name keeps the suffix of `path`, since writers such as OpenCV and Keras choose the format by it. An
    `OSError` of the system that names no file, or the temporary one, names `path`.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.{process_name()}.part{path.suffix}")
    try:
        yield temporary
        temporary.replace(path)
    except OSError as error:
        if error.errno is not None and error.filename in (None, str(temporary), temporary):
            error.filename, error.filename2 = str(path), None
        raise
    finally:
        temporary.unlink(missing_ok=True)


def process_name() -> str:
    """A word that no other process has, on none of the machines that share a disk."""
    return f"{hashlib.sha256(platform.node().encode()).hexdigest()[:6]}-{os.getpid()}"


def write_text(path: Path, text: str) -> Path:
    """Write UTF-8 text atomically; return the path."""
    with atomic(path) as part:
        part.write_text(text, encoding="utf-8", newline="\n")
    return Path(path)


def write_pieces(path: Path, pieces: Iterable[str]) -> Path:
    """`write_text` of a text that is not held whole."""
    with atomic(path) as part, part.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(pieces)
    return Path(path)


def write_csv(frame: pd.DataFrame, path: Path, *, index: bool = False) -> Path:
    """Write a table as UTF-8 CSV atomically, with the same bytes on every system; return the path."""
    return write_text(path, frame.to_csv(index=index, lineterminator="\n"))


def write_json(path: Path, value: Any) -> Path:
    """Write JSON atomically, keys in the order given; return the path."""
    return write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def read_json(path: Path) -> Any:
    """Read JSON; a broken or absent file is a `MerError` that names it."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise MerError(f"{path}: no such file") from error
    except (ValueError, RecursionError) as error:
        raise MerError(f"{path}: not valid JSON ({error}); delete it and make it again") from error


def read_mapping(path: Path) -> dict[str, Any]:
    """Read JSON that is a mapping; anything else is a `MerError` that names the file."""
    value = read_json(path)
    if not isinstance(value, dict):
        raise MerError(f"{path}: holds a {type(value).__name__}, not names with values; delete it and make it again")
    return value


@cache
def facts(name: str) -> pd.DataFrame:
    """A table of data_manifests/ as text; its readers must not write into it."""
    import pandas as pd

    return pd.read_csv(fact_file(name), dtype=str, keep_default_na=False)


def fact_file(name: str) -> Path:
    """Path of a table of data_manifests/: inside an installed package, beside the package in a source tree."""
    package = Path(__file__).parent
    installed = package / "data_manifests"
    return (installed if installed.is_dir() else package.parent / "data_manifests") / name


def fact_names(name: str, column: str) -> list[str]:
    """The different values of one column of a table of data_manifests/, in its order; needs no pandas."""
    with fact_file(name).open(encoding="utf-8") as stream:
        return list(dict.fromkeys(row[column] for row in csv.DictReader(stream)))


def sha256(path: Path) -> str:
    """Hex SHA-256 of a file's bytes."""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


DEVICE = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)
"""What Windows takes for a device, not a file."""


def file_name(clip_id: str) -> str:
    """A clip's id as the name of one file or folder that every system takes, and which leads nowhere else."""
    name = re.sub(r"[\0-\x1f/\\:*?\"<>|]|[. ]$", "_", clip_id)
    return f"_{name}" if name.startswith(".") or DEVICE.match(name) else name


LONG = 80
"""Signs of a broken path that a message shows."""
SYSTEM = frozenset({"thumbs.db", "desktop.ini", "__macosx", "@eadir", "$recycle.bin", "system volume information"})
"""What Windows, macOS and network disks leave in folders, beside files whose name begins with a dot."""


def hidden(name: str) -> bool:
    """Whether a file or folder of this name is the system's, not the data's: .DS_Store, ._img1.png, Thumbs.db."""
    return name.startswith((".", "~$")) or name.casefold() in SYSTEM


_FOLLOWED: ContextVar[tuple[Path, ...]] = ContextVar("followed", default=())


@contextmanager
def following(folders: Sequence[Path]) -> Iterator[None]:
    """Within the block links of a data set may lead into these folders, see `placed`; each must be one."""
    if absent := [folder for folder in folders if not Path(folder).is_dir()]:
        raise MerError(f"{absent[0]}: no such folder; --follow-links names those into which links lead")
    token = _FOLLOWED.set(tuple(Path(folder).resolve() for folder in folders))
    try:
        yield
    finally:
        _FOLLOWED.reset(token)


def placed(root: Path, relative: str, where: str) -> tuple[Path, str]:
    """A root and a path below it that are the same file or folder as `relative` under `root`.

    Where links lead into a folder of `following`, the root is that folder, and the path has no links; else `inside`.
    `MerError` as well for a name that holds a backslash, which no manifest can hold.
    """
    base, path = _resolved(root, relative, where)
    if "\\" in relative + base.as_posix():
        raise MerError(f"{where}: {relative!r} holds a backslash, which Windows reads as a folder's end; rename it")
    if path.is_relative_to(base):
        return base, relative
    for folder in _FOLLOWED.get():
        if path.is_relative_to(folder):
            return folder, path.relative_to(folder).as_posix()
    return base, inside(root, relative, where).as_posix()  # an error, since the path leaves the root


def linked_into(root: Path, paths: Iterable[Path], where: str) -> str:
    """The folder of `following` into which those of `paths` lead that are links out of `root`; "" where none is.

    `MerError`, for which `where` names the row, when it is none of these folders, or several.
    """
    base = Path(root).resolve()
    targets = [path.resolve() for path in paths if path.is_symlink() and path.is_file()]
    if not (out := [path for path in targets if not path.is_relative_to(base)]):
        return ""
    for folder in _FOLLOWED.get():
        if all(path.is_relative_to(folder) for path in out):
            return folder.as_posix()
    raise MerError(
        f"{where}: {len(out)} of its files are links out of the root {base}, as to {out[0]}; name one folder that all "
        "of them lead into with --follow-links when you list the data set"
    )


def inside(root: Path, relative: str, where: str, links: str = "") -> Path:
    """Absolute path of `relative` under `root`, links followed; `where` names the row when it leaves root.

    links: folder into which links may lead.
    """
    base, path = _resolved(root, relative, where)
    if not path.is_relative_to(base) and not (links and path.is_relative_to(Path(links).resolve())):
        raise MerError(
            f"{where}: {relative!r} points outside its root {base}; use a path below the root, without links, or name "
            "the folder that links lead to with --follow-links when you list the data set"
        )
    return path


def _resolved(root: Path, relative: str, where: str) -> tuple[Path, Path]:
    """The root, and `relative` under it, both absolute and without links."""
    try:
        base = Path(root).resolve()
        return base, (base / relative).resolve()
    except (OSError, ValueError, RuntimeError) as error:  # too long, holds NUL, a link to itself
        raise MerError(f"{where}: {relative[:LONG]!r} is no path ({error}); correct or remove it") from error
