"""What a finished run of `mer-tf spot` left of each video, read back for the page and for what lies beside it."""

from __future__ import annotations

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
    return [_seen(number, source, out, said) for number, source in enumerate(sources)]


def _seen(number: int, source: Source, out: Path, said: Mapping[str, Any]) -> Seen:
    store, again = follow(source, home_of(out, source), progress=False), source.again()
    own = [[row for row in said[what] if row["video"] == source.name] for what in ("tracks", "events")]
    return Seen(number, again, store.pieces(), own[0], own[1], store.frames, first_number(source), again is not source)
