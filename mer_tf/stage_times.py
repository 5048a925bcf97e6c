"""Where the seconds of a run go: each stage's time by the clock and by the processor, in run.log and stages.json."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from mer_tf.files import write_json

log = logging.getLogger("mer_tf")


@dataclass
class Spent:
    """What a stage took so far, the stages inside it left out."""

    seconds: float = 0.0
    cpu_seconds: float = 0.0
    """Of all threads of this process and of those it started that have ended."""


@dataclass
class StageTimes:
    """The stages of one run."""

    spent: dict[str, Spent] = field(default_factory=dict)
    _inside: list[str] = field(default_factory=list)
    _since: tuple[float, float] = (0.0, 0.0)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count what is done within to `name`, and not to the stage around it."""
        self._count()
        self._inside.append(name)
        try:
            yield
        finally:
            self._count()
            self._inside.pop()

    def _count(self) -> None:
        now = (time.monotonic(), sum(os.times()[:4]))
        if self._inside:
            spent = self.spent.setdefault(self._inside[-1], Spent())
            spent.seconds += now[0] - self._since[0]
            spent.cpu_seconds += now[1] - self._since[1]
        self._since = now

    def write(self, directory: Path) -> None:
        """stages.json, and a table at the end of the log."""
        total = Spent(*(sum(getattr(s, k) for s in self.spent.values()) for k in ("seconds", "cpu_seconds")))
        rows = {**self.spent, "all": total}
        write_json(directory / "stages.json", {name: vars(spent) for name, spent in rows.items()})
        wide = max(map(len, rows))
        lines = [
            f"{name:<{wide}} {s.seconds:8.1f} s {s.cpu_seconds:8.1f} s of the processor" for name, s in rows.items()
        ]
        log.info("where the time went:\n%s", "\n".join(lines))


_RUNNING: list[StageTimes] = []


@contextmanager
def timed_run() -> Iterator[StageTimes]:
    _RUNNING.append(StageTimes())
    try:
        yield _RUNNING[-1]
    finally:
        _RUNNING.pop()


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Count what is done within to a stage of the run in hand, if there is one."""
    with _RUNNING[-1].stage(name) if _RUNNING else nullcontext():
        yield
