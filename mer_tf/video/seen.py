"""What a finished run of `mer-tf spot` left of each video, read back for the page and for what lies beside it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mer_tf.video.blocks import Piece
from mer_tf.video.sources import Source
from mer_tf.video.spot import first_number, follow, home_of


@dataclass(frozen=True)
class Seen:
    """A source with what was found in it."""

    number: int
    """Among all that were read, from 0."""
    source: Source
    """From which its pictures can be read again; a camera where nothing of them was kept."""
    pieces: Sequence[Piece]
    tracks: Sequence[Mapping[str, Any]]
    """As events.json has them, one a piece."""
    rows: Sequence[Mapping[str, Any]]
    """As events.csv has them."""
    frames: int
    first: int
    """Number of its first frame."""
    recorded: bool = False
    """Whether it is what was kept of a camera."""

    @property
    def file(self) -> str:
        """What files that are made of it are called, without suffix."""
        return home_of(Path(), self.source).stem


def seen(sources: Sequence[Source], out: Path, said: Mapping[str, Any]) -> list[Seen]:
    """All sources of a run, by its events.json."""
    tracks, events = _by_video(said["tracks"]), _by_video(said["events"])
    return [_seen(k, one, out, tracks[one.name], events[one.name]) for k, one in enumerate(sources)]


def _by_video(rows: Sequence[Mapping[str, Any]]) -> Mapping[str, list[Mapping[str, Any]]]:
    found: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        found[row["video"]].append(row)
    return found


def _seen(
    number: int, source: Source, out: Path, tracks: Sequence[Mapping[str, Any]], rows: Sequence[Mapping[str, Any]]
) -> Seen:
    store, again = follow(source, home_of(out, source), progress=False), source.again()
    return Seen(number, again, store.pieces(), tracks, rows, store.frames, first_number(source), again is not source)
