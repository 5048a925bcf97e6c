"""What predictions will cost, before they are made: three clips are answered, the rest is reckoned."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from mer_tf.config import MerError
from mer_tf.datasets.manifest import ClipRow
from mer_tf.records.cost import Cost, frames_of, room, spread
from mer_tf.serving.answers import answered, groups
from mer_tf.serving.sources import rows_of
from mer_tf.serving.trained import Trained

NAMES = ("clips to answer", "answers, pictures", "clips")


def predict_cost(
    trained: Trained, paths: Sequence[Path], out: Path, *, subject: str, fps: float, pictures: bool
) -> Cost:
    """What `predict_paths` takes; nothing is written to `out`.

    A group of clips takes some time as such (networks are loaded and compiled) and some a frame; both come from one
    clip and from three. `MerError` when none of the three can be answered.
    """
    rows = sorted(rows_of(paths, subject, fps)[0], key=frames_of)
    chosen = spread(rows)
    middle = chosen[len(chosen) // 2 :][:1]
    first = _timed(trained, middle, pictures)[0]
    one, _ = _timed(trained, middle, pictures)
    three, size = _timed(trained, chosen, pictures)
    frames, more = sum(map(frames_of, rows)), sum(map(frames_of, chosen)) - frames_of(middle[0])
    rate = max(0.0, three - one) / more if more else one / frames_of(middle[0])
    group = max(0.0, one - rate * frames_of(middle[0]))
    return Cost(
        clips=len(rows),
        frames=frames,
        there=0,
        bytes=size * len(rows) // len(chosen),
        processor=group * len(groups(trained, rows)) + rate * frames,
        start=max(0.0, first - one),
        free=room(out),
        measured=tuple(map(frames_of, chosen)),
        names=NAMES,
    )


def _timed(trained: Trained, rows: Sequence[ClipRow], pictures: bool) -> tuple[float, int]:
    """Seconds of the processor that a group takes, and the bytes of its pictures."""
    with tempfile.TemporaryDirectory(prefix="mer_tf-") as out:
        begun = time.process_time()
        found = answered(trained, rows, Path(out) if pictures else None)
        seconds = time.process_time() - begun
        if not found.rows:
            raise MerError(found.refused)
        return seconds, sum(path.stat().st_size for path in Path(out).rglob("*") if path.is_file())
