"""The same job on Apache Beam, on one machine or many: a clip an element, a shard a group.

Shards, their names and their bytes are those of the local engine. Every machine must have mer_tf[beam] of the same
versions, and see the manifest's roots, landmarks and the output folder under the same paths (a shared file system). The
local process holds the output folder, waits for the pipeline and writes the index.
"""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TypeVar

import cv2

from mer_tf.config import MerError, Preprocess
from mer_tf.datasets.manifest import ClipRow
from mer_tf.records.shards import Outcome, Shard, read_sidecar, row_outcome, store_shard

Engine = Literal["local", "beam"]
Item = TypeVar("Item")
Element = tuple[str, tuple[int, ClipRow]]
"""Path of a shard, a clip's place in it, the clip. Text is a key that every runner groups by."""

DASK = "apache_beam.runners.dask.dask_runner.DaskRunner"
PARTS = ("--dask_npartitions=", "--dask_partition_size=")


def run_beam(
    shards: Sequence[Shard],
    config: Preprocess,
    versions: dict[str, str],
    *,
    workers: int,
    options: Sequence[str],
    tick: Callable[[int], Any],
) -> None:
    """Write all shards by a Beam pipeline with `options`, such as runner=FlinkRunner; `tick` is called at the end.

    Without a runner the DirectRunner takes `workers` processes. A bad clip is an error of its shard's sidecar and ends
    nothing. `MerError` where Beam is not installed, or its pipeline fails.
    """
    if not shards:
        return
    if config.landmarks_from:
        config = dataclasses.replace(config, landmarks_from=str(Path(config.landmarks_from).resolve()))
    with _pipeline(pipeline_flags(options, workers), "shards") as (beam, pipeline):
        clips = pipeline | "rows" >> beam.Create(list(_elements(shards)), reshuffle=True)
        outcomes = clips | "clips" >> beam.Map(_processed, config)
        outcomes | "group" >> beam.GroupByKey() | "shards" >> beam.Map(_stored, versions)
    _judge(shards)
    tick(sum(len(s.rows) for s in shards))


def each_by_beam(
    function: Callable[[Item], None], items: Sequence[Item], workers: int, options: Sequence[str], what: str
) -> None:
    """Call a function of this package, which keeps what it makes on the shared disk, with each item.

    what: the items in words; `MerError` as for `run_beam`.
    """
    if not items:
        return
    with _pipeline(pipeline_flags(options, workers, at_once=1), what) as (beam, pipeline):
        pipeline | what >> beam.Create(list(items), reshuffle=True) | "done" >> beam.Map(function)


def refuse_options(engine: str, beam: Sequence[str]) -> None:
    """`MerError` for options of a pipeline where there is none."""
    if beam and engine != "beam":
        raise MerError(f"{' '.join(beam)}: these are options of Apache Beam; add --engine beam, or leave them out")


def ended_without(what: object, see: str = "this folder", kept: str = "what was done is kept") -> MerError:
    """The error of a pipeline that ended without an element; `see` names what all workers must."""
    return MerError(
        f"{what}: the Beam pipeline ended without it: its cluster went away, or its workers do not see {see}; mend "
        f"that and run the same command again: {kept}"
    )


@contextmanager
def _pipeline(flags: list[str], what: str) -> Iterator[tuple[Any, Any]]:
    """Beam, and a pipeline that runs when the block ends."""
    beam = _beam()
    try:
        with beam.Pipeline(options=beam.options.pipeline_options.PipelineOptions(flags)) as pipeline:
            yield beam, pipeline
    except (RuntimeError, ValueError, ImportError) as error:
        raise MerError(f"the Beam pipeline failed, finished {what} are kept: {error}") from error


def _beam() -> Any:
    try:
        return importlib.import_module("apache_beam")
    except ImportError as error:
        raise MerError(
            f'--engine beam needs Apache Beam, which cannot be imported ({error}); pip install "mer_tf[beam]"'
        ) from error


def pipeline_flags(options: Sequence[str], workers: int, at_once: int = 8) -> list[str]:
    """Command-line flags of a pipeline. Its steps are functions of this package, so no session is pickled.

    at_once: how many elements a worker of Dask is given at a time, where the options do not say.
    """
    given = [option if option.startswith("--") else f"--{option}" for option in options]
    if "--runner=DaskRunner" in given:  # Beam knows it by its whole name alone, and gives a worker 128 clips at once
        given[given.index("--runner=DaskRunner")] = f"--runner={DASK}"
        return given if any(flag.startswith(PARTS) for flag in given) else [*given, f"--dask_partition_size={at_once}"]
    if any(flag.startswith("--runner=") for flag in given):
        return given
    # With unsafe triggers (there are none) the DirectRunner does not download and start another one, Prism, first.
    local = ["--runner=DirectRunner", "--allow_unsafe_triggers", f"--direct_num_workers={max(workers, 1)}"]
    return [*local, f"--direct_running_mode={'multi_processing' if workers > 1 else 'in_memory'}", *given]


def _elements(shards: Sequence[Shard]) -> Iterator[Element]:
    """Every clip with its place; paths absolute, since a worker starts in a folder of its own."""
    for shard in shards:
        for place, row in enumerate(shard.rows):
            there = dataclasses.replace(row, root=str(Path(row.root).resolve()))
            yield str(shard.path.resolve()), (place, there)


def _processed(element: Element, config: Preprocess) -> tuple[str, tuple[int, Outcome]]:
    cv2.setNumThreads(1)
    path, (place, row) = element
    return path, (place, row_outcome(row, config))


def _stored(group: tuple[str, Iterable[tuple[int, Outcome]]], versions: dict[str, str]) -> None:
    """Write one shard, its clips in order: a runner groups them in any."""
    path, outcomes = group
    ordered = sorted(outcomes, key=lambda pair: pair[0])
    store_shard(Shard(Path(path), ()), (outcome for _, outcome in ordered), versions)


def _judge(shards: Sequence[Shard]) -> None:
    """`MerError` for a shard that is not there."""
    for shard in shards:
        if read_sidecar(shard) is None:
            raise ended_without(shard.path, kept="finished shards are kept")
