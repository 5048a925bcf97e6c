"""The page of spotted events: what it shows of videos, people and events, and the page as text."""

from __future__ import annotations

import base64
import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from mer_tf.reporting.report import page_of

STEP = 0.05
"""Pixels that a unit of a stored curve stands for."""
LONGEST = 100_000
"""Samples of a curve; of a longer one the greatest of neighbours is kept."""
WORDS = (
    "This page shows fast movements of faces. It cannot say what anybody feels, nor whether anybody lies.",
    "Spotting micro-expressions is an unsolved task: on CAS(ME)², the best published F1 named here is .25, so expect "
    "missed and false events.",
)


@dataclass(frozen=True)
class ShownVideo:
    """A video and where the page finds it."""

    name: str
    clip: str
    """As a table of clips names it: its path below the folder that holds all videos."""
    fps: float
    frames: int
    source: str
    """What the player opens: a relative address or a data URI; "" for none."""
    first: int
    """Number of its first frame, as events count."""
    note: str = ""
    """What must be said of it."""
    camera: bool = False
    """Whether it is a camera of which nothing was kept."""


@dataclass(frozen=True)
class ShownTrack:
    """A person without a break, with the displacement of each region over time."""

    video: int
    person: int
    start: int
    """Frame of the video, from 0."""
    frames: int
    ended_by: str
    noise: tuple[float, ...]
    """Of each region, pixels."""
    abstained: bool
    curve: str
    """Samples of all regions, one after the other in time, a byte each in units of `STEP`, as base64."""
    every: int
    """Frames that a sample stands for."""


@dataclass(frozen=True)
class ShownEvent:
    """A row of events.csv with its pictures and what was recognised."""

    row: Mapping[str, Any]
    video: int
    frame_rate: float
    pictures: Mapping[str, str] = field(default_factory=dict)
    """What a picture shows -> data URI."""
    film: Mapping[str, Any] = field(default_factory=dict)
    """The face frame by frame: `source` (one picture, frames from left to right), `frames` (their numbers), `side`."""
    answer: Mapping[str, Any] = field(default_factory=dict)
    """What a recogniser says of it: probabilities, or the reason why there are none."""
    heat: Mapping[str, str] = field(default_factory=dict)
    """Where that comes from: `text`, and `source` where there is a picture; empty where nobody was asked."""


@dataclass(frozen=True)
class Spotted:
    """All that the page shows."""

    videos: Sequence[ShownVideo]
    tracks: Sequence[ShownTrack]
    events: Sequence[ShownEvent]
    regions: Mapping[str, str]
    """Region -> group."""
    clear: float
    """Noises above which a peak is an event."""
    files: Sequence[str] = ()
    """Beside the page, for download."""
    limits: Sequence[str] = ()
    """Of the recogniser that was asked."""
    faces: bool = True


def spotted_html(found: Spotted) -> Iterator[str]:
    """The page, piece by piece: one file that fetches nothing, but the videos that lie where they lay."""
    hole = Markup("\0")  # the pictures of many events would be held several times over by a template
    followed = {track.video for track in found.tracks}
    page = page_of("spotting.html.j2", found=found, followed=followed, words=WORDS, data=hole, title=_title(found))
    before, _, after = page.partition(hole)
    yield before
    yield from _data(found)
    yield after


def _data(found: Spotted) -> Iterator[str]:
    """All that the page's script needs."""
    held = {
        "videos": [dataclasses.asdict(v) for v in found.videos],
        "tracks": [dataclasses.asdict(t) for t in found.tracks],
        "regions": dict(found.regions),
        "clear": found.clear,
        "step": STEP,
    }
    yield _script(held).removesuffix("}") + ',"events":['
    for place, event in enumerate(found.events):
        yield ("," if place else "") + _script(dataclasses.asdict(event))
    yield "]}"


def packed(sizes: NDArray[np.floating]) -> tuple[str, int]:
    """A curve (T, R), pixels, as the page reads it, and how many frames a sample stands for."""
    every = -(-len(sizes) // LONGEST)
    short = -len(sizes) % every
    filled = np.concatenate([sizes, np.zeros((short, sizes.shape[1]))]) if short else sizes
    most = filled.reshape(-1, every, sizes.shape[1]).max(axis=1)
    units = np.clip(np.rint(most / STEP), 0, 255).astype(np.uint8)
    return base64.b64encode(units.tobytes()).decode(), every


def _script(data: Mapping[str, Any]) -> str:
    """JSON that may stand in a script: no tag can end it."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _title(found: Spotted) -> str:
    called = sum(e.row["verdict"] != "rejected" for e in found.events)
    name = found.videos[0].name if len(found.videos) == 1 else f"{len(found.videos)} videos"
    return f"{name}: {called} {'event' if called == 1 else 'events'}"
