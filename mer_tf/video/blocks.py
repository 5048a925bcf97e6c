"""What was seen of a video so far, on disk block by block, so that Ctrl-C loses half a minute at most."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from mer_tf.files import atomic, read_mapping, write_json
from mer_tf.video.people import Ended
from mer_tf.video.track import Curves

STATE = "state.json"
SIGHTED = 2
"""Detections that make a track a person."""
PARTS = tuple(f.name for f in fields(Curves) if f.name != "start")


@dataclass(frozen=True, eq=False)
class Piece:
    """Curves of one person without a break."""

    track: int
    curves: Curves
    end: str
    """Why it ends: cut, slipped, moved, lost, end."""

    @property
    def broken(self) -> bool:
        """Whether its last frames may not be believed."""
        return self.end in ("cut", "moved", "slipped")


class Store:
    """The blocks of one video in a folder of its own."""

    def __init__(self, folder: Path, what: dict[str, Any]) -> None:
        """`what` fixes the result: blocks of other settings are not gone on with."""
        self.folder, self.what = folder, what
        self.state: dict[str, Any] = {}
        if (folder / STATE).is_file():
            found = read_mapping(folder / STATE)
            if found.get("what") == what:
                self.state = found

    @property
    def blocks(self) -> int:
        """How many blocks are finished."""
        return int(self.state.get("blocks", 0))

    @property
    def frames(self) -> int:
        """How many frames the finished blocks hold."""
        return int(self.state.get("frames", 0))

    @property
    def finished(self) -> bool:
        """Whether the video was read to its end."""
        return bool(self.state.get("finished", False))

    def write(self, seen: Sequence[Ended], frames: int, people: dict[str, Any], *, finished: bool) -> None:
        """Keep a block; `people` is what the next one needs. The state comes last, so that a block is whole or void."""
        arrays, notes = {}, []
        for number, one in enumerate(seen):
            notes.append([one.number, one.curves.start, one.sightings, one.why])
            arrays.update({f"{number}.{part}": getattr(one.curves, part) for part in PARTS})
        with atomic(self.folder / f"block-{self.blocks:05d}.npz") as part, part.open("wb") as stream:
            np.savez(stream, **arrays)
        said = {"blocks": self.blocks + 1, "frames": frames, "finished": finished, "people": people}
        self.state = {"what": self.what, **said, "pieces": [*self.state.get("pieces", []), notes]}
        write_json(self.folder / STATE, self.state)

    def pieces(self) -> list[Piece]:
        """All curves of persons, those of following blocks joined."""
        sightings: dict[int, int] = {}
        open_pieces: dict[int, list[Curves]] = {}
        done: list[tuple[int, list[Curves], str]] = []
        for number, start, seen, why, curves in self._all():
            sightings[number] = max(seen, sightings.get(number, 0))
            parts = open_pieces.setdefault(number, [])
            if parts and parts[-1].start + len(parts[-1].light) != start:
                done.append((number, open_pieces.pop(number), "moved"))
                parts = open_pieces.setdefault(number, [])
            parts.append(curves)
            if why:
                done.append((number, open_pieces.pop(number), why))
        done += [(number, parts, "end") for number, parts in open_pieces.items()]
        kept = [(n, _joined(parts), why) for n, parts, why in done if sightings[n] >= SIGHTED]
        pieces = [Piece(n, curves, why) for n, curves, why in kept if len(curves.light)]
        return sorted(pieces, key=lambda piece: (piece.curves.start, piece.track))

    def _all(self) -> Iterator[tuple[int, int, int, str, Curves]]:
        for block, notes in enumerate(self.state.get("pieces", [])):
            with np.load(self.folder / f"block-{block:05d}.npz", allow_pickle=False) as arrays:
                for place, (number, start, seen, why) in enumerate(notes):
                    curves = Curves(start, **{part: arrays[f"{place}.{part}"] for part in PARTS})
                    yield number, start, seen, why, curves


def _joined(parts: Sequence[Curves]) -> Curves:
    arrays = {name: np.concatenate([getattr(p, name) for p in parts]) for name in PARTS}
    return Curves(parts[0].start, **arrays)


def folder_name(name: str) -> str:
    """A source's name as that of a folder: the last part of its path."""
    return re.sub(r"[^\w.-]+", "_", Path(name).name).strip(".") or "video"
