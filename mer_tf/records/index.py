"""index.json of a record directory: what it holds and what made it. Loads no TensorFlow."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mer_tf.config import MerError, Preprocess
from mer_tf.files import read_json, write_json

NAME = "index.json"


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
    value = read_json(path)
    try:
        index = Index(
            directory=Path(directory),
            config=Preprocess(**value["config"]),
            manifest=value["manifest"],
            clips=tuple(IndexedClip(**clip) for clip in value["clips"]),
            shards=dict(value["shards"]),
            errors=int(value["errors"]),
            versions=dict(value["versions"]),
        )
    except (KeyError, TypeError, ValueError) as error:
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


def write_index(index: Index) -> Path:
    """Write index.json; its presence says that the directory is finished."""
    value: dict[str, Any] = {
        "config": dataclasses.asdict(index.config),
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
