"""What an adapter finds in a data set folder: manifest rows, and whatever is wrong with single rows or clips."""

from __future__ import annotations

import dataclasses
import logging
import os
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path

from mer_tf.config import MerError
from mer_tf.datasets.adapters.corrections import changes, correct
from mer_tf.datasets.manifest import COLUMNS, ClipRow, same_names
from mer_tf.files import hidden, linked_into, placed
from mer_tf.preprocessing.frame_names import frame_names, gaps, thinned

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Listing:
    """Clips of a data set, and problems: each one sentence that names the file, the row or clip, and the mend."""

    rows: list[ClipRow]
    problems: list[str]
    left_out: list[ClipRow] = field(default_factory=list)
    """Clips that the annotation names but that cannot be used; each is the subject of a problem."""
    notes: list[str] = field(default_factory=list)
    """Where the manifest knowingly says something else than the sheet: corrections, an apex taken for an offset."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """One annotated clip, as its sheet states it: frame numbers as in the file names, both ends included."""

    clip_id: str
    """Begins with the data set."""
    subject: str
    folder: Path
    onset: int = 0
    apex: int | None = None
    offset: int = 0
    fps: float
    label_raw: str
    aus: str = ""
    session: str = ""
    objective: str = ""
    """Objective class, where the data set states one."""
    where: str = ""
    """File and line that state it, for messages."""

    @property
    def dataset(self) -> str:
        """Name of the data set."""
        return self.clip_id.partition("/")[0]


@dataclass
class ListingBuilder:
    """Collects the events of a sheet, checks each against its folder, and loses only what cannot be used."""

    root: Path
    sheet_sha: str = ""
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    thinned: Counter[int] | None = None
    """Step of frame numbers -> clips, where every n-th frame of a clip may have been kept on purpose; None: a gap is a
    problem, since whole clips are known to have been published."""
    rows: list[ClipRow] = field(default_factory=list)
    """What was kept so far, in the order it was added."""
    _left_out: list[ClipRow] = field(default_factory=list)
    _where: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    _places: dict[Path, tuple[Path, str]] = field(default_factory=dict)
    _links: dict[Path, str] = field(default_factory=dict)
    _frames: dict[Path, list[int] | None] = field(default_factory=dict)

    def add(self, event: Event) -> None:
        """Correct an event by the table of known errors; keep it as a row when its folder holds frames of it."""
        stated = event
        event, refused = correct(stated)
        self.problems += refused
        self.notes += [f"{event.where}: clip {event.clip_id}: {change}" for change in changes(stated, event)]
        self._where[event.clip_id].append(event.where)
        numbers = self._numbers(event)
        if numbers is None or not self._span_is_sound(event, numbers):
            self._left_out.append(self._row(event))
            return
        if event.apex is not None and not event.onset <= event.apex <= event.offset:
            span = f"{event.onset} to {event.offset}"
            self._say(event, f"apex {event.apex} lies outside {span} and is taken as not given; correct the sheet")
            event = dataclasses.replace(event, apex=None)
        self.rows.append(self._row(event))

    def add_all(self, events: Iterable[Event | None]) -> None:
        """`add` each event in turn; None stands for a row that gives none, and has said why."""
        for event in events:
            if event is not None:
                self.add(event)

    def add_whole(self, event: Event) -> None:
        """Keep all frames of the event's folder as the clip: its span is not annotated."""
        self._where[event.clip_id].append(event.where or str(event.folder))
        if numbers := self._numbers(event):
            lost = numbers[-1] - numbers[0] + 1 - len(numbers)
            if lost and not self._is_thinned(numbers, numbers[0], numbers[-1]):
                self._say(event, f"{lost} frame(s) are missing between its first and last: {gaps(numbers)}; copy them")
            self.rows.append(self._row(dataclasses.replace(event, onset=numbers[0], offset=numbers[-1])))
        else:
            self._left_out.append(self._row(event))

    def unlisted(self, folders: Iterable[Path], sheet: Path) -> None:
        """Name the clip folders that no event spoke of."""
        for folder in sorted(set(folders) - set(self._frames)):
            self.problems.append(f"{folder}: no row of {sheet.name} names this clip; it is left out, add the row")

    def listing(self, layout: str = "") -> Listing:
        """Rows by clip_id. Equal rows of one id count once; of rows that differ none is kept. Both are problems.

        `MerError`, which says the expected `layout`, when nothing is left.
        """
        groups: dict[str, list[ClipRow]] = defaultdict(list)
        for row in self.rows:
            groups[row.clip_id].append(row)
        rows: list[ClipRow] = []
        for clip_id, same in groups.items():
            equal = len(set(same)) == 1
            (rows if equal else self._left_out).append(same[0])
            if len(same) > 1:
                fate = "says the same and counts once" if equal else "says different things, so the clip is left out"
                lines = "; ".join(self._where[clip_id])
                self.problems.append(f"{lines}: clip {clip_id} is listed {len(same)} times, {fate}; remove the surplus")
        where = f"{self.root} (expected {layout})" if layout else str(self.root)
        return listing_of(rows, self.problems, where, self._left_out, self.notes)

    def _numbers(self, event: Event) -> list[int] | None:
        """Frame numbers of the event's folder, read once; None, and a problem, when there are none to be had."""
        folder = event.folder
        if folder not in self._frames:
            self._frames[folder] = None
            try:
                self._places[folder] = placed(self.root, path_below(self.root, folder), f"clip {event.clip_id}")
                found = frame_names(folder)
                paths = (folder / name for name in found.names)
                self._links[folder] = linked_into(self._places[folder][0], paths, f"clip {event.clip_id}")
                self._frames[folder] = found.numbers
                if said := found.said(folder):
                    self._say(event, said)
            except FileNotFoundError:
                self._say(event, f"there is no folder {folder}; the clip is left out, copy its frames there")
            except (MerError, OSError, ValueError) as error:
                self.problems.append(f"{event.where or folder}: clip {event.clip_id} is left out: {error}")
        elif self._frames[folder] is None:
            self._say(event, f"{folder} cannot be used, as said before; the clip is left out until it is mended")
        return self._frames[folder]

    def _span_is_sound(self, event: Event, numbers: list[int]) -> bool:
        """Whether any frame lies in the span; missing ends and gaps are problems."""
        onset, offset = event.onset, event.offset
        if offset < onset:
            self._say(event, f"offset {offset} lies before onset {onset}; the clip is left out, correct the sheet")
            return False
        there = numbers[bisect_left(numbers, onset) : bisect_right(numbers, offset)]
        held = f"{event.folder} holds {numbers[0]} to {numbers[-1]}"
        if not there:
            self._say(event, f"{held}, no frame of {onset} to {offset}; the clip is left out, copy its frames there")
        elif (lost := offset - onset + 1 - len(there)) and not self._is_thinned(numbers, onset, offset):
            which = gaps([onset - 1, *there, offset + 1])
            self._say(event, f"{lost} of its frames {onset} to {offset} are missing: {which} ({held}); copy them again")
        return bool(there)

    def _is_thinned(self, numbers: Sequence[int], onset: int, offset: int) -> bool:
        """Whether every n-th frame of the span is there, and may have been kept on purpose; it is counted where so."""
        if self.thinned is None or not (step := thinned(numbers, onset, offset)):
            return False
        self.thinned[step] += 1
        return True

    def _say(self, event: Event, what: str) -> None:
        self.problems.append(f"{event.where or event.folder}: clip {event.clip_id}: {what}")

    def _row(self, event: Event) -> ClipRow:
        place = self._places.get(event.folder)
        root, frames_dir = place or (self.root.resolve(), path_below(self.root, event.folder))
        return ClipRow(
            **{f.name: getattr(event, f.name) for f in fields(Event) if f.name in COLUMNS},
            dataset=event.dataset,
            root=root.as_posix(),
            frames_dir=frames_dir,
            sheet_sha=self.sheet_sha,
            apex_source="" if event.apex is None else "given",
            links=self._links.get(event.folder, ""),
        )


def listing_of(
    rows: Sequence[ClipRow],
    problems: Sequence[str],
    where: str,
    left_out: Sequence[ClipRow] = (),
    notes: Sequence[str] = (),
) -> Listing:
    """Rows by clip_id with their problems; `MerError` when no row is left, naming the first problem."""
    if not rows:
        first = f"; the first of {len(problems)} problem(s): {problems[0]}" if problems else ""
        raise MerError(f"{where}: no clips{first}")
    said = [*problems, *(f"{where}: {clash}" for clash in same_names(rows))]
    return Listing(sorted(rows, key=lambda r: r.clip_id), said, sorted(left_out, key=lambda r: r.clip_id), list(notes))


def path_below(root: Path, folder: Path) -> str:
    """The folder's path below the root; where it leaves the root, as it is, for `inside` to refuse."""
    return folder.relative_to(root).as_posix() if folder.is_relative_to(root) else folder.as_posix()


def subfolders(folder: Path) -> list[Path]:
    """Folders in `folder` by name, those of the system left out; none when it is not there or may not be read."""
    try:
        with os.scandir(folder) as entries:
            return [folder / name for name in sorted(e.name for e in entries if not hidden(e.name) and is_folder(e))]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except (OSError, ValueError) as error:
        log.warning("%s: cannot be listed (%s); it is taken as empty", folder, error)
        return []


def is_folder(path: Path | os.DirEntry[str]) -> bool:
    """Whether a path is a folder or a link to one; a link to itself, or what can be no path at all, is none."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False
