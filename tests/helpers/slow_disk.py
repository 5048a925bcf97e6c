"""A shared disk as a process of another machine sees it: slow, and what is known of a file is believed for a while.

`python -m helpers.slow_disk MACHINE CACHE LOG SECONDS`: a training job that wants the features of all clips.
"""

from __future__ import annotations

import builtins
import hashlib
import io
import os
import socket
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

SLOW, BELIEVED = 0.002, 30.0
"""Seconds that a call takes, and for which what it said of a file, or that there is none, is not asked anew."""
CLIPS, FRAMES = 24, 2


class SharedDisk:
    """Stands in for the calls of `os`: all below `home` are slow, and `stat` answers from memory, as NFS does.

    Memory of a file ends when this machine opens it, that of a folder's names when this machine makes or removes one.
    """

    def __init__(self, home: Path) -> None:
        self.home, self.known = str(home), dict[str, tuple[float, Any]]()
        self.stat, self.lstat = os.stat, os.lstat
        for name in ("stat", "lstat"):
            setattr(os, name, self._remembering(getattr(os, name)))
        for name in ("open", "mkdir", "unlink", "remove", "rename", "replace", "link"):
            setattr(os, name, self._slow(getattr(os, name)))
        io.open = builtins.open = self._slow(io.open)

    def _here(self, path: Any) -> str:
        text = os.fspath(path) if isinstance(path, str | Path) else ""
        return text if text.startswith(self.home) else ""

    def _remembering(self, asked: Any) -> Any:
        def answer(path: Any, *given: Any, **options: Any) -> Any:
            if not (name := self._here(path)):
                return asked(path, *given, **options)
            until, said = self.known.get(name, (0.0, None))
            if time.monotonic() > until:
                time.sleep(SLOW)
                try:
                    said = asked(path, *given, **options)
                except FileNotFoundError as error:
                    said = error
                self.known[name] = time.monotonic() + BELIEVED, said
            if isinstance(said, OSError):
                raise FileNotFoundError(*said.args)
            return said

        return answer

    def _slow(self, call: Any) -> Any:
        def called(path: Any, *given: Any, **options: Any) -> Any:
            paths = [text for one in (path, *given) if (text := self._here(one))]
            if paths:
                time.sleep(SLOW)
            try:
                return call(path, *given, **options)
            finally:
                for text in paths:
                    self.known.pop(text, None)
                    if call.__name__ != "open" or (given and isinstance(given[0], int) and given[0] & os.O_CREAT):
                        folder = Path(text).parent
                        self.known = {k: v for k, v in self.known.items() if Path(k).parent != folder}

        return called


class Encoder:
    """Means of colours, slowly; every frame that it is given is written down."""

    output_shape = (None, 3)

    def __init__(self, log: Path, seconds: float) -> None:
        self.log, self.seconds = log, seconds

    def predict_on_batch(self, frames: np.ndarray) -> np.ndarray:
        time.sleep(self.seconds)
        with self.log.open("a") as stream:
            print(*[int(frame[0, 0, 0]) for frame in frames], file=stream, flush=True)
        return frames.mean((1, 2))


def clips() -> dict[Any, np.ndarray]:
    """Clips of frames of one grey value each, and those frames."""
    from mer_tf.records.index import IndexedClip

    shown = {}
    for k in range(CLIPS):
        content = hashlib.sha256(str(k).encode()).hexdigest()
        clip = IndexedClip(f"c{k:02d}", "toy", "toy/s1", "", FRAMES, 100.0, "", content)
        shown[clip] = np.stack([np.full((4, 4, 3), FRAMES * k + f, np.uint8) for f in range(FRAMES)])
    return shown


def job(machine: str, cache: Path, log: Path, seconds: float) -> None:
    """Ask for all features; say how many are right."""
    from mer_tf import locks
    from mer_tf.inputs.feature_cache import encode_clips

    locks.LEASE = 4.0
    socket.gethostname = lambda: machine
    shown = clips()
    wanted = dict.fromkeys(shown, 1)
    SharedDisk(cache.parent)
    print("ready", flush=True)
    sys.stdin.readline()
    frames = [(clip.clip_id, pictures) for clip, pictures in shown.items()]
    store = encode_clips(lambda: frames, wanted, Encoder(log, seconds), cache, batch=4)  # type: ignore[arg-type]
    right = [np.array_equal(store.plain[clip.clip_id], one.mean((1, 2))) for clip, one in shown.items()]
    print("right", sum(right), flush=True)


if __name__ == "__main__":
    job(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), float(sys.argv[4]))
