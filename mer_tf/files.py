"""Files that are either whole or absent, and paths that stay inside their root."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mer_tf.config import MerError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Give a temporary name beside `path`; rename it to `path` when the block ends well, remove it when it does not.

    The temporary name keeps the suffix of `path`, since writers such as OpenCV and Keras choose the format by it. An
    `OSError` that names no file, or the temporary one, names `path`.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    try:
        yield temporary
        temporary.replace(path)
    except OSError as error:
        if error.filename in (None, str(temporary), temporary):
            error.filename, error.filename2 = str(path), None
        raise
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> Path:
    """Write UTF-8 text atomically; return the path."""
    with atomic(path) as part:
        part.write_text(text, encoding="utf-8")
    return Path(path)


def write_json(path: Path, value: Any) -> Path:
    """Write JSON atomically, keys in the order given; return the path."""
    return write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def write_image(path: Path, rgb: np.ndarray, *, jpeg_quality: int = 95) -> Path:
    """Write a uint8 RGB image atomically, its format chosen by the suffix; return the path.

    The bytes are encoded in memory, since `cv2.imwrite` says that the system refused, but not why.
    """
    import cv2

    try:
        options = [cv2.IMWRITE_JPEG_QUALITY, jpeg_quality] if Path(path).suffix in (".jpg", ".jpeg") else []
        _, data = cv2.imencode(Path(path).suffix, cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), options)
    except cv2.error as error:
        raise MerError(f"{path}: OpenCV writes no picture of this name; let it end with .png or .jpg") from error
    with atomic(path) as part:
        part.write_bytes(data.tobytes())
    return Path(path)


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

    with files("data_manifests").joinpath(name).open(encoding="utf-8") as stream:
        return pd.read_csv(stream, dtype=str, keep_default_na=False)


def sha256(path: Path) -> str:
    """Hex SHA-256 of a file's bytes."""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def file_name(clip_id: str) -> str:
    """A clip's id as the name of one file or folder, which leads nowhere else."""
    name = re.sub(r"[/\\:\0]", "_", clip_id)
    return f"_{name}" if name.startswith(".") else name


def inside(root: Path, relative: str, where: str) -> Path:
    """Absolute path of `relative` under `root`, links followed; `where` names the row when it leaves root."""
    base = Path(root).resolve()
    path = (base / relative).resolve()
    if not path.is_relative_to(base):
        raise MerError(
            f"{where}: {relative!r} points outside its root {base}; use a path below the root, without links"
        )
    return path
