"""What spotting will cost, before it starts: some seconds of several videos are spotted, the rest is reckoned.

Bytes and seconds of a page hang on how much happens, since it has pictures of each event. So curves of a minute and a
half are followed and their events counted, and pictures made of a few of these.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, fields, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from mer_tf.arrays import evenly
from mer_tf.files import read_mapping, write_json
from mer_tf.records.cost import Cost, room
from mer_tf.video.page import IN_ALL, MOST, MOST_REJECTED, PAGE, Wishes, write_page
from mer_tf.video.recognise import ByFlow
from mer_tf.video.sources import Picture, Source, Write
from mer_tf.video.spot import follow, home_of, unfinished, write_tables

FRAMES = 2700
"""Frames that are followed in all, a minute and a half at 30 a second; more where pieces would be too short."""
PIECE, PIECES, LEAST = 10.0, 9, 3
"""Seconds of a piece at least; how many pieces at most, and how many there are however long they last."""
BEFORE = 30.0
"""Seconds that a piece begins after the beginning of its video at most, as what lies before it is decoded."""
SHOWN = 9
"""Events that are called expressions of which pictures are made, and as many of what is rejected."""
MOST_OF = {"called": MOST, "rejected": MOST_REJECTED}
"""Kind of event -> how many of a video have pictures. Those that are called cost more, as they are recognised too."""
NAMES = ("videos to read", "curves and page", "pieces")


@dataclass(frozen=True)
class Part(Source):
    """Some frames of a video as if they were all."""

    begin: int = 0

    def pictures(self, skip: int = 0, write: Write | None = None) -> Generator[Picture]:
        """The same as of a whole video."""
        assert self.frames is not None
        with closing(super().pictures(self.begin + skip, write)) as pictures:
            yield from islice(pictures, max(0, self.frames - skip))


@dataclass(frozen=True)
class Few:
    """Events of one kind in a piece."""

    found: int
    shown: int
    """Of these so many had pictures made."""
    seconds: float
    """Of the processor for all their pictures and answers, without decoding."""
    bytes: int


@dataclass(frozen=True)
class Piece:
    """A part of a video, spotted."""

    frames: int
    seconds: float
    """Of the video."""
    followed: float
    """Seconds of the processor until all curves were there."""
    listed: float
    """The same for the tables, and a page without pictures."""
    read: float
    """The same for decoding once more."""
    bytes: int
    """Of all but pictures."""
    events: Mapping[str, Few]
    """By kind."""


def spot_cost(sources: Sequence[Source], out: Path, wishes: Wishes) -> Cost:
    """What is left of spotting in `sources`, of which the page is made by one process; nothing is written to `out`.

    Pieces from the middle of up to `PIECES` videos are spotted, from small pictures to large ones. Others take by the
    frame what these do, interpolated by the number of pixels, and have as many events a second as all of these.
    """
    todo = sorted(unfinished(sources, out), key=lambda s: s.pixels)
    frames, done = np.array([s.frames or 0 for s in todo]), len(sources) - len(todo)
    if not todo:
        return Cost(0, 0, done, 0, 0.0, 0.0, room(out), (), names=NAMES)
    start, empty = _begun(todo[0], wishes)
    parts = parts_of(todo)
    pieces = [_spotted(part, wishes, max(1, SHOWN // len(parts))) for part in parts]
    whole = _Whole(todo, [part.pixels for part in parts], pieces)
    seconds, size = whole.pictures()
    share = whole.share()
    alone = whole.by_frame("listed") + (whole.by_frame("read") + seconds if size else 0.0)
    return Cost(
        clips=len(todo),
        frames=int(frames.sum()),
        there=done,
        bytes=int(empty + whole.by_frame("bytes") - empty * len(pieces) / share + size),
        processor=whole.by_frame("followed") + alone,
        start=start,
        free=room(out),
        measured=tuple(piece.frames for piece in pieces),
        alone=alone,
        names=NAMES,
        doubt=int(2 * size * np.sqrt((1 - share) / max(1, whole.events()))),
    )


def parts_of(sources: Sequence[Source]) -> list[Part]:
    """Pieces of videos from the one of the smallest pictures to that of the largest: few long ones, or many short."""
    rate = max(source.fps for source in sources)
    number = min(len(sources), max(LEAST, min(PIECES, int(FRAMES / (PIECE * rate)))))
    chosen = [sources[k] for k in evenly(len(sources), number)]
    length = max(FRAMES // len(chosen), round(PIECE * rate))
    return [_part(source, length) for source in chosen]


def _part(source: Source, length: int) -> Part:
    """The middle of a video, or what comes after `BEFORE` seconds of a long one."""
    frames = min(length, source.frames or length)
    begin = min(((source.frames or frames) - frames) // 2, round(BEFORE * source.fps))
    same = {f.name: getattr(source, f.name) for f in fields(Source)}
    return Part(**same | {"frames": frames}, begin=begin)


@dataclass(frozen=True)
class _Whole:
    """From pieces to all videos."""

    todo: Sequence[Source]
    pixels: Sequence[int]
    """Of the pictures of each piece."""
    pieces: Sequence[Piece]

    def share(self) -> float:
        """Of all frames, those of the pieces."""
        frames = sum(piece.frames for piece in self.pieces)
        return frames / max(frames, sum(source.frames or 0 for source in self.todo))

    def events(self) -> int:
        """How many were found."""
        return sum(few.found for piece in self.pieces for few in piece.events.values())

    def by_frame(self, name: str) -> float:
        """What goes by frames, interpolated by the size of pictures."""
        sizes = sorted(set(self.pixels))
        alike = [[p for p, n in zip(self.pieces, self.pixels, strict=True) if n == size] for size in sizes]
        rates = [sum(getattr(p, name) for p in one) / max(1, sum(p.frames for p in one)) for one in alike]
        frames = np.array([source.frames or 0 for source in self.todo])
        return float(np.interp([source.pixels for source in self.todo], sizes, rates) @ frames)

    def pictures(self) -> tuple[float, float]:
        """Seconds and bytes of pictures of all events that the page shows, as many a second as in the pieces."""
        lengths = np.array([(source.frames or 0) / source.fps for source in self.todo])
        seen = max(1e-9, sum(piece.seconds for piece in self.pieces))
        left, seconds, size = float(IN_ALL), 0.0, 0.0
        for kind, most in MOST_OF.items():
            few = [piece.events[kind] for piece in self.pieces]
            shown = max(1, sum(one.shown for one in few))
            number = min(left, float(np.minimum(lengths * sum(one.found for one in few) / seen, most).sum()))
            left -= number
            seconds += number * sum(one.seconds for one in few) / shown
            size += number * sum(one.bytes for one in few) / shown
        return seconds, size


def _begun(source: Source, wishes: Wishes) -> tuple[float, int]:
    """Seconds of the processor before the first frame, and bytes of a page without videos."""
    begun = time.process_time()
    if isinstance(wishes.asked, ByFlow):
        _ = wishes.asked.known  # is trained when it is first asked, which a piece without events does not
    trained = time.process_time() - begun
    short = _part(source, round(source.fps))
    first, second = (_spotted(short, replace(wishes, asked=None), 1) for _ in range(2))
    once = first.followed + first.listed - second.followed - second.listed
    with tempfile.TemporaryDirectory(prefix="mer_tf-") as folder:
        write_tables([], Path(folder), {})
        write_page([], Path(folder), wishes)
        return trained + max(0.0, once), _size(Path(folder))


def _spotted(source: Part, wishes: Wishes, most: int) -> Piece:
    """Follow a part, list its events, and make pictures of `most` of each kind."""
    with tempfile.TemporaryDirectory(prefix="mer_tf-") as folder:
        out, begun = Path(folder), time.process_time()
        frames = follow(source, home_of(out, source), progress=False).frames
        followed = time.process_time()
        write_tables([source], out, {})
        write_page([source], out, replace(wishes, faces=False, asked=None))
        listed, size = time.process_time(), _size(out)
        read = _read(source)
        events = _events(source, out, wishes, most, read / max(1, frames))
    return Piece(frames, frames / source.fps, followed - begun, listed - followed, read, size, events)


def _read(source: Part) -> float:
    begun = time.process_time()
    for _ in source.pictures():
        pass
    return time.process_time() - begun


def _events(source: Part, out: Path, wishes: Wishes, most: int, read: float) -> dict[str, Few]:
    """Pages of some events of each kind, beside a page of none; `read`: seconds for decoding a frame."""
    said = read_mapping(out / "events.json")
    without, bare = _page(source, out, wishes, said, [])
    events = {}
    for kind in MOST_OF:
        rows = [row for row in said["events"] if (row["verdict"] == "rejected") == (kind == "rejected")]
        few = [rows[k] for k in evenly(len(rows), most)] if rows and (wishes.faces or wishes.asked) else []
        seconds, size = _page(source, out, wishes, said, few) if few else (without, bare)
        decoded = read * (few[-1]["offset"] - few[0]["onset"]) if few else 0.0
        events[kind] = Few(len(rows), len(few), max(0.0, seconds - without - decoded), size - bare)
    return events


def _page(
    source: Part, out: Path, wishes: Wishes, said: Mapping[str, Any], few: Sequence[Mapping[str, Any]]
) -> tuple[float, int]:
    """Seconds of the processor and bytes of a page of these events."""
    write_json(out / "events.json", {**said, "events": few})
    begun = time.process_time()
    write_page([source], out, replace(wishes, embed=False, video=False))
    return time.process_time() - begun, (out / PAGE).stat().st_size


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
