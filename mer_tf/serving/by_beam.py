"""Predictions by Apache Beam: a group of clips an element, whose answers and pictures lie on a disk that all share."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mer_tf.code_version import PIXELS, TRAINING
from mer_tf.config import MerError, digest
from mer_tf.datasets.manifest import ClipRow
from mer_tf.files import read_mapping, write_json
from mer_tf.locks import held
from mer_tf.records.beam import each_by_beam, ended_without
from mer_tf.serving.answers import Answered, answered
from mer_tf.serving.opened import opened
from mer_tf.serving.trained import Trained


@dataclass(frozen=True)
class Task:
    """A group that is to be answered, for a process in another folder."""

    run: Path
    final: bool | None
    rows: tuple[ClipRow, ...]
    note: Path
    """Where the answers will lie."""
    what: str
    """Digest of all that they depend on."""
    out: Path | None
    """Where pictures lie."""


@dataclass(frozen=True)
class ByBeam:
    """An engine of `predict_paths` that keeps the answers of each group in `work`; what is there is not done again.

    A group with a clip that cannot be used is tried again by the next run.
    """

    run: Path
    final: bool | None
    work: Path
    options: Sequence[str] = ()
    workers: int = 1

    def __call__(self, trained: Trained, groups: Sequence[Sequence[ClipRow]], out: Path | None) -> Iterator[Answered]:
        """The answers of all groups, in order."""
        parts = [self.run] if self.run.is_file() else [self.run / "config.json", *(m.path for m in trained.members)]
        networks = [_stamp(part) for part in parts]
        tasks = [self._task(number, rows, networks, out) for number, rows in enumerate(groups)]
        with held(self.work):
            missing = [task for task in tasks if (kept := _kept(task)) is None or kept.lost]
            each_by_beam(_answer, missing, self.workers, self.options, "answers")
            found = [(task, _kept(task)) for task in tasks]
        for task, one in found:
            if one is None:
                raise ended_without(task.note)
            yield one

    def _task(self, number: int, rows: Sequence[ClipRow], networks: Any, out: Path | None) -> Task:
        clips = [[dataclasses.asdict(row), _source_stamp(row)] for row in rows]
        what = digest(clips, networks, self.final, out is not None, PIXELS, TRAINING)
        note = self.work.resolve() / f"answers-{number:05d}.json"
        return Task(self.run.resolve(), self.final, tuple(rows), note, what, out and out.resolve())


def _answer(task: Task) -> None:
    with opened(task.run, final=task.final) as trained:
        one = answered(trained, task.rows, task.out)
    said = {"what": task.what, "rows": [*one.rows], "lost": [*map(dict, one.lost)], "refused": one.refused}
    write_json(task.note, said)


def _kept(task: Task) -> Answered | None:
    """What is kept of a group, if it answers this task."""
    if not task.note.is_file() or (said := read_mapping(task.note)).get("what") != task.what:
        return None
    return Answered(said["rows"], said["lost"], said["refused"])


def _source_stamp(row: ClipRow) -> list[Any]:
    """That of what a clip is read from; empty where it is not there."""
    try:
        return _stamp(row.image_path() if row.image else row.source())
    except MerError:
        return []


def _stamp(path: Path) -> list[Any]:
    """Size and time of a file, and of all files of a folder: a source that changed is read anew."""
    files = sorted(os.scandir(path), key=lambda one: one.name) if path.is_dir() else [path]
    states = [(one.name, one.stat()) for one in files if one.is_file()]
    return [[name, state.st_size, state.st_mtime_ns] for name, state in states]
