"""Videos written anew, as browsers play them: a small copy for the page, and one with events drawn in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mer_tf.files import atomic
from mer_tf.preprocessing.frames import Frame
from mer_tf.progress import Progress
from mer_tf.video import people
from mer_tf.video.blocks import Piece
from mer_tf.video.page_pictures import head_of, nearest
from mer_tf.video.regions import FACE, crop_matrix, scale_of
from mer_tf.video.sources import Picture, Source, Write, recorder

COLOURS = {"micro": (78, 147, 240), "macro": (233, 180, 86), "rejected": (150, 150, 150)}
"""BGR, as the dark page has them."""
STRIP = 18
"""Pixels at the bottom that show all events and the present moment."""
Draw = Callable[[int, Frame, float], Frame]
AGAIN = 2.0
"""Seconds after which a face is looked for anew, which says how large its box is."""


def write_copy(path: Path, source: Source, longest: int, *, progress: bool = True) -> Path:
    """A copy with no side above `longest` pixels."""
    return _written(path, source, longest, None, progress)


def write_annotated(
    path: Path,
    source: Source,
    pieces: Sequence[Piece],
    rows: Sequence[Mapping[str, Any]],
    first: int,
    *,
    longest: int = 960,
    progress: bool = True,
) -> Path:
    """A copy with a box round each person, the name of what moves, and a strip of all events; `first`: frame number."""
    drawn = _Drawn(source, pieces, rows, first)
    return _written(path, source, longest, drawn, progress)


def _written(path: Path, source: Source, longest: int, draw: Draw | None, progress: bool) -> Path:
    bar = Progress(total=source.frames, desc=path.name, unit="frame", disable=not progress)
    with bar, _webm(path, source.fps) as write:
        for index, picture in enumerate(source.pictures()):
            frame = picture.colours if picture.bgr else picture.colours[..., ::-1]
            height, width = frame.shape[:2]
            factor = min(1.0, longest / max(height, width))
            size = [max(2, round(n * factor / 2) * 2) for n in (width, height)]  # the codec asks for even sides
            small = np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), np.uint8)
            write(draw(index, small, factor) if draw else small)
            bar.update()
    return path


@contextmanager
def _webm(path: Path, fps: float) -> Iterator[Write]:
    """What takes BGR frames of one size and makes a VP8 video of them, which all browsers play, whole or absent."""
    refusal = f"{path}: OpenCV writes no VP8 video here; leave --embed and --video out"
    with atomic(path) as part, recorder(part, "VP80", fps, refusal) as write:
        yield write


class _Drawn:
    """Draws what was found into frame after frame."""

    def __init__(self, source: Source, pieces: Sequence[Piece], rows: Sequence[Mapping[str, Any]], first: int) -> None:
        self.source, self.pieces, self.rows, self.first = source, pieces, rows, first
        self.scale: dict[int, float] = {}
        """Piece -> crop pixels of a pixel of the frame."""
        self.next_look = 0

    def __call__(self, index: int, frame: Frame, factor: float) -> Frame:
        """The frame, which is `factor` times as large as that of the source, with all drawn in."""
        canvas = np.vstack([frame, np.zeros((STRIP, frame.shape[1], 3), np.uint8)])
        live = {k: p for k, p in enumerate(self.pieces) if 0 <= index - p.curves.start < len(p.curves.light)}
        if live and (index >= self.next_look or any(k not in self.scale for k in live)):
            self._look(index, frame, factor, live)
        for k, piece in live.items():
            if k in self.scale:
                self._box(canvas, index, piece, self.scale[k], factor)
        self._strip(canvas, index)
        return canvas

    def _look(self, index: int, frame: Frame, factor: float, live: Mapping[int, Piece]) -> None:
        """How large each face is: where it is and where its track says that it is, in its own widths, tell it."""
        faces = [five / factor for five in people.find_faces(Picture(index, 0.0, frame))]
        self.next_look = index + round(AGAIN * self.source.fps)
        for k, piece in live.items():
            head = piece.curves.head[index - piece.curves.start].astype(float)
            five = nearest(faces, head)
            if five is not None:
                size = scale_of(crop_matrix(five))
                self.scale[k] = size * float(np.linalg.norm(head) / max(float(np.linalg.norm(head_of(five))), 1e-6))

    def _box(self, canvas: Frame, index: int, piece: Piece, scale: float, factor: float) -> None:
        middle = piece.curves.head[index - piece.curves.start].astype(float) * FACE / scale * factor
        reach = FACE / scale * factor * 0.62
        event = self._event(index, piece.track)
        colour = COLOURS[event["verdict"]] if event else (220, 220, 220)
        low, high = (tuple(int(v) for v in np.rint(middle + sign * reach)) for sign in (-1, 1))
        cv2.rectangle(canvas, low, high, colour, 2 if event else 1, cv2.LINE_AA)
        _write(canvas, f"{piece.track}", (low[0] + 3, low[1] + 14), colour)
        if event:
            text = event["cause"] or f"{event['verdict']} {event['peak_px']:.1f} px"
            text += f" AU {event['suggested_aus']}" if event["suggested_aus"] and not event["cause"] else ""
            _write(canvas, text, (max(2, low[0]), max(12, low[1] - 5)), colour)

    def _event(self, index: int, track: int) -> Mapping[str, Any] | None:
        now = [r for r in self.rows if r["track"] == track and r["onset"] <= index + self.first <= r["offset"]]
        return min(now, key=lambda r: r["verdict"] == "rejected") if now else None

    def _strip(self, canvas: Frame, index: int) -> None:
        height, width = canvas.shape[:2]
        total = max(1, self.source.frames or index + 1)
        for row in sorted(self.rows, key=lambda r: r["verdict"] != "rejected"):
            ends = [round((row[end] - self.first) / total * width) for end in ("onset", "offset")]
            tall = 5 if row["verdict"] == "rejected" else 12
            corner = max(ends[1], ends[0] + 2), height - 3
            cv2.rectangle(canvas, (ends[0], height - 3 - tall), corner, COLOURS[row["verdict"]], -1)
        here = round(index / total * width)
        cv2.line(canvas, (here, height - STRIP), (here, height), (255, 255, 255), 1)
        _write(
            canvas, f"{index / self.source.fps:.2f} s", (max(2, min(here + 4, width - 60)), height - 5), (255, 255, 255)
        )


def _write(canvas: NDArray[np.uint8], text: str, place: tuple[int, int], colour: tuple[int, int, int]) -> None:
    """Text on a dark ground; `place`: its lower left corner."""
    font, size = cv2.FONT_HERSHEY_SIMPLEX, 0.42
    (wide, tall), below = cv2.getTextSize(text, font, size, 1)
    low, high = (place[0] - 1, place[1] - tall - 1), (place[0] + wide + 1, place[1] + below - 1)
    cv2.rectangle(canvas, low, high, (20, 20, 20), -1)
    cv2.putText(canvas, text, place, font, size, colour, 1, cv2.LINE_AA)
