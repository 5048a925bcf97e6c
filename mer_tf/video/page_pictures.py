"""Pictures of spotted events: the face frame by frame, its onset, apex and offset, the same magnified, and its motion.

The video is read once more, and of each event one map brings all frames to the crop, so that what moves is the face.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from mer_tf.arrays import evenly
from mer_tf.preprocessing.faces import Matrix, warp
from mer_tf.preprocessing.flow import flow_pair
from mer_tf.preprocessing.frames import Frame
from mer_tf.preprocessing.magnify import magnified
from mer_tf.video import people
from mer_tf.video.heat import Heat
from mer_tf.video.regions import FACE, SIDE, Layout, crop_matrix, scale_of
from mer_tf.video.sources import Picture, Source

LARGE, SMALL = 192, 144
"""Side of a picture, and of a frame of the film, pixels."""
AROUND = 0.25
"""Seconds before the onset and behind the offset that the film shows."""
FILM = 64
"""Frames of a film at most."""
FAR = 0.5
"""Face widths by which a face may lie away from where the track was."""
WIDEST = 4.0
"""Pixels that the greatest motion of a magnified clip has."""
GAIN = 4
ROUND = 2.4
"""Face widths of what is cut out for a recogniser."""
Keep = Literal["none", "ends", "all"]


@dataclass(frozen=True)
class Wanted:
    """An event of which pictures are made; frames from 0."""

    key: int
    onset: int
    apex: int
    offset: int
    size: float
    """Its peak, pixels."""
    head: NDArray[np.float64]
    """(2,): where the middle of the face is about its onset, in face widths."""
    called: bool = True
    """Whether it is called an expression."""
    noise: float = 0.0
    """Of the region that moves most, pixels."""


@dataclass(eq=False)
class Looked:
    """The crop of an event's frames; empty where no face was found."""

    wanted: Wanted
    five: NDArray[np.float64] | None = None
    frames: list[Frame] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    cut: tuple[slice, slice] = (slice(0), slice(0))
    """Rows and columns of a frame that hold the face and what is round it."""
    part: dict[int, Frame] = field(default_factory=dict)
    """Number -> what these hold: of the onset and the apex, or of all frames from onset to offset."""
    faces: dict[str, NDArray[np.float64] | None] = field(default_factory=dict)
    """The face in the onset and the apex themselves, in pixels of the part."""

    def place(self, number: int) -> int:
        """Which of the frames is nearest to a number."""
        return int(np.abs(np.array(self.numbers) - number).argmin())


def look(source: Source, wanted: Sequence[Wanted], keep: Keep = "none") -> Iterator[Looked]:
    """Each event once its last frame was read; `keep`: which frames of the face are wanted in all their pixels."""
    waiting = sorted(wanted, key=lambda w: w.onset)
    reach, live = round(AROUND * source.fps), list[Looked]()
    if not waiting:
        return
    last = max(w.offset for w in waiting) + reach
    start = max(0, waiting[0].onset - reach)
    for index, picture in enumerate(source.pictures(start), start):
        while waiting and waiting[0].onset - reach <= index:
            live.append(Looked(waiting.pop(0)))
        _take(index, picture, live, keep)
        yield from (one for one in live if index >= one.wanted.offset + reach)
        live = [one for one in live if index < one.wanted.offset + reach]
        if index >= last:
            return
    yield from live


def _take(index: int, picture: Picture, live: Sequence[Looked], keep: Keep) -> None:
    """The crop of a frame for each event that is open; the face is looked for until it is found, or the apex passed."""
    found: list[NDArray[np.float64]] | None = None
    for one in live:
        ends = [name for name in ("onset", "apex") if index == getattr(one.wanted, name)]
        looks = one.five is None and index <= one.wanted.apex
        if looks or (keep != "none" and ends and one.wanted.called):
            found = people.find_faces(picture) if found is None else found
        if looks and (five := nearest(found or [], one.wanted.head)) is not None:
            one.five, one.cut = five, _round_face(five, picture.colours.shape)
        if one.five is None:
            continue
        one.frames.append(warp(_rgb(picture), _large(crop_matrix(one.five)), LARGE))
        one.numbers.append(index)
        if one.wanted.called and (keep == "all" or (keep == "ends" and ends)):
            if one.wanted.onset <= index <= one.wanted.offset:
                one.part[index] = _rgb(picture)[one.cut].copy()
            for name in ends:
                five = nearest(found or [], head_of(one.five))
                one.faces[name] = None if five is None else five - [one.cut[1].start, one.cut[0].start]


def _round_face(five: NDArray[np.float64], shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Rows and columns of a square of `ROUND` face widths about a face, as far as the picture goes."""
    matrix = crop_matrix(five)
    middle, reach = _middle(matrix), ROUND / 2 * FACE / scale_of(matrix)
    low, high = np.floor(middle - reach).astype(int), np.ceil(middle + reach).astype(int)
    columns, rows = (slice(max(0, a), min(n, b)) for a, b, n in zip(low, high, (shape[1], shape[0]), strict=True))
    return rows, columns


def nearest(
    faces: Sequence[NDArray[np.float64]], head: NDArray[np.float64], far: float = FAR
) -> NDArray[np.float64] | None:
    """The face that lies where the head of a track is, or at most `far` widths from there."""
    places = [float(np.linalg.norm(head_of(five) - head)) for five in faces]
    return faces[int(np.argmin(places))] if places and min(places) < far else None


def head_of(five: NDArray[np.float64]) -> NDArray[np.float64]:
    """Middle of a face's crop, in face widths, as tracks have it."""
    matrix = crop_matrix(five)
    return _middle(matrix) * scale_of(matrix) / FACE


def _middle(matrix: Matrix) -> NDArray[np.float64]:
    """Middle of a crop, in pixels of the frame."""
    return np.asarray(np.linalg.solve(matrix[:, :2], SIDE / 2 - matrix[:, 2]))


def film_of(one: Looked, first: int) -> dict[str, Any]:
    """The face frame by frame as one wide picture; `first`: number of the video's first frame."""
    if one.five is None:
        return {"why": "No face was found in these frames, so there are no pictures of them."}
    kept = evenly(len(one.frames), FILM)
    small = [cv2.resize(one.frames[k], (SMALL, SMALL), interpolation=cv2.INTER_AREA) for k in kept]
    numbers = [one.numbers[k] + first for k in kept]
    return {"source": _uri(np.hstack(small), 75), "frames": numbers, "side": SMALL}


def pictures_of(one: Looked, fps: float) -> dict[str, str]:
    """What a picture shows -> data URI: onset, apex, offset, the same magnified, difference and flow."""
    if one.five is None or len(one.frames) < 2:
        return {}
    names = ("onset", "apex", "offset")
    at = {name: one.place(getattr(one.wanted, name)) for name in names}
    shown: dict[str, Frame] = {name: one.frames[k] for name, k in at.items()}
    onset, apex = one.frames[at["onset"]], one.frames[at["apex"]]
    shown[f"apex less onset, × {GAIN}"] = np.clip(128 + GAIN * (apex.astype(float) - onset), 0, 255).astype(np.uint8)
    if (larger := _magnified(one, fps)) is not None:
        shown |= {f"{name}, change × {larger[0]:.0f}": larger[1][k] for name, k in at.items()}
    field, limit = _flow(one.five, onset, apex)
    shown[f"motion: red right, green down, blue left, violet up; white rest, full {limit:.1f} px"] = coloured(
        field, limit
    )
    return {name: _uri(frame, 85) for name, frame in shown.items()}


def heat_of(heat: Heat) -> dict[str, str]:
    """Heat as the page has it."""
    return {"text": heat.said} | ({} if heat.picture is None else {"source": _uri(heat.picture, 85)})


def _magnified(one: Looked, fps: float) -> tuple[float, Frame] | None:
    """By how much, and frames (T, S, S, 3) in which the event's motion is about `WIDEST` pixels."""
    seconds = max(one.wanted.offset - one.wanted.onset, 1) / fps
    low, high = 0.3 / seconds, min(2.5 / seconds, 0.45 * fps)
    if len(one.frames) < 6 or low >= high:
        return None
    more = float(np.clip(WIDEST / max(one.wanted.size, 0.1), 2, 10))
    found = magnified(np.stack(one.frames), fps, more - 1, low, high)
    return more, np.clip(found, 0, 255).astype(np.uint8)


def _flow(five: NDArray[np.float64], onset: Frame, apex: Frame) -> tuple[NDArray[np.float32], float]:
    """Motion (S, S, 2) from onset to apex without the head's, pixels of a face 96 wide, and the full scale."""
    small = [np.asarray(cv2.resize(f, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8) for f in (onset, apex)]
    flow = flow_pair(small[0], small[1], "dis")
    _, head = Layout.of(five, crop_matrix(five)).split(flow)
    down, across = (np.mgrid[:SIDE, :SIDE] - SIDE / 2) / (SIDE / 2)
    rest = flow - np.stack([across, down, np.ones_like(across)], axis=-1) @ head
    return rest.astype(np.float32), max(1.0, float(np.percentile(np.linalg.norm(rest, axis=-1), 98)))


def coloured(field: NDArray[np.float32], limit: float) -> Frame:
    """Direction as hue, size as saturation: white is rest."""
    size, angle = cv2.cartToPolar(field[..., 0], field[..., 1], angleInDegrees=True)
    hue, full = angle / 2, np.clip(size / limit, 0, 1) * 255
    planes = np.stack([hue, full, np.full_like(full, 255)], axis=-1).astype(np.uint8)
    picture = cv2.cvtColor(planes, cv2.COLOR_HSV2RGB)
    return np.asarray(cv2.resize(picture, (LARGE, LARGE), interpolation=cv2.INTER_LINEAR), np.uint8)


def _large(matrix: Matrix) -> Matrix:
    """A map to the crop as one to the larger crop; pixel centres lie at half pixels."""
    more = LARGE / SIDE
    larger = matrix * more
    larger[:, 2] += (more - 1) / 2
    return larger


def _rgb(picture: Picture) -> Frame:
    return np.asarray(cv2.cvtColor(picture.colours, cv2.COLOR_BGR2RGB) if picture.bgr else picture.colours, np.uint8)


def _uri(frame: Frame, quality: int) -> str:
    _, data = cv2.imencode(".jpg", frame[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return f"data:image/jpeg;base64,{base64.b64encode(data.tobytes()).decode()}"
