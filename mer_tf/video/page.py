"""From spotted events to the page: curves, pictures and players of all videos, gathered for `index.html`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from mer_tf.files import read_mapping, write_json, write_text
from mer_tf.reporting.spotting_page import ShownEvent, ShownTrack, ShownVideo, Spotted, packed, spotted_html
from mer_tf.video.blocks import Piece
from mer_tf.video.decide import CLEAR, FAST
from mer_tf.video.page_answers import Answers
from mer_tf.video.page_pictures import Wanted, film_of, look, pictures_of
from mer_tf.video.recognise import Answer, Asked
from mer_tf.video.regions import REGIONS
from mer_tf.video.signals import signals
from mer_tf.video.sources import Source
from mer_tf.video.spot import first_number, follow, home_of

PAGE = "index.html"
MOST, MOST_REJECTED = 200, 30
"""Events of a video that have pictures: of expressions all that a page can carry, of what was rejected the clearest."""


@dataclass(frozen=True)
class _Video:
    """A source with what was found in it."""

    number: int
    source: Source
    pieces: Sequence[Piece]
    tracks: Sequence[Mapping[str, Any]]
    rows: Sequence[Mapping[str, Any]]
    frames: int
    first: int


def write_page(sources: Sequence[Source], out: Path, *, faces: bool = True, asked: Asked | None = None) -> Path:
    """Write `out`/index.html from what `spot_all` left there; return its path.

    faces: embed pictures of people. asked: says what each event shows, here and in events.json.
    """
    said = read_mapping(out / "events.json")
    videos = [_video(number, source, out, said) for number, source in enumerate(sources)]
    told: list[Answer | None] = []
    events = [e for video in videos for e in _events(video, faces, asked, told)]
    if asked is not None:
        rows = [{**e.row, "recognition": a and a.told()} for e, a in zip(events, told, strict=True)]
        write_json(out / "events.json", {**said, "recogniser": list(asked.limits) if any(told) else [], "events": rows})
    found = Spotted(
        videos=[_shown(video, sources, out) for video in videos],
        tracks=[t for video in videos for t in _tracks(video)],
        events=events,
        regions={name: group for name, (group, _, _) in REGIONS.items()},
        clear=CLEAR,
        files=[name for name in ("events.csv", "events.json") if (out / name).is_file()],
        limits=list(asked.limits) if asked and any(told) else (),
        faces=faces,
    )
    return write_text(out / PAGE, spotted_html(found))


def _video(number: int, source: Source, out: Path, said: Mapping[str, Any]) -> _Video:
    store = follow(source, home_of(out, number + 1, source), progress=False)
    own = [[row for row in said[what] if row["video"] == source.name] for what in ("tracks", "events")]
    return _Video(number, source, store.pieces(), own[0], own[1], store.frames, first_number(source))


def _shown(video: _Video, sources: Sequence[Source], out: Path) -> ShownVideo:
    source = video.source
    return ShownVideo(
        name=Path(source.name).name,
        clip=_clip(source, sources),
        fps=source.fps,
        frames=video.frames,
        source=_address(source, out),
        first=video.first,
    )


def _clip(source: Source, sources: Sequence[Source]) -> str:
    """Its path below the folder in which all of them lie."""
    paths = [s.path.resolve() for s in sources if s.path is not None]
    if source.path is None:
        return source.name
    return source.path.resolve().relative_to(os.path.commonpath([p.parent for p in paths])).as_posix()


def _address(source: Source, out: Path) -> str:
    """Where the page finds the file: relative, so that a folder with both can be moved; "" where it cannot be."""
    if source.path is None or source.path.is_dir():
        return ""
    try:
        return quote(Path(os.path.relpath(source.path.resolve(), out.resolve())).as_posix())
    except ValueError:  # another drive
        return ""


def _tracks(video: _Video) -> list[ShownTrack]:
    shown = []
    for piece, track in zip(video.pieces, video.tracks, strict=True):
        found = signals(piece.curves.positions.astype(float), video.source.fps, FAST)
        curve, every = packed(found.sizes)
        noise = tuple(round(float(n), 4) for n in found.noise)
        start, length = piece.curves.start, len(piece.curves.light)
        shown.append(
            ShownTrack(
                video.number,
                piece.track,
                start,
                length,
                piece.end,
                noise,
                bool(track["abstained"]),
                curve,
                every,
            )
        )
    return shown


def _events(video: _Video, faces: bool, asked: Asked | None, told: list[Answer | None]) -> list[ShownEvent]:
    """Rows with pictures where the video can be read again, and with what was answered, which `told` keeps too."""
    seen: dict[int, tuple[dict[str, str], dict[str, Any]]] = {}
    answers = Answers(asked, video.source.fps)
    if (faces or asked) and video.source.camera is None:
        for one in look(video.source, _wanted(video), answers.keep):
            if faces:
                seen[one.wanted.key] = pictures_of(one, video.source.fps), film_of(one, video.first)
            answers.take(one)
    found, fps = answers.all(), video.source.fps
    told += [found.get(k) for k in range(len(video.rows))]
    words = {k: answer.words() for k, answer in found.items()}
    return [
        ShownEvent(row, video.number, fps, *seen.get(k, ({}, {})), answer=words.get(k, {}))
        for k, row in enumerate(video.rows)
    ]


def _wanted(video: _Video) -> list[Wanted]:
    order = sorted(range(len(video.rows)), key=lambda k: -float(video.rows[k]["peak_noise"]))
    called = [k for k in order if video.rows[k]["verdict"] != "rejected"][:MOST]
    rest = [k for k in order if video.rows[k]["verdict"] == "rejected"][:MOST_REJECTED]
    return [one for k in (*called, *rest) if (one := _one_wanted(k, video)) is not None]


def _one_wanted(key: int, video: _Video) -> Wanted | None:
    """None where no piece of the person holds the event's apex."""
    row = video.rows[key]
    onset, apex, offset = (int(row[name]) - video.first for name in ("onset", "apex", "offset"))
    for piece in video.pieces:
        place = apex - piece.curves.start
        if piece.track == row["track"] and 0 <= place < len(piece.curves.light):
            head = np.asarray(piece.curves.head[max(0, onset - piece.curves.start)], float)
            size, called = float(row["peak_px"]), row["verdict"] != "rejected"
            return Wanted(key, onset, apex, offset, size, head, called, size / max(float(row["peak_noise"]), 1e-3))
    return None
