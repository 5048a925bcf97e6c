"""From spotted events to the page: curves, pictures and players of all videos, gathered for `index.html`."""

from __future__ import annotations

import base64
import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from mer_tf.files import read_mapping, write_json, write_pieces
from mer_tf.progress import Progress
from mer_tf.reporting.spotting_page import ShownEvent, ShownTrack, ShownVideo, Spotted, packed, spotted_html
from mer_tf.video.annotated import write_annotated, write_copy
from mer_tf.video.decide import CLEAR, FAST
from mer_tf.video.elan import write_elan
from mer_tf.video.page_answers import Answers
from mer_tf.video.page_pictures import Wanted, film_of, heat_of, look, pictures_of
from mer_tf.video.recognise import Answer, Asked
from mer_tf.video.regions import REGIONS
from mer_tf.video.seen import Seen, seen
from mer_tf.video.signals import signals
from mer_tf.video.sources import Source

PAGE = "index.html"
COPY, LARGEST = 320, 24_000_000
"""Longer side of a copy in the page, pixels, and its bytes at most."""
MOST, MOST_REJECTED = 200, 30
"""Events of a video that have pictures: of expressions all that a page can carry, of what was rejected the clearest."""
IN_ALL = 1000
"""Events of all videos that have pictures, .2 to .4 MB each: Chromium opens no page with 600 MB of them."""


@dataclass(frozen=True)
class Wishes:
    """What the page and its folder shall hold."""

    faces: bool = True
    """Pictures of people."""
    embed: bool = False
    """A small copy of each video in the page."""
    video: bool = False
    """A copy of each video with events drawn in, beside the page."""
    asked: Asked | None = None
    """Who says what each event shows, on the page and in events.json."""


def write_page(sources: Sequence[Source], out: Path, wishes: Wishes) -> Path:
    """Write `out`/index.html, and what shall lie beside it, from what `spot_all` left there; return its path."""
    asked = wishes.asked
    said = read_mapping(out / "events.json")
    videos = seen(sources, out, said)
    told: list[Answer | None] = []
    pictured = _pictured(videos) if wishes.faces else set()
    events = [e for video in videos for e in _events(video, wishes, told, pictured)]
    if asked is not None:
        rows = [{**e.row, "recognition": a and a.told()} for e, a in zip(events, told, strict=True)]
        write_json(out / "events.json", {**said, "recogniser": list(asked.limits) if any(told) else [], "events": rows})
    home = _home([video.source for video in videos])
    found = Spotted(
        videos=[_shown(video, out, wishes, home) for video in videos],
        tracks=[t for video in videos for t in _tracks(video)],
        events=events,
        regions={name: group for name, (group, _, _) in REGIONS.items()},
        clear=CLEAR,
        files=["events.csv", "events.json", *_beside(videos, out, wishes)],
        limits=list(asked.limits) if asked and any(told) else (),
        faces=wishes.faces,
    )
    return write_pieces(out / PAGE, spotted_html(found))


def _beside(videos: Sequence[Seen], out: Path, wishes: Wishes) -> list[str]:
    """Write a file of ELAN for each video, and one with events drawn in where that is wished; their names."""
    made = []
    for video in videos:
        if video.rows:
            made.append(write_elan(out / f"{video.file}.eaf", _address(video.source, out), video.rows))
        if wishes.video and video.source.camera is None:
            path = out / f"{video.file}.webm"
            made.append(write_annotated(path, video.source, video.pieces, video.rows, video.first))
    return [path.name for path in made]


def _shown(video: Seen, out: Path, wishes: Wishes, home: Path | None) -> ShownVideo:
    source, note = video.source, ""
    address = quote(_address(source, out))
    if source.camera is None and (wishes.embed or video.recorded):
        address, note = _copy(video, out, LARGEST if wishes.embed else 0)
    if video.recorded:
        note = f"The camera's pictures are kept in {source.path and source.path.name}. {note}".strip()
    return ShownVideo(
        name=Path(source.name).name,
        clip=_clip(source, home),
        fps=source.fps,
        frames=video.frames,
        source=address,
        first=video.first,
        note=note,
        camera=source.camera is not None,
    )


def _copy(video: Seen, out: Path, largest: int) -> tuple[str, str]:
    """A small copy as a data URI; one of more than `largest` bytes lies beside the page, and a note says so."""
    path = write_copy(out / f"{video.file}-small.webm", video.source, COPY)
    if path.stat().st_size > largest:
        return quote(path.name), f"The player shows {path.name}, which belongs beside this page."
    data = base64.b64encode(path.read_bytes()).decode()
    path.unlink()
    return f"data:video/webm;base64,{data}", ""


def _home(sources: Sequence[Source]) -> Path | None:
    """The folder in which all of them lie; None where they lie on several drives."""
    folders = {s.path.resolve().parent for s in sources if s.path is not None}
    try:
        return Path(os.path.commonpath(folders)) if folders else None
    except ValueError:
        return None


def _clip(source: Source, home: Path | None) -> str:
    """Its path below `home`; its name where there is none."""
    if source.path is None:
        return source.name
    return source.path.resolve().relative_to(home).as_posix() if home else source.path.name


def _address(source: Source, out: Path) -> str:
    """Where the page finds the file: relative, so that a folder with both can be moved; "" where it cannot be."""
    if source.path is None or source.path.is_dir():
        return ""
    try:
        return Path(os.path.relpath(source.path.resolve(), out.resolve())).as_posix()
    except ValueError:  # another drive
        return ""


def _tracks(video: Seen) -> list[ShownTrack]:
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


def _events(
    video: Seen, wishes: Wishes, told: list[Answer | None], pictured: Collection[tuple[int, int]]
) -> list[ShownEvent]:
    """Rows with pictures where the video can be read again, and with what was answered, which `told` keeps too.

    pictured: (video, row) of those that shall have pictures.
    """
    pictures: dict[int, tuple[dict[str, str], dict[str, Any]]] = {}
    answers = Answers(wishes.asked, video.source.fps, explain=wishes.faces)
    if (wishes.faces or wishes.asked) and video.source.camera is None:
        asked, name = wishes.asked is not None, f"{Path(video.source.name).name}: pictures"
        wanted = [w for w in _wanted(video) if (asked and w.called) or (video.number, w.key) in pictured]
        for one in Progress(look(video.source, wanted, answers.keep), name, len(wanted), unit="event"):
            if (video.number, one.wanted.key) in pictured:
                pictures[one.wanted.key] = pictures_of(one, video.source.fps), film_of(one, video.first)
            answers.take(one)
    found, fps = answers.all(), video.source.fps
    told += [found.get(k) for k in range(len(video.rows))]
    words = {k: answer.words() for k, answer in found.items()}
    heats = {k: _heat(answer) for k, answer in found.items() if wishes.faces}
    return [
        ShownEvent(row, video.number, fps, *pictures.get(k, ({}, {})), words.get(k, {}), heats.get(k, {}))
        for k, row in enumerate(video.rows)
    ]


def _heat(answer: Answer) -> dict[str, str]:
    """Where an answer comes from, or why nothing shows that."""
    if answer.refused:
        return {"text": f"No heat map: nothing was recognised, as {answer.refused}."}
    return {} if answer.heat is None else heat_of(answer.heat)


def _pictured(videos: Sequence[Seen]) -> set[tuple[int, int]]:
    """(video, row) of `IN_ALL` events: expressions before what was rejected, and of each the clearest."""
    rows = [(video.number, k, video.rows[k]) for video in videos for k in _clearest(video)]
    rows.sort(key=lambda one: (one[2]["verdict"] == "rejected", -float(one[2]["peak_noise"])))
    return {(number, k) for number, k, _ in rows[:IN_ALL]}


def _clearest(video: Seen) -> list[int]:
    """Rows of a video that may have pictures."""
    order = sorted(range(len(video.rows)), key=lambda k: -float(video.rows[k]["peak_noise"]))
    called = [k for k in order if video.rows[k]["verdict"] != "rejected"][:MOST]
    return [*called, *[k for k in order if video.rows[k]["verdict"] == "rejected"][:MOST_REJECTED]]


def _wanted(video: Seen) -> list[Wanted]:
    return [one for k in _clearest(video) if (one := _one_wanted(k, video)) is not None]


def _one_wanted(key: int, video: Seen) -> Wanted | None:
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
