"""The preprocessing job: manifest rows to TFRecord shards. Killed at any moment, a second run ends with the same bytes.

A shard is the unit of work: written under a temporary name, renamed, then described by a sidecar. index.json and
errors.csv are made of the sidecars alone, last. Nothing written depends on time, machine, order or number of workers.
"""

from __future__ import annotations

import csv
import fcntl
import io
import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import cv2
from tqdm import tqdm

import mer_tf
from mer_tf.config import MerError, Preprocess, digest
from mer_tf.datasets.manifest import ClipRow, check_rows, manifest_digest
from mer_tf.files import write_text
from mer_tf.records.index import NAME, Index, IndexedClip, read_index, require, write_index
from mer_tf.records.shards import Shard, read_sidecar
from mer_tf.records.workers import run_shards

log = logging.getLogger(__name__)

OnError = Literal["fail", "skip"]


def write_records(
    rows: Sequence[ClipRow],
    config: Preprocess,
    out: Path,
    *,
    name: str = "records",
    workers: int = 1,
    on_error: OnError = "fail",
    progress: bool = True,
) -> Path:
    """Write, resume, or merely find the records of `rows`; return their folder, <out>/<name>-<hash of config and rows>.

    on_error: "fail" stops at the first bad clip with its `MerError` and keeps the finished shards; "skip" leaves bad
    clips out and lists them in errors.csv. `workers` processes give the same bytes as one. `MerError` as well when no
    clip is left, and when another process is writing the same directory.
    """
    check_rows(rows, "preprocessing")
    manifest = manifest_digest(rows)
    directory = Path(out) / f"{name}-{digest(config, manifest)}"
    directory.mkdir(parents=True, exist_ok=True)
    with _locked(directory):
        if not (directory / NAME).exists():
            _clean(directory)
            shards = plan_shards(rows, config, directory)
            _write_missing(shards, config, workers, on_error, progress)
            _finish(shards, config, manifest, directory)
    index = read_index(directory)
    require(index, config, manifest)
    _judge(index, on_error)
    return directory


def plan_shards(rows: Sequence[ClipRow], config: Preprocess, directory: Path) -> list[Shard]:
    """Rows in the order of their ids, `clips_per_shard` to a shard."""
    if config.clips_per_shard < 1:
        raise MerError(f"preprocess.clips_per_shard must be 1 or more, not {config.clips_per_shard}")
    ordered = sorted(rows, key=lambda r: r.clip_id)
    starts = range(0, len(ordered), config.clips_per_shard)
    return [
        Shard(
            directory / f"shard-{i:05d}-of-{len(starts):05d}.tfrecord", tuple(ordered[s : s + config.clips_per_shard])
        )
        for i, s in enumerate(starts)
    ]


def software() -> dict[str, str]:
    """Versions of what turns source pixels into stored bytes."""
    return {"mer_tf": mer_tf.__version__, "opencv": cv2.__version__, "mtcnn": version("mtcnn")}


def _write_missing(
    shards: Sequence[Shard], config: Preprocess, workers: int, on_error: OnError, progress: bool
) -> None:
    """Write the shards that are not there yet, with a bar counting clips."""
    missing = [s for s in shards if not _finished(s, on_error)]
    total = sum(len(s.rows) for s in missing)
    if done := sum(len(s.rows) for s in shards) - total:
        log.info("%d clips are there already; %d to write", done, total)
    with tqdm(total=total, unit="clip", desc="preprocess", disable=not progress) as bar:
        run_shards(missing, config, software(), workers=workers, skip=on_error == "skip", tick=bar.update)


def _finished(shard: Shard, on_error: OnError) -> bool:
    """Whether the shard can be kept: whole, of this software, and without errors unless they are skipped."""
    sidecar = read_sidecar(shard)
    if sidecar is None or sidecar["versions"] != software():
        return False
    return on_error == "skip" or not sidecar["errors"]


def _finish(shards: Sequence[Shard], config: Preprocess, manifest: str, directory: Path) -> None:
    """errors.csv, then index.json, both from the sidecars."""
    sidecars = [_sidecar(shard) for shard in shards]
    errors = [error for sidecar in sidecars for error in sidecar["errors"]]
    clips = [
        IndexedClip(**clip, shard=shard.path.name)
        for shard, sidecar in zip(shards, sidecars, strict=True)
        for clip in sidecar["clips"]
    ]
    _write_errors(errors, directory / "errors.csv")
    if not clips:
        raise MerError(
            f"none of {len(errors)} clips could be preprocessed; the first: {errors[0]['reason']} "
            f"(all are in {directory / 'errors.csv'}; delete that folder once they are mended)"
        )
    digests = {shard.path.name: sidecar["sha256"] for shard, sidecar in zip(shards, sidecars, strict=True)}
    write_index(Index(directory, config, manifest, tuple(clips), digests, len(errors), software()))


def _sidecar(shard: Shard) -> dict[str, Any]:
    sidecar = read_sidecar(shard)
    if sidecar is None:
        raise MerError(f"{shard.path}: vanished while the job ran; run it again")
    return sidecar


def _write_errors(errors: Sequence[dict[str, str]], path: Path) -> None:
    text = io.StringIO()
    table = csv.DictWriter(text, ["clip_id", "source", "reason"], lineterminator="\n")
    table.writeheader()
    table.writerows(errors)
    write_text(path, text.getvalue())


def _judge(index: Index, on_error: OnError) -> None:
    """A directory that leaves clips out serves only a caller who accepts that."""
    if not index.errors:
        return
    message = f"{index.directory}: {index.errors} clip(s) are left out, see errors.csv there"
    if on_error == "fail":
        raise MerError(f"{message}; mend them and delete the directory, or accept it with on_error=skip")
    log.warning("%s", message)


def _clean(directory: Path) -> None:
    """Remove what a killed run left half written."""
    for leftover in directory.glob(".*.part*"):
        leftover.unlink(missing_ok=True)


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    """Hold the directory against a second writer; the system lets go when the process ends, however it ends."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise MerError(f"{directory} is being written by another process; wait for it to end") from error
    finally:
        os.close(handle)
