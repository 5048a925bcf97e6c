"""index.json of a record directory: what it holds and what made it. Loads no TensorFlow."""

from __future__ import annotations

import dataclasses
import typing
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from mer_tf.config import MerError, Preprocess, record_settings
from mer_tf.files import read_mapping, sha256, write_json

NAME = "index.json"
MEND = f"delete {NAME} and run `mer-tf preprocess` again, which writes the damaged shards alone"
T = TypeVar("T")


@dataclass(frozen=True)
class IndexedClip:
    """One stored clip, in the order of the shards."""

    clip_id: str
    dataset: str
    subject: str
    label_raw: str
    n_frames: int
    fps: float
    shard: str
    """File name of its shard."""
    content_sha256: str
    """Of the stored pixels: equal for equal clips, whatever their names."""


@dataclass(frozen=True)
class Index:
    """A finished record directory."""

    directory: Path
    config: Preprocess
    manifest: str
    """Digest of the manifest that was written."""
    clips: tuple[IndexedClip, ...]
    shards: dict[str, str]
    """File name -> hex SHA-256, in reading order."""
    errors: int
    """Clips left out; errors.csv says why."""
    versions: dict[str, str]
    """Of the software whose change may change bytes."""

    def paths(self) -> list[Path]:
        """The shard files, in reading order."""
        return [self.directory / name for name in self.shards]


def read_index(directory: Path) -> Index:
    """Read and check index.json; `MerError` when it is absent (unfinished directory), damaged, or lacks a shard."""
    path = Path(directory) / NAME
    if not path.exists():
        raise MerError(
            f"{directory}: not a finished record directory ({NAME} is missing); run `mer-tf preprocess` again"
        )
    value = read_mapping(path)
    try:
        index = Index(
            directory=Path(directory),
            config=_typed(Preprocess, value["config"]),
            manifest=str(value["manifest"]),
            clips=tuple(_typed(IndexedClip, clip) for clip in value["clips"]),
            shards={_file_name(name): str(digest) for name, digest in value["shards"].items()},
            errors=int(value["errors"]),
            versions=dict(value["versions"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise MerError(
            f"{path}: not an index of this version ({error}); delete {directory} and make it again"
        ) from error
    if missing := [p.name for p in index.paths() if not p.is_file()]:
        raise MerError(f"{directory}: lacks {missing[0]}; delete {NAME} and run `mer-tf preprocess` again")
    if unknown := {clip.shard for clip in index.clips} - set(index.shards):
        raise MerError(
            f"{path}: names shards it does not list: {', '.join(sorted(unknown))}; delete it and make it again"
        )
    return index


def _typed(kind: type[T], values: dict[str, Any]) -> T:
    """The dataclass of these values; `TypeError` for a field whose plain type (text, number, bool) is another."""
    known: Any = kind
    hints = _plain_types(known)
    for name, value in values.items():
        wanted = hints.get(name)
        if wanted and type(value) not in ((int, float) if wanted is float else (wanted,)):
            raise TypeError(f"{name} is {value!r}, not of type {wanted.__name__}")
    return kind(**values)


@cache
def _plain_types(kind: type) -> dict[str, type]:
    return {name: hint for name, hint in typing.get_type_hints(kind).items() if hint in (str, int, float, bool)}


def _file_name(name: str) -> str:
    """A shard's name, which may not lead out of the directory."""
    if name != Path(name).name or "\\" in name or "\0" in name:
        raise ValueError(f"{name!r} is not the name of a file in this directory")
    return name


def require_whole(index: Index) -> None:
    """`MerError` naming the first shard whose bytes are not those that the index states: damaged, swapped or doubled.

    A process reads each shard for this once, as long as its size and time stay.
    """
    for path in index.paths():
        state = path.stat()
        if _digest(path, state.st_size, state.st_mtime_ns) != index.shards[path.name]:
            raise MerError(f"{path}: is not the file that {NAME} states; {MEND}")


@cache
def _digest(path: Path, size: int, time: int) -> str:
    return sha256(path)


def write_index(index: Index) -> Path:
    """Write index.json; its presence says that the directory is finished."""
    value: dict[str, Any] = {
        "config": record_settings(index.config),
        "manifest": index.manifest,
        "versions": index.versions,
        "errors": index.errors,
        "shards": index.shards,
        "clips": [dataclasses.asdict(clip) for clip in index.clips],
    }
    return write_json(index.directory / NAME, value)


def require(index: Index, config: Preprocess, manifest: str) -> None:
    """`MerError` that lists every setting in which the directory differs from what is wanted."""
    have = dataclasses.asdict(index.config) | {"manifest": index.manifest}
    want = dataclasses.asdict(config) | {"manifest": manifest}
    differing = [f"{name}: {have[name]} there, {want[name]} wanted" for name in want if have[name] != want[name]]
    if differing:
        raise MerError(
            f"{index.directory} was written with other settings ({'; '.join(differing)}); use another directory"
        )
