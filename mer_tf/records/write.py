"""The preprocessing job: manifest rows to TFRecord shards. Killed at any moment, a second run ends with the same bytes.

A shard is the unit of work: written under a temporary name, renamed, then described by a sidecar. index.json and
errors.csv are made of the sidecars alone, last. Nothing written depends on time, machine, order or number of workers.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import cv2
import pandas as pd

import mer_tf
from mer_tf.code_version import FRAMES, PIXELS, counted
from mer_tf.config import MerError, Preprocess, digest
from mer_tf.datasets.clip_frames import clip_files
from mer_tf.datasets.manifest import ClipRow, check_rows, manifest_digest
from mer_tf.errors import refuse
from mer_tf.files import write_csv
from mer_tf.locks import held
from mer_tf.names import first_lines
from mer_tf.preprocessing.frames import read_otherwise_before
from mer_tf.progress import Progress
from mer_tf.records.beam import refuse_options, run_beam
from mer_tf.records.index import NAME, Index, IndexedClip, read_index, require, write_index
from mer_tf.records.landmark_files import landmarks_digest, require_landmarks, settings_faults
from mer_tf.records.shards import Shard, plan_shards, read_sidecar
from mer_tf.records.workers import run_shards

log = logging.getLogger(__name__)

OnError = Literal["fail", "skip"]
Engine = Literal["local", "threads", "beam"]
Runner = Callable[..., None]
"""Writes shards: `workers.run_shards` or `beam.run_beam`."""


def write_records(
    rows: Sequence[ClipRow],
    config: Preprocess,
    out: Path,
    *,
    name: str = "records",
    workers: int = 1,
    on_error: OnError | None = None,
    engine: Engine = "local",
    beam: Sequence[str] = (),
    progress: bool = True,
) -> Path:
    """Write, resume, or merely find the records of `rows`; return their folder, <out>/<name>-<hash of config and rows>.

    Every clip is tried, and what is done is kept. on_error: "fail" ends with a `MerError` that lists the bad clips and
    without an index, so that the same command tries them again; "skip" leaves them out. Either lists them in
    errors.csv. None is "skip" for videos, of which some have no face, and else "fail".

    engine: "local" runs `workers` processes, "threads" so many threads of this one, "beam" an Apache Beam pipeline
    with the options `beam` (see `mer_tf.records.beam`); all give the same bytes. `MerError` as well when no clip is
    left, when another process is writing the same directory, and when the disk refuses.
    """
    check_job(rows, config)
    on_error = on_error or ("skip" if all(row.dataset == "videos" for row in rows) else "fail")
    manifest = manifest_digest(rows)
    directory = records_folder(rows, config, out, name, manifest)
    if not (directory / NAME).exists():  # a finished directory is read by as many as like, without its lock
        if on_error == "fail":
            require_landmarks(rows, config)
        try:
            runner = _runner(engine, workers, beam)
            shards = plan_shards(rows, config, directory)
            directory.mkdir(parents=True, exist_ok=True)
            with held(directory):  # while no other process can
                for leftover in directory.glob(".*.part*"):  # of a killed run
                    leftover.unlink(missing_ok=True)
                _write_missing(shards, config, runner, on_error, progress)
                _finish(shards, config, manifest, directory, on_error)
        except OSError as error:
            raise MerError(f"{directory}: cannot be written ({error}); mend that and run again") from error
    index = read_index(directory)
    require(index, config, manifest)
    if "frames" not in index.versions:  # from before FRAMES was counted
        _refuse_stale(rows, directory)
    _judge(index, on_error)
    return directory


def check_job(rows: Sequence[ClipRow], config: Preprocess) -> None:
    """`MerError` for rows and settings that no record can have."""
    check_rows(rows, "preprocessing")
    refuse(settings_faults(config))


def records_folder(rows: Sequence[ClipRow], config: Preprocess, out: Path, name: str, manifest: str = "") -> Path:
    """Where the records of `rows` are, or will be; `manifest`: their digest, where it is known."""
    points = landmarks_digest(rows, config)
    return Path(out) / f"{name}-{digest(config, manifest or manifest_digest(rows), *counted(PIXELS), *points)}"


def software() -> dict[str, str]:
    """Versions of what turns source pixels into stored bytes."""
    counts = {"pixels": str(PIXELS), "frames": str(FRAMES)}
    return {"mer_tf": mer_tf.__version__, **counts, "opencv": cv2.__version__, "mtcnn": version("mtcnn")}


def _runner(engine: Engine, workers: int, beam: Sequence[str]) -> Runner:
    refuse_options(engine, beam)
    if engine == "beam":
        return partial(run_beam, workers=workers, options=beam)
    return partial(run_shards, workers=workers, threads=engine == "threads")


def _write_missing(
    shards: Sequence[Shard], config: Preprocess, runner: Runner, on_error: OnError, progress: bool
) -> None:
    """Write the shards that are not there yet, with a bar counting clips."""
    missing = [s for s in shards if not _finished(s, on_error)]
    total = sum(len(s.rows) for s in missing)
    if done := sum(len(s.rows) for s in shards) - total:
        log.info("%d clips are there already; %d to write", done, total)
    with Progress(total=total, unit="clip", desc="preprocess", disable=not progress) as bar:
        runner(missing, config, software(), tick=bar.update)


def _finished(shard: Shard, on_error: OnError) -> bool:
    """Whether the shard can be kept: whole, of this software, and without errors unless they are skipped."""
    sidecar = read_sidecar(shard, verify=True)
    if sidecar is None or sidecar["versions"] != software():
        return False
    return on_error == "skip" or not sidecar["errors"]


def _finish(shards: Sequence[Shard], config: Preprocess, manifest: str, directory: Path, on_error: OnError) -> None:
    """errors.csv, then index.json, both from the sidecars; `MerError` instead of the latter for what went wrong."""
    sidecars = [_sidecar(shard) for shard in shards]
    errors = [error for sidecar in sidecars for error in sidecar["errors"]]
    clips = [
        IndexedClip(**clip, shard=shard.path.name)
        for shard, sidecar in zip(shards, sidecars, strict=True)
        for clip in sidecar["clips"]
    ]
    write_csv(pd.DataFrame(errors, columns=["clip_id", "source", "reason"]), directory / "errors.csv")
    if not clips:
        raise MerError(
            f"none of {len(errors)} clips could be preprocessed; the first: {errors[0]['reason']} "
            f"(all are in {directory / 'errors.csv'}; delete that folder once they are mended)"
        )
    if errors and on_error == "fail":
        raise MerError(_failures(errors, len(clips), directory))
    digests = {shard.path.name: sidecar["sha256"] for shard, sidecar in zip(shards, sidecars, strict=True)}
    write_index(Index(directory, config, manifest, tuple(clips), digests, len(errors), software()))


def _failures(errors: Sequence[dict[str, str]], done: int, directory: Path) -> str:
    """What went wrong, a line a clip, and how to go on."""
    lines = first_lines([error["reason"] for error in errors], before="  ")
    head = f"{len(errors)} clip(s) could not be preprocessed (all are in {directory / 'errors.csv'}):"
    mend = f"{done} are kept: mend these and run again, or leave them out with --on-error skip"
    return "\n".join([head, *lines, mend])


def _sidecar(shard: Shard) -> dict[str, Any]:
    sidecar = read_sidecar(shard)
    if sidecar is None:
        raise MerError(f"{shard.path}: vanished while the job ran; run it again")
    return sidecar


def _judge(index: Index, on_error: OnError) -> None:
    """A directory that leaves clips out serves only a caller who accepts that."""
    if not index.errors:
        return
    message = f"{index.directory}: {index.errors} clip(s) are left out, see errors.csv there"
    if on_error == "fail":
        raise MerError(f"{message}; mend them and delete the directory, or leave them out with --on-error skip")
    log.warning("%s", message)


def _refuse_stale(rows: Sequence[ClipRow], directory: Path) -> None:
    """`MerError` for a directory whose pictures are read otherwise since it was written."""
    for row in (row for row in rows if row.frames_dir):
        try:
            picture = read_otherwise_before(clip_files(row))
        except (MerError, OSError) as error:
            log.warning("%s: is from before pictures were read as now, and cannot be compared: %s", directory, error)
            return
        if picture:
            raise MerError(
                f"{directory}: was written by a version that read {picture} otherwise (its EXIF turns it, or it has 16 "
                "bits, not all used); delete that directory and run again"
            )
