"""What spotting will cost, before it starts: some seconds of three videos are spotted, the rest is reckoned."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mer_tf.records.cost import Cost, room, spread
from mer_tf.video.page import Wishes, write_page
from mer_tf.video.recognise import ByFlow
from mer_tf.video.sources import Source
from mer_tf.video.spot import follow, home_of, unfinished, write_tables

PIECE = 10.0
"""Seconds of a video that are spotted."""
NAMES = ("videos to read", "curves and page", "pieces")


@dataclass(frozen=True)
class Piece:
    """The beginning of a video, spotted."""

    frames: int
    followed: float
    """Seconds of the processor until all curves were there."""
    shown: float
    """The same for the tables and the page."""
    bytes: int


def spot_cost(sources: Sequence[Source], out: Path, wishes: Wishes) -> Cost:
    """What is left of spotting in `sources`, of which the page is made by one process; nothing is written to `out`.

    The beginnings of three videos are spotted, one with small pictures, one of middle size, one with large ones. Others
    take by the frame what these do, interpolated by the number of pixels.
    """
    todo = sorted(unfinished(sources, out), key=lambda s: s.pixels)
    frames, done = np.array([s.frames or 0 for s in todo]), len(sources) - len(todo)
    if not todo:
        return Cost(0, 0, done, 0, 0.0, 0.0, room(out), (), names=NAMES)
    chosen, begun = spread(todo), time.process_time()
    if isinstance(wishes.asked, ByFlow):
        _ = wishes.asked.known  # is trained when it is first asked, which a piece without events does not
    trained = time.process_time() - begun
    first = _spotted(chosen[0], wishes)
    pieces = [_spotted(source, wishes) for source in chosen]

    sizes = sorted({source.pixels for source in chosen})
    alike = [[piece for s, piece in zip(chosen, pieces, strict=True) if s.pixels == size] for size in sizes]

    def summed(name: str) -> float:
        rates = [sum(getattr(p, name) for p in one) / max(1, sum(p.frames for p in one)) for one in alike]
        return float(np.interp([source.pixels for source in todo], sizes, rates) @ frames)

    once = first.followed + first.shown - pieces[0].followed - pieces[0].shown
    return Cost(
        clips=len(todo),
        frames=int(frames.sum()),
        there=done,
        bytes=int(summed("bytes")),
        processor=summed("followed") + summed("shown"),
        start=trained + max(0.0, once),
        free=room(out),
        measured=tuple(piece.frames for piece in pieces),
        alone=summed("shown"),
        names=NAMES,
    )


def _spotted(source: Source, wishes: Wishes) -> Piece:
    with tempfile.TemporaryDirectory(prefix="mer_tf-") as folder:
        out, begun = Path(folder), time.process_time()
        frames = follow(source, home_of(out, source), progress=False, frames=round(PIECE * source.fps)).frames
        followed = time.process_time()
        write_tables([source], out, {})
        write_page([source], out, wishes)
        shown = time.process_time()
        size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    return Piece(frames, followed - begun, shown - followed, size)
