"""Spotting from the video to the table: decode, follow, keep; then decide, over each whole track."""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import Any

import cv2
import pandas as pd

from mer_tf.code_version import PIXELS
from mer_tf.config import MerError
from mer_tf.files import read_mapping, write_csv, write_text
from mer_tf.locks import held
from mer_tf.names import first_lines
from mer_tf.preprocessing.frames import list_frames
from mer_tf.progress import Progress
from mer_tf.records.beam import Engine, each_by_beam, ended_without, refuse_options
from mer_tf.video.blocks import Piece, Store, folder_name
from mer_tf.video.decide import TOO_NOISY, Found, decide
from mer_tf.video.events import Event, PersonTrack, Verdict, write_events
from mer_tf.video.people import Ended, People
from mer_tf.video.sources import Picture, Source, Write

log = logging.getLogger(__name__)
BLOCK = 20.0
"""Seconds of video that are kept at once."""
VERSION = 2
"""Counts what changes the stored curves."""
LOST = "lost.txt"
"""Beside the blocks of a source: why it cannot be read to its end."""


@dataclass(frozen=True)
class Spotted:
    """What a run wrote, and what it could not read."""

    paths: Sequence[Path]
    sources: Sequence[Source]
    """Those that were read to their end."""
    lost: Mapping[str, str]
    """Video -> why it could not be read, as errors.csv has it."""

    def refuse_lost(self, out: Path) -> None:
        """`MerError` that names what could not be read, if there is any."""
        if self.lost:
            lines = first_lines([*self.lost.values()], before="  ")
            head = f"{len(self.lost)} video(s) could not be read (all are in {out / 'errors.csv'}):"
            mend = f"{len(self.sources)} are done and kept: mend these and run again, or leave them out"
            raise MerError("\n".join([head, *lines, mend]))


def spot_all(
    sources: Sequence[Source],
    out: Path,
    *,
    lost: Mapping[str, str] = MappingProxyType({}),
    engine: Engine = "local",
    beam: Sequence[str] = (),
    workers: int = 1,
    progress: bool = True,
) -> Spotted:
    """Spot in every source; write events.csv, events.json and errors.csv, in which `lost` stands too.

    engine: "local" follows one after the other, "beam" by an Apache Beam pipeline with the options `beam`, a source an
    element; either gives the same bytes. What is finished is kept in `out`/work and not done again. A source that
    cannot be read is left out, and tried again by the next run.
    """
    refuse_options(engine, beam)
    out.mkdir(parents=True, exist_ok=True)
    missing = [(source, home_of(out, source)) for source in unfinished(sources, out)]
    with held(out):
        for source in sources:
            _no_other(out, source)
        try:
            if engine == "beam":
                each_by_beam(_tried, [(_anywhere(s), home.resolve()) for s, home in missing], workers, beam, "videos")
            else:
                for source, home in missing:
                    _tried((_anywhere(source), home), progress=progress)
        finally:
            done = write_tables(sources, out, lost)
    for source in sources:
        if source not in done.sources and source.name not in done.lost:
            raise ended_without(source.name, see=f"this video and {out}")
    return done


def _no_other(out: Path, source: Source) -> None:
    """`MerError` where a recording would take the place of another result."""
    before = read_mapping(out / "events.json")["videos"] if (out / "events.json").is_file() else []
    if source.camera is not None and before:
        raise MerError(f"{out}: holds the result of {before[0]['video']}; give a recording a folder of its own")


def home_of(out: Path, source: Source) -> Path:
    """Where what was followed of a source is kept."""
    return out / "work" / f"{source.number:03d}-{folder_name(source.name)}"


def _anywhere(source: Source) -> Source:
    """The same for a process in another folder."""
    return replace(source, path=source.path and source.path.resolve())


def _tried(task: tuple[Source, Path], *, progress: bool = False) -> None:
    """Follow a source to its end, or leave in its folder why it cannot be read."""
    source, home = task
    (home / LOST).unlink(missing_ok=True)
    try:
        follow(source, home, progress=progress)
    except MerError as error:
        write_text(home / LOST, str(error))


def unfinished(sources: Sequence[Source], out: Path) -> list[Source]:
    """Those that `out` does not hold to their end; a camera is never at its end."""
    return [s for s in sources if s.camera is not None or not Store(*_kept(s, out)).finished]


def write_tables(sources: Sequence[Source], out: Path, lost: Mapping[str, str]) -> Spotted:
    """Write the tables of all sources that were read to their end, and of those that could not be."""
    events, tracks, videos = list[Event](), list[PersonTrack](), list[dict[str, Any]]()
    done, why = list[Source](), dict(lost)
    for source in sources:
        store = Store(*_kept(source, out))
        if (note := home_of(out, source) / LOST).is_file():
            why[source.name] = note.read_text(encoding="utf-8")
        elif store.finished:
            found, people = judge(source, store)
            events += found
            tracks += people
            done.append(source)
            videos.append(_summary(source, store, people))
    errors = pd.DataFrame(list(why.items()), columns=["video", "reason"])
    paths = [*write_events(out, events, tracks, videos), write_csv(errors, out / "errors.csv")]
    return Spotted(paths, done, why)


def _kept(source: Source, out: Path) -> tuple[Path, dict[str, Any]]:
    """The arguments of the store of a source."""
    return home_of(out, source), settings_of(source)


def follow(source: Source, folder: Path, *, progress: bool = True) -> Store:
    """Read a source to its end and keep the curves of everybody in it; goes on after the last block that is kept."""
    store = Store(folder, settings_of(source))
    if store.finished:
        return store
    if source.camera is not None:
        store.state = {}
    cv2.setNumThreads(1)  # a crop is small: threads that wait for each other take longer than one alone
    size = max(2, round(BLOCK * source.fps))
    name = Path(source.name).name
    with source.recording() as write:
        people, pictures = _begun(source, store, write)
        bar = Progress(total=source.frames, initial=store.frames, desc=name, unit="frame", disable=not progress)
        with bar, closing(pictures):
            _run(store, people, pictures, size, bar, goes_on=source.camera is None)
    return store


def _run(store: Store, people: People, pictures: Iterator[Picture], size: int, bar: Any, *, goes_on: bool) -> None:
    """Block after block; Ctrl-C keeps the finished ones, and of what never `goes_on`, a camera, the last one too."""
    index, seen = store.frames, list[Ended]()
    try:
        for picture in pictures:
            seen += people.step(index, picture)
            index += 1
            bar.update()
            if index % size == 0:
                seen += people.close_block(index - 1, picture)
                store.write(seen, index, people.state(), finished=False)
                seen = []
    except KeyboardInterrupt:
        if goes_on:
            raise
    seen += people.finish()
    store.write(seen, index, people.state(), finished=True)


def _begun(source: Source, store: Store, write: Write | None) -> tuple[People, Generator[Picture]]:
    """Nobody and all pictures; or those of the last block that is kept, and the pictures after it."""
    if not store.blocks:
        return People(source.fps), source.pictures(write=write)
    people = People.of_state(store.state["people"], store.frames, source.fps)
    pictures = source.pictures(store.frames - 1)
    people.prime(next(islice(pictures, 1)))
    return people, pictures


def judge(source: Source, store: Store) -> tuple[list[Event], list[PersonTrack]]:
    """Events and tracks of a video that was followed to its end."""
    events, tracks = list[Event](), list[PersonTrack]()
    offset = first_number(source)
    for piece in store.pieces():
        found, noise = decide(piece.curves, source.fps, cut=piece.broken)
        tracks.append(_track(source, piece, noise))
        events += [_event(source, piece, one, offset) for one in found]
    return sorted(events, key=lambda e: (e.onset, e.track)), tracks


def _event(source: Source, piece: Piece, one: Found, first: int) -> Event:
    start, fps = piece.curves.start, source.fps
    onset, apex, offset = (start + n for n in (one.onset, one.apex, one.offset))
    verdict: Verdict = "rejected" if one.cause else "micro" if one.micro else "macro"
    return Event(
        video=source.name,
        track=piece.track,
        onset=onset + first,
        apex=apex + first,
        offset=offset + first,
        onset_seconds=round(onset / fps, 3),
        apex_seconds=round(apex / fps, 3),
        offset_seconds=round(offset / fps, 3),
        frames=offset - onset + 1,
        verdict=verdict,
        cause=one.cause,
        regions=" ".join(one.regions),
        suggested_aus="+".join(map(str, one.units)),
        peak_px=round(one.size, 3),
        peak_noise=round(one.score, 2),
    )


def _track(source: Source, piece: Piece, noise: float) -> PersonTrack:
    start, length = piece.curves.start, len(piece.curves.light)
    ends = (round(start / source.fps, 3), round((start + length - 1) / source.fps, 3))
    return PersonTrack(source.name, piece.track, *ends, piece.end, round(noise, 4), noise > TOO_NOISY)


def _summary(source: Source, store: Store, tracks: Sequence[PersonTrack]) -> dict[str, Any]:
    said = {"video": source.name, "fps": source.fps, "frames": store.frames}
    return said | {"seconds": round(store.frames / source.fps, 3), "people": len({t.track for t in tracks})}


def settings_of(source: Source) -> dict[str, Any]:
    """What fixes the curves of a source."""
    what = {"source": source.name, "fps": source.fps, "block": BLOCK, "version": VERSION, "pixels": PIXELS}
    return what | {"file": _stamp(source)}


def first_number(source: Source) -> int:
    """Of a folder of frames, the number in the name of the first one."""
    if source.path is None or not source.path.is_dir():
        return 0
    return list_frames(source.path)[0].number


def _stamp(source: Source) -> list[int]:
    """Size and time of a file: one that changed is read anew."""
    if source.path is None or not source.path.is_file():
        return []
    state = source.path.stat()
    return [state.st_size, state.st_mtime_ns]
