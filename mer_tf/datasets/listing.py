"""What an adapter finds in a data set folder: manifest rows, and whatever is wrong with single rows or clips."""

from __future__ import annotations

import os
import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from mer_tf.config import MerError
from mer_tf.datasets.manifest import ClipRow
from mer_tf.preprocessing.frames import SUFFIXES

NUMBER = re.compile(r"(\d+)\D*$")


@dataclass(frozen=True)
class Listing:
    """Clips of a data set, and problems: each one sentence that names the file, the row or clip, and the mend."""

    rows: list[ClipRow]
    problems: list[str]


@dataclass(frozen=True)
class Event:
    """One annotated clip, as its sheet states it: frame numbers as in the file names, both ends included."""

    clip_id: str
    dataset: str
    subject: str
    folder: Path
    onset: int
    apex: int | None
    offset: int
    fps: float
    label_raw: str
    aus: str = ""
    session: str = ""
    where: str = ""
    """File and line that state it, for messages."""


def frame_numbers(folder: Path) -> list[int]:
    """Sorted frame numbers (last integer of the name) of the images in `folder`, from the names alone.

    `MerError` for no image, an image without a number, or a repeated number: what reading its frames would refuse.
    """
    numbers = []
    with os.scandir(folder) as entries:
        for entry in entries:
            stem, suffix = os.path.splitext(entry.name)  # noqa: PTH122 - a Path per frame is ten times slower
            if suffix.lower() not in SUFFIXES:
                continue
            if not (match := NUMBER.search(stem)):
                raise MerError(f"{folder / entry.name}: no frame number in the file name; rename or remove the file")
            numbers.append(int(match[1]))
    if not numbers:
        raise MerError(f"{folder}: holds no frame ({', '.join(sorted(SUFFIXES))}); copy the clip again or remove it")
    numbers.sort()
    if repeated := [a for a, b in pairwise(numbers) if a == b]:
        raise MerError(f"{folder}: frame number {repeated[0]} occurs more than once; remove one of the files")
    return numbers


@dataclass
class ListingBuilder:
    """Collects the events of a sheet, checks each against its folder, and loses only what cannot be used."""

    root: Path
    sheet_sha: str = ""
    problems: list[str] = field(default_factory=list)
    _rows: list[ClipRow] = field(default_factory=list)
    _where: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    _frames: dict[Path, list[int] | None] = field(default_factory=dict)

    def add(self, event: Event) -> None:
        """Keep an event as a row when its folder holds frames of it; what is wrong becomes a problem."""
        self._where[event.clip_id].append(event.where)
        numbers = self._numbers(event)
        if numbers is None or not self._span_is_sound(event, numbers):
            return
        apex = event.apex
        if apex is not None and not event.onset <= apex <= event.offset:
            self._say(event, f"apex {apex} lies outside {event.onset} to {event.offset} and is taken as not given")
            apex = None
        self._rows.append(self._row(event, apex))

    def unlisted(self, folders: Iterable[Path], sheet: Path) -> None:
        """Name the clip folders that no event spoke of."""
        for folder in sorted(set(folders) - set(self._frames)):
            self.problems.append(f"{folder}: no row of {sheet.name} names this clip; it is left out")

    def listing(self) -> Listing:
        """Rows by clip_id. Equal rows of one id count once; of rows that differ all are left out. Both are problems.

        `MerError` when nothing is left.
        """
        groups: dict[str, list[ClipRow]] = defaultdict(list)
        for row in self._rows:
            groups[row.clip_id].append(row)
        rows = []
        for clip_id, same in sorted(groups.items()):
            equal = len(set(same)) == 1
            if len(same) > 1:
                fate = "counts once" if equal else "states different things, so the clip is left out"
                self.problems.append(
                    f"{'; '.join(self._where[clip_id])}: clip {clip_id} is listed more than once and "
                    f"{fate}; remove the wrong rows"
                )
            rows += same[:1] if equal else []
        return listing_of(rows, self.problems, self.root)

    def _numbers(self, event: Event) -> list[int] | None:
        """Frame numbers of the event's folder, read once; None, and a problem, when there are none to be had."""
        folder = event.folder
        if folder not in self._frames:
            self._frames[folder] = None
            if not folder.is_dir():
                self._say(event, f"there is no folder {folder}; the clip is left out, copy its frames there")
                return None
            try:
                self._frames[folder] = frame_numbers(folder)
            except MerError as error:
                self.problems.append(f"{error}; the clip {event.clip_id} is left out")
        elif self._frames[folder] is None:
            self._say(event, f"{folder} cannot be used, as said before; the clip is left out")
        return self._frames[folder]

    def _span_is_sound(self, event: Event, numbers: list[int]) -> bool:
        """Whether any frame lies in the span; missing ends and gaps are problems."""
        onset, offset = event.onset, event.offset
        if offset < onset:
            self._say(event, f"offset {offset} lies before onset {onset}; the clip is left out, correct the sheet")
            return False
        there = numbers[bisect_left(numbers, onset) : bisect_right(numbers, offset)]
        if not there:
            self._say(
                event,
                f"{event.folder} holds the frames {numbers[0]} to {numbers[-1]}, none of {onset} to {offset}; "
                "the clip is left out",
            )
            return False
        if len(there) < offset - onset + 1:
            lost = offset - onset + 1 - len(there)
            self._say(
                event,
                f"{lost} of its frames {onset} to {offset} are not in {event.folder} (there: {there[0]} to "
                f"{there[-1]}); copy them again",
            )
        return True

    def _say(self, event: Event, what: str) -> None:
        self.problems.append(f"{event.where}: clip {event.clip_id}: {what}")

    def _row(self, event: Event, apex: int | None) -> ClipRow:
        return ClipRow(
            clip_id=event.clip_id,
            dataset=event.dataset,
            subject=event.subject,
            session=event.session,
            root=str(self.root.resolve()),
            frames_dir=event.folder.relative_to(self.root).as_posix(),
            video="",
            onset=event.onset,
            apex=apex,
            offset=event.offset,
            fps=event.fps,
            label_raw=event.label_raw,
            aus=event.aus,
            sheet_sha=self.sheet_sha,
        )


def listing_of(rows: list[ClipRow], problems: list[str], where: Path | str) -> Listing:
    """Rows by clip_id with their problems; `MerError` when no row is left, naming the first problem."""
    if not rows:
        first = f"; the first of {len(problems)} problem(s): {problems[0]}" if problems else ""
        raise MerError(f"{where}: no clips{first}")
    return Listing(sorted(rows, key=lambda r: r.clip_id), problems)
