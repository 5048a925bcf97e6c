"""Vectors of every clip by every setting that a fold may choose: computed once and kept on disk, a matrix a setting.

A matrix lies in a folder named by what is known of the clips, and is named by the descriptor's settings. So a stopped
run goes on after the last whole one, and another grid computes only what is new in it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mer_tf.arrays import is_whole, load_array, require_room, save_array
from mer_tf.cached import cache_folder
from mer_tf.code_version import TRAINING, counted
from mer_tf.config import Experiment, MerError, Preprocess, digest
from mer_tf.descriptors.grids import Candidate
from mer_tf.inputs.clips import Clips, stored_as
from mer_tf.inputs.descriptors import DescribedStore, described_store, descriptor_input
from mer_tf.inputs.shelf import Shelf
from mer_tf.locks import held
from mer_tf.parallel import in_threads
from mer_tf.progress import Progress
from mer_tf.records.clip import ClipRecord
from mer_tf.records.index import read_index
from mer_tf.records.landmarks import fitted_landmarks

log = logging.getLogger("mer_tf")
StoredClips = Iterable[tuple[ClipRecord, int | None]]
"""Labelled clips as records hold them, and the index of each apex."""
Stored = Callable[[Clips], StoredClips]


@dataclass(frozen=True)
class GridStore(DescribedStore):
    """Small grey pictures as `DescribedStore`; vectors by `at` instead."""

    matrices: Mapping[str, Path]
    """`Candidate.point` -> file with the vectors (clips, D) of all clips."""
    order: Mapping[str, int]
    """clip_id -> its row there."""

    def at(self, point: str, clips: Sequence[str]) -> np.ndarray:
        """Vectors (clips, D) of these clips at one point of the grid."""
        return np.asarray(load_array(self.matrices[point], "r")[[self.order[name] for name in clips]])


def grid_store(offered: Sequence[Candidate], experiment: Experiment, clips: Clips, stored: Stored) -> GridStore:
    """Vectors of `clips` at all points of the candidates, read where they are whole, computed and written where not."""
    ids, step = sorted(clips.table["clip_id"]), experiment.clip.step
    matrices: dict[str, Path] = {}
    by_records: dict[Preprocess, list[Candidate]] = {}
    for one in {one.point: one for one in offered}.values():
        by_records.setdefault(one.experiment.preprocess, []).append(one)
    for config, ones in by_records.items():
        here = clips if config == experiment.preprocess else stored_as(clips, ones[0].experiment)
        folder = (
            cache_folder(experiment.data.cache) / "descriptors" / f"{experiment.model.name}-{_seen(ones[0], here, ids)}"
        )
        files = {one.point: folder / f"{one.point}.npy" for one in ones}
        if any(not is_whole(file) for file in files.values()):
            with held(folder, wait=-1):  # another process may have made some meanwhile
                _describe([one for one in ones if not is_whole(files[one.point])], here, ids, stored, files)
        matrices |= files
    arrays = ((x.clip_id, x.frames, None, None) for x, _ in stored(clips))
    plain = described_store(arrays, None, step, experiment.preprocess.flow_from)
    log.info("%s: %d candidates, of %d settings of the descriptor", experiment.model.name, len(offered), len(matrices))
    return GridStore(plain.described, plain.greys, matrices, {name: row for row, name in enumerate(ids)})


def _seen(one: Candidate, clips: Clips, ids: Sequence[str]) -> str:
    """Name of what a descriptor is given of all clips: frames by their content, flow by the records that hold it."""
    contents = {clip.clip_id: clip.content_sha256 for clip in read_index(clips.records).clips}
    given = clips.records.name if one.method.flow else [contents[name] for name in ids]
    return digest(ids, given, one.experiment.clip.step, *counted(TRAINING))


def _describe(
    missing: Sequence[Candidate], clips: Clips, ids: Sequence[str], stored: Stored, files: Mapping[str, Path]
) -> None:
    """Compute and write the matrices of candidates that share their records; clips are decoded once."""
    if not missing:
        return
    inputs = Shelf(_inputs(missing[0], stored(clips)), cache_folder(missing[0].experiment.data.cache))
    config, mend = missing[0].experiment.preprocess, "choose another data.cache, or a smaller grid (model.grid)"
    fitted = {} if config.landmarks == "mtcnn" else fitted_landmarks(clips.records)
    with Progress(total=len(missing) * len(ids), desc="descriptors", unit="clip") as bar:
        for left, one in zip(range(len(missing), 0, -1), missing, strict=True):
            matrix = np.stack(list(_vectors(one, inputs, ids, fitted, bar)))
            require_room(files[one.point].parent, matrix.nbytes * left, "descriptors need {} GiB more", mend)
            save_array(files[one.point], matrix)


def _inputs(one: Candidate, stored: StoredClips) -> Iterator[tuple[str, np.ndarray]]:
    takes, step = one.method.descriptor().takes, one.experiment.clip.step
    how = one.experiment.preprocess.flow_from
    for x, apex in stored:
        yield x.clip_id, descriptor_input(x.clip_id, x.frames[::step], x.flow, apex, takes, step, how)


def _vectors(
    one: Candidate,
    inputs: Mapping[str, np.ndarray],
    ids: Sequence[str],
    fitted: Mapping[str, np.ndarray],
    bar: Progress,
) -> Iterator[np.ndarray]:
    descriptor = one.method.descriptor()

    def described(name: str) -> np.ndarray:
        placed = descriptor.placed(fitted[name]) if fitted else descriptor
        try:
            return np.asarray(placed.transform([inputs[name]])[0])
        except MerError as error:
            settings = ", ".join(f"{k}={v}" for k, v in one.settings.items())
            raise MerError(f"{name}: {error}; or take these values out of the grid: {settings}") from error

    for vector in in_threads(described, ids):
        bar.update()
        yield vector
