"""Spotting scored as in MEGC: intervals of long videos, of anybody's table, against the expressions of a manifest.

A found interval is a true positive when it overlaps a true one of its kind with an intersection over union of at least
.5, in frames, both ends included; each true interval is matched once. Counts are pooled over all videos before any
score is taken (He et al., MEGC 2021; Li et al., MEGC 2022), never averaged over videos. STRS is F1 of spotting times
UF1 of recognition on the true positives (Liong et al. 2023).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

from mer_tf.config import MerError
from mer_tf.datasets.labels import normalise_label
from mer_tf.datasets.manifest import ClipRow, plain_path
from mer_tf.evaluation.metrics import confusion, scores
from mer_tf.table_files import cell_text, read_table
from mer_tf.table_files.grid import whole_number

Kind = Literal["micro", "macro"]
KINDS: tuple[Kind, ...] = ("micro", "macro")
IOU = 0.5
LONGEST_MICRO = 0.5
"""Seconds."""
COLUMNS = ("video", "onset", "offset")
MEND = "give a table with the columns video, onset, offset, and where known type (micro, macro) and emotion"


@dataclass(frozen=True)
class Interval:
    """From one frame to another, both included; `emotion` is "" where it is not given."""

    video: str
    onset: int
    offset: int
    kind: Kind
    emotion: str = ""

    def iou(self, other: Interval) -> float:
        """Intersection over union in frames; 0 in different videos."""
        if self.video != other.video:
            return 0.0
        shared = min(self.offset, other.offset) - max(self.onset, other.onset) + 1
        whole = max(self.offset, other.offset) - min(self.onset, other.onset) + 1
        return max(shared, 0) / whole


@dataclass(frozen=True)
class Counts:
    """Pooled counts of one kind."""

    true: int
    found: int
    hits: int

    @property
    def precision(self) -> float:
        """Share of what was found."""
        return self.hits / self.found if self.found else 0.0

    @property
    def recall(self) -> float:
        """Share of what is there."""
        return self.hits / self.true if self.true else 0.0

    @property
    def f1(self) -> float:
        """0 where nothing is there and nothing was found."""
        return 2 * self.hits / (self.true + self.found) if self.true + self.found else 0.0

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.true + other.true, self.found + other.found, self.hits + other.hits)


@dataclass(frozen=True)
class Spotting:
    """The score of one table of intervals."""

    counts: Mapping[str, Counts]
    """micro, macro and total, which is their sum."""
    pairs: tuple[tuple[Interval, Interval], ...]
    """True and found interval of each true positive."""
    unknown: tuple[str, ...]
    """Videos of the table that the manifest does not name: everything found in them is wrong."""

    @property
    def uf1(self) -> float | None:
        """UF1 of the emotions of the true positives; None where the table gives none, or nothing was hit."""
        known = [(t, f) for t, f in self.pairs if f.emotion and t.emotion]
        if not known:
            return None
        frame = pd.DataFrame({"y_true": [t.emotion for t, _ in known], "y_pred": [f.emotion for _, f in known]})
        classes = sorted({*frame["y_true"], *frame["y_pred"]})
        return float(scores(confusion(frame, classes))[2])

    @property
    def strs(self) -> float | None:
        """F1 of spotting times UF1 of recognition."""
        return None if self.uf1 is None else self.counts["total"].f1 * self.uf1


def score_spotting(true: Sequence[Interval], found: Sequence[Interval]) -> Spotting:
    """Match and count; `found` are to be named as the true videos are (`read_intervals`)."""
    counts, pairs = {}, []
    for kind in KINDS:
        wanted, given = ([i for i in some if i.kind == kind] for some in (true, found))
        hits = list(_matched(wanted, given))
        counts[kind] = Counts(len(wanted), len(given), len(hits))
        pairs += hits
    known = {interval.video for interval in true}
    unknown = dict.fromkeys(interval.video for interval in found if interval.video not in known)
    total = {"total": counts["micro"] + counts["macro"]}
    return Spotting(counts | total, tuple(pairs), tuple(unknown))


def _matched(true: Sequence[Interval], found: Sequence[Interval]) -> Iterable[tuple[Interval, Interval]]:
    """As many pairs as there can be, no interval in two of them."""
    for video in dict.fromkeys(interval.video for interval in true):
        here = [[i for i in some if i.video == video] for some in (true, found)]
        overlap = np.array([[t.iou(f) for f in here[1]] for t in here[0]]).reshape(len(here[0]), len(here[1]))
        fits = np.where(overlap >= IOU, 1 + overlap / 1e6, 0.0)
        for t, f in zip(*linear_sum_assignment(-fits), strict=True):
            if fits[t, f]:
                yield here[0][t], here[1][f]


def true_intervals(rows: Sequence[ClipRow]) -> list[Interval]:
    """The expressions of a manifest; `MerError` when it has none that lies within a longer video."""
    found = [_true(row) for row in rows if row.video or row.frames_dir]
    if not found:
        raise MerError("the manifest names no video and no folder of frames; list a data set of long videos")
    return found


def _true(row: ClipRow) -> Interval:
    """The kind as the data set says it, or else by the half second that bounds a micro-expression."""
    said = next((k for text in (row.session, row.label_raw) for k in KINDS if text.casefold().startswith(k)), None)
    emotion = "" if normalise_label(row.label_raw).startswith(KINDS) else normalise_label(row.label_raw)
    kind = said or kind_of(row.onset, row.offset, row.fps)
    return Interval(row.video or row.frames_dir, row.onset, row.offset, kind, emotion)


def kind_of(onset: int, offset: int, fps: float) -> Kind:
    """An expression of up to half a second is a micro-expression."""
    return "micro" if (offset - onset) / fps <= LONGEST_MICRO else "macro"


def read_intervals(path: Path, rows: Sequence[ClipRow]) -> list[Interval]:
    """Somebody's intervals, their videos named as in the manifest (`rows`); errors name the file and the line.

    A video may be written as its path, its file name or that without suffix. Without a `type` the length tells the
    kind. Rows whose `verdict`, as `mer-tf spot` writes it, is neither micro nor macro are no findings.
    """
    table = read_table(path, COLUMNS, MEND)
    names, rates = _names(rows), {row.video or row.frames_dir: row.fps for row in rows} | {"": rows[0].fps}
    found = []
    for line, cells in zip(table.lines, table.frame.to_dict("records"), strict=True):
        verdict = cell_text(cells.get("verdict", "")).casefold()
        if not verdict or verdict in KINDS:
            found.append(_interval(cells, f"{path}, line {line}", names, rates))
    return found


def _interval(cells: Mapping[Any, Any], where: str, names: Mapping[str, str], rates: Mapping[str, float]) -> Interval:
    """A line of a table; `rates`: frames a second by video, and of unknown ones under the name ""."""
    onset, offset = (whole_number(cell_text(cells[name])) for name in ("onset", "offset"))
    if onset is None or offset is None or offset < onset:
        raise MerError(
            f"{where}: onset {cells['onset']!r} and offset {cells['offset']!r} are no frame numbers in this order; "
            "correct the row"
        )
    kind = cell_text(cells.get("type", "") or cells.get("verdict", "")).casefold()
    if kind and not kind.startswith(KINDS):
        raise MerError(f"{where}: type {kind!r} is neither micro nor macro; correct the cell, or leave it empty")
    given = plain_path(cell_text(cells["video"]))
    video = next((names[form] for form in _forms(given) if names.get(form)), given)
    said: Kind | None = next((k for k in KINDS if kind.startswith(k)), None)
    emotion = normalise_label(cell_text(cells.get("emotion", "")))
    return Interval(video, onset, offset, said or kind_of(onset, offset, rates.get(video, rates[""])), emotion)


def _names(rows: Sequence[ClipRow]) -> dict[str, str]:
    """Every way to write a video -> its path in the manifest; "" for what two videos share."""
    names: dict[str, str] = {}
    for video in dict.fromkeys(row.video or row.frames_dir for row in rows):
        for form in dict.fromkeys(_forms(video)):
            names[form] = video if names.get(form, video) == video else ""
    return names


def _forms(video: str) -> Iterable[str]:
    path = PurePosixPath(video)
    return (video.casefold(), path.name.casefold(), path.stem.casefold())


def spotting_text(result: Spotting) -> str:
    """The score as a table, with what a reader must know."""
    lines = [f"{'':6} {'true':>6} {'found':>6} {'hits':>6} {'precision':>10} {'recall':>8} {'F1':>8}"]
    for kind in ("micro", "macro", "total"):
        c = result.counts[kind]
        lines.append(f"{kind:6} {c.true:6} {c.found:6} {c.hits:6} {c.precision:10.4f} {c.recall:8.4f} {c.f1:8.4f}")
    lines.append(f"a hit overlaps a true interval of its kind with an IoU of {IOU} or more; pooled over all videos")
    if result.uf1 is None:
        lines.append("STRS: not computed; no true positive has an emotion in both the table and the manifest")
    else:
        lines.append(f"recognition UF1 on true positives {result.uf1:.4f}; STRS {result.strs:.4f}")
    if result.unknown:
        named = ", ".join(result.unknown[:3]) + (" ..." if len(result.unknown) > 3 else "")
        lines.append(f"{len(result.unknown)} video(s) are not in the manifest, what is found there is wrong: {named}")
    lines.append("spotting is unsolved: on CAS(ME)^2 micro F1 .2522, total .4436 are published (Zhao et al. 2022)")
    return "\n".join(lines)


def spotting_json(result: Spotting) -> dict[str, Any]:
    """The score as names and numbers."""
    counts = {
        kind: {**vars(c), "precision": c.precision, "recall": c.recall, "F1": c.f1} for kind, c in result.counts.items()
    }
    return counts | {"iou": IOU, "recognition_UF1": result.uf1, "STRS": result.strs, "unknown": list(result.unknown)}
