"""What was found in a video, as rows of events.csv and events.json."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from mer_tf.files import write_csv, write_json

Verdict = Literal["micro", "macro", "rejected"]
HONEST = (
    "A spotted event is a fast movement of a face, not an emotion and not a lie. Spotting micro-expressions is an "
    "unsolved task: expect missed and false events."
)


@dataclass(frozen=True)
class Event:
    """One movement. Frame numbers as the video or its frame files count."""

    video: str
    track: int
    """Person, from 1; "the same person again" after a cut is a new one."""
    onset: int
    apex: int
    offset: int
    onset_seconds: float
    apex_seconds: float
    offset_seconds: float
    frames: int
    """From onset to offset: of how many pictures all this is known."""
    verdict: Verdict
    cause: str
    """Why it is rejected; "" where it is not."""
    regions: str
    """Those that move, the strongest first."""
    suggested_aus: str
    """Action units that such motion suggests, as 1+2."""
    peak_px: float
    """Greatest displacement, pixels on a face 96 pixels wide."""
    peak_noise: float
    """The same in units of the noise of this video, or of its floor."""


@dataclass(frozen=True)
class PersonTrack:
    """One person without a break, and whether anything can be said of them."""

    video: str
    track: int
    start_seconds: float
    end_seconds: float
    ended_by: str
    noise_px: float
    """Median over the regions."""
    abstained: bool
    """The noise is too high: nothing is called an expression."""


def write_events(
    out: Path, events: Sequence[Event], tracks: Sequence[PersonTrack], videos: Sequence[dict[str, Any]]
) -> list[Path]:
    """Write events.csv and events.json; return their paths."""
    columns = [f.name for f in dataclasses.fields(Event)]
    rows = [dataclasses.asdict(event) for event in events]
    said = {"note": HONEST, "videos": list(videos), "tracks": [dataclasses.asdict(t) for t in tracks], "events": rows}
    table = pd.DataFrame(rows, columns=columns)
    return [write_csv(table, out / "events.csv"), write_json(out / "events.json", said)]
