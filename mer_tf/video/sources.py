"""Where pictures come from, one after the other and each decoded once: a video, a folder of frames, a camera."""

from __future__ import annotations

import math
import re
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from mer_tf.config import USUAL_FPS, MerError
from mer_tf.preprocessing.frames import Frame, list_frames, read_frames

AHEAD = 4
"""Pictures that are decoded while one is looked at."""
Write = Callable[[Frame], None]
"""What takes a BGR picture."""


@dataclass(frozen=True, eq=False)
class Picture:
    """One frame: its number, its time and its pixels."""

    number: int
    """Of a video counted from 0, of a folder the one in the file's name."""
    seconds: float
    colours: Frame
    """(H, W, 3), RGB or BGR as `bgr` says."""
    bgr: bool = True

    @cached_property
    def grey(self) -> Frame:
        """The picture in grey (H, W)."""
        code = cv2.COLOR_BGR2GRAY if self.bgr else cv2.COLOR_RGB2GRAY
        return np.asarray(cv2.cvtColor(self.colours, code), np.uint8)

    def small(self, longest: int) -> tuple[Frame, float]:
        """RGB with no side above `longest`, and by which factor it was shrunk."""
        height, width = self.colours.shape[:2]
        factor = min(1.0, longest / max(height, width))
        picture: NDArray[np.uint8] = self.colours
        if factor < 1:
            size = (round(width * factor), round(height * factor))
            picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
        return (np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8) if self.bgr else picture), factor


@dataclass(frozen=True)
class Source:
    """Something that gives pictures."""

    name: str
    """As the tables of events have it: a path, or camera 0 with the time at which it was opened."""
    fps: float
    frames: int | None
    """How many the header states, or the folder holds; None where that is unknown."""
    path: Path | None = None
    camera: int | None = None
    seconds: float | None = None
    """A camera is read for so long; None: until it is stopped."""
    kept: Path | None = None
    """The file in which a camera's pictures are kept, where they are."""
    number: int = 1
    """Among all that one command was given."""
    pixels: int = 0
    """Of one picture, as the header of a video states them."""

    def pictures(self, skip: int = 0, write: Write | None = None) -> Generator[Picture]:
        """All pictures but the first `skip`, which are passed over without being converted; `write` gets them too."""
        if self.path is not None and self.path.is_dir():
            return _ahead(_of_folder(self.path, self.fps, skip))
        return _ahead(_of_capture(self, skip, write))

    def recording(self) -> AbstractContextManager[Write | None]:
        """What keeps pictures of a camera; None where they are not wanted, or can be read again anyway.

        The file grows from the first picture on, so that a recording of which the end is lost is not lost whole.
        """
        if self.kept is None:
            return nullcontext()
        # MJPEG takes a tenth of the time of what browsers play.
        return recorder(self.kept, "MJPG", self.fps, f"{self.kept}: OpenCV writes no video here; give --no-keep")

    def again(self) -> Source:
        """The same to be read once more: of a camera what was kept of it, and itself where nothing was."""
        if self.kept is None or not self.kept.is_file():
            return self
        return replace(self, path=self.kept, camera=None, kept=None)


@contextmanager
def recorder(path: Path, coding: str, fps: float, refusal: str) -> Iterator[Write]:
    """What takes BGR frames of one size and makes a video of them, by a code of four letters.

    The file is begun with the first frame; `MerError` with the `refusal` where OpenCV cannot.
    """
    writers: list[cv2.VideoWriter] = []

    def write(frame: Frame) -> None:
        if not writers:
            writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*coding), fps, frame.shape[1::-1])
            if not writer.isOpened():
                raise MerError(refusal)
            writers.append(writer)
        writers[0].write(frame)

    try:
        yield write
    finally:
        for writer in writers:
            writer.release()


def open_sources(paths: Sequence[Path], fps: float | None = None) -> tuple[list[Source], dict[str, str]]:
    """Every path that can be opened, numbered as all are, and why the others cannot.

    `MerError` for a path that is not there, and where none can be opened.
    """
    sources, lost = list[Source](), dict[str, str]()
    for number, path in enumerate(dict.fromkeys(paths), start=1):
        try:
            sources.append(replace(open_source(path, fps), number=number))
        except MerError as error:
            if not path.exists():
                raise
            lost[str(path)] = str(error)
    if not sources:
        raise MerError(next(iter(lost.values())))
    return sources, lost


def open_source(path: Path, fps: float | None = None) -> Source:
    """A video file or a folder of frames; `fps` stands for what the container does not state, and for folders.

    `MerError` for what is neither.
    """
    if path.is_dir():
        return Source(str(path), fps or USUAL_FPS, len(list_frames(path)), path)
    if not path.is_file():
        raise MerError(f"{path}: no such video or folder of frames; is the path right?")
    capture = cv2.VideoCapture(str(path))
    try:
        if not capture.isOpened():
            raise MerError(f"{path}: OpenCV cannot open this video; is it whole, and of a known format?")
        stated, frames = float(capture.get(cv2.CAP_PROP_FPS)), int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
        pixels = int(capture.get(cv2.CAP_PROP_FRAME_WIDTH) * capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
    finally:
        capture.release()
    return Source(str(path), fps or _rate(stated), frames if frames > 0 else None, path, pixels=pixels)


def open_camera(index: int, seconds: float | None, fps: float | None = None, keep: Path | None = None) -> Source:
    """A camera by its number, whose pictures are kept in the folder `keep`; `MerError` when there is none."""
    capture = cv2.VideoCapture(index)
    try:
        if not capture.isOpened():
            raise MerError(f"camera {index}: cannot be opened; is it connected, and not used by another program?")
        stated = float(capture.get(cv2.CAP_PROP_FPS))
    finally:
        capture.release()
    rate, name = fps or _rate(stated), f"camera {index} {datetime.now():%Y-%m-%d %H:%M:%S}"
    kept = keep / f"{re.sub('[ :]', '_', name)}.avi" if keep else None
    return Source(name, rate, round(seconds * rate) if seconds else None, None, index, seconds, kept)


def _rate(stated: float) -> float:
    """What a container or a camera states, where that can be meant."""
    return stated if math.isfinite(stated) and 1 <= stated <= 2000 else USUAL_FPS


def _ahead(pictures: Iterator[Picture]) -> Generator[Picture]:
    """The same, decoded and turned grey by a thread beside the caller, `AHEAD` of them at most."""

    def decoded() -> Picture | None:
        picture = next(pictures, None)
        return picture if picture is None or picture.grey.size else None

    with ThreadPoolExecutor(1) as beside:
        waiting = deque(beside.submit(decoded) for _ in range(AHEAD))
        while (picture := waiting.popleft().result()) is not None:
            waiting.append(beside.submit(decoded))
            yield picture


def _of_folder(folder: Path, fps: float, skip: int) -> Iterator[Picture]:
    files = list_frames(folder)
    first = files[0].number
    for file, frame in zip(files[skip:], read_frames([f.path for f in files[skip:]]), strict=True):
        yield Picture(file.number, (file.number - first) / fps, frame, bgr=False)


def _of_capture(source: Source, skip: int, write: Write | None) -> Iterator[Picture]:
    """Frames by their number over the rate: time stamps of containers jitter, and of cameras are none."""
    capture = cv2.VideoCapture(str(source.path) if source.path else source.camera or 0)
    try:
        number, begun = 0, time.monotonic()
        while capture.grab():
            late = source.seconds is not None and time.monotonic() - begun >= source.seconds
            if source.camera is not None and late:
                return
            if number >= skip:
                decoded, frame = capture.retrieve()
                if decoded and write is not None:
                    write(np.asarray(frame, np.uint8))
                if decoded:
                    yield Picture(number, number / source.fps, np.asarray(frame, np.uint8))
            number += 1
        if number == 0:
            raise MerError(f"{source.name}: holds no frame that decodes; convert it again, e.g. to MP4 with H.264")
    finally:
        capture.release()
