"""Who is in the picture: faces found on key frames, each given to the track that it goes on, or to a new one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mer_tf.video.regions import SIDE
from mer_tf.video.sources import Picture
from mer_tf.video.track import Curves, Track

SMALLEST, LONGEST = 40, 640
"""Smallest face, pixels of a picture whose longer side has at most `LONGEST`."""
SURE = 0.95
"""Least confidence of a detection."""
EVERY, AGAIN, SEARCH = 1.0, 0.4, 0.5
"""Seconds between key frames: while all tracks are known, while one was seen but once, while there is none."""
FORGET = 3
"""Key frames on which a face may be missing."""
CUT = 0.75
"""Correlation of a frame with the one before, both tiny, below which the picture was cut."""


@dataclass(frozen=True, eq=False)
class Ended:
    """Curves of a track in a block, how often its face was detected up to now, and why they end."""

    number: int
    curves: Curves
    sightings: int
    why: str
    """cut, slipped, moved, lost, end; "" where the next block goes on."""


@dataclass
class People:
    """The tracks of one video."""

    fps: float
    live: list[Track] = field(default_factory=list)
    begun: dict[int, int] = field(default_factory=dict)
    """Track -> frame at which its curves of the present block begin."""
    next_number: int = 1
    next_key: int = 0
    _before: NDArray[np.float32] | None = None

    def step(self, index: int, picture: Picture) -> list[Ended]:
        """Follow everybody into the next frame (`index` of all); those who were lost."""
        if self._cut(picture):
            for track in self.live:
                track.lost = "cut"
        for track in self.live:
            if not track.lost:
                track.step(picture.grey)
        ended = self._end()
        if index >= self.next_key or ended:
            ended += self._look(index, picture, [e for e in ended if e.why == "slipped"])
        return ended

    def close_block(self, index: int, picture: Picture) -> list[Ended]:
        """Curves of all live tracks up to now; the next block begins with the frame after `index`."""
        closed = [Ended(t.number, t.close_block(self.begun[t.number]), t.sightings, "") for t in self.live]
        self.begun = {track.number: index + 1 for track in self.live}
        self.prime(picture)
        return closed

    def prime(self, picture: Picture) -> None:
        """Remember the last frame of a finished block, as it is needed to go on with the next one."""
        self._cut(picture)
        for track in self.live:
            track.prime(picture.grey)

    def finish(self, why: str = "end") -> list[Ended]:
        """End all tracks."""
        for track in self.live:
            track.lost = why
        return self._end()

    def state(self) -> dict[str, Any]:
        """All that the next block needs."""
        tracks = [track.state() for track in self.live]
        return {"tracks": tracks, "next_number": self.next_number, "next_key": self.next_key}

    @classmethod
    def of_state(cls, state: dict[str, Any], index: int, fps: float) -> People:
        """Those of a finished block; `index`: the first frame of the next one."""
        live = [Track.of_state(one, fps) for one in state["tracks"]]
        begun = {track.number: index for track in live}
        return cls(fps, live, begun, state["next_number"], state["next_key"])

    def _cut(self, picture: Picture) -> bool:
        grey = picture.grey
        rows, columns = (np.linspace(0, n - 1, m).astype(int) for n, m in zip(grey.shape, (36, 48), strict=True))
        tiny = grey[np.ix_(rows, columns)].astype(np.float32)
        tiny = (tiny - tiny.mean()) / max(float(tiny.std()), 1.0)
        before, self._before = self._before, tiny
        return before is not None and float((before * tiny).mean()) < CUT

    def _end(self) -> list[Ended]:
        gone = [track for track in self.live if track.lost]
        self.live = [track for track in self.live if not track.lost]
        return [Ended(t.number, t.close_block(self.begun.pop(t.number)), t.sightings, t.lost) for t in gone]

    def _look(self, index: int, picture: Picture, slipped: list[Ended]) -> list[Ended]:
        """Find faces; those that no track goes on begin one, and tracks that are missed too often end.

        A face whose crop has just `slipped` off it goes on under its number.
        """
        faces = find_faces(picture)
        free = list(self.live)
        for five in faces:
            track = next((t for t in free if _inside(five, t)), None)
            if track is None:
                if not any(_inside(five, t) for t in self.live):
                    self._begin(index, five, picture, slipped.pop(0) if slipped else None)
                continue
            free.remove(track)
            track.sightings, track.missed = track.sightings + 1, 0
            if track.realigned(five):
                track.lost = "moved"
        for track in free:
            track.missed += 1
            if track.missed >= (FORGET if track.sightings > 1 else 1):
                track.lost = "lost"
        ended = self._end()
        for one in ended:
            if one.why == "moved":
                match = next((f for f in faces if not any(_inside(f, t) for t in self.live)), None)
                if match is not None:
                    self._begin(index, match, picture, one)
        unsure = any(track.sightings == 1 for track in self.live)
        wait = AGAIN if unsure else EVERY if self.live else SEARCH
        self.next_key = index + max(1, round(wait * self.fps))
        return ended

    def _begin(self, index: int, five: NDArray[np.float64], picture: Picture, after: Ended | None = None) -> None:
        track = Track(after.number if after else self.next_number, five, fps=self.fps)
        if after:
            track.sightings = after.sightings
        else:
            self.next_number += 1
        track.step(picture.grey)
        self.live.append(track)
        self.begun[track.number] = index


def find_faces(picture: Picture) -> list[NDArray[np.float64]]:
    """Five landmarks (5, 2) of every face, the largest first, in pixels of the picture."""
    from mer_tf.preprocessing.mtcnn import faces  # brings TensorFlow

    small, factor = picture.small(LONGEST)
    sure = [face for face in faces(small, SMALLEST) if face.confidence >= SURE and max(face.box[2:]) >= SMALLEST]
    sure.sort(key=lambda face: -float(face.box[2] * face.box[3]))
    return [face.landmarks.astype(float) / factor for face in sure]


def _inside(five: NDArray[np.float64], track: Track) -> bool:
    """Whether a face lies where the track's is."""
    place = five.mean(0) @ track.matrix[:, :2].T + track.matrix[:, 2]
    return bool(np.linalg.norm(place - [SIDE / 2, SIDE / 2]) < SIDE / 3)
