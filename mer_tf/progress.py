"""The one progress bar of all stages: a bar on a terminal, and in a log a line now and then."""

from __future__ import annotations

import sys
from typing import Any, TextIO

from tqdm import tqdm

from mer_tf.parallel import among_others

EVERY = 60.0
"""Seconds between lines where standard error is no terminal."""
LINE = "{desc}: {n_fmt} of {total_fmt} {unit}s in {elapsed}, {remaining} to go{postfix}"
DONE = "{desc}: {n_fmt} {unit}s in {elapsed}{postfix}"
"""When the stage ends."""
UP = "\x1b[A"
"""Moves a terminal's cursor one line up."""


class Progress(tqdm):
    """tqdm's bar; where standard error is no terminal a line every minute, and one when the stage ends.

    One of several processes that run at once shows none.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        stream = options.get("file") or sys.stderr
        self.in_lines = not stream.isatty()
        if among_others():  # the bars of several processes would write over each other
            options["disable"] = True
        if self.in_lines:
            options |= {"file": _Lines(stream), "mininterval": EVERY, "maxinterval": EVERY, "bar_format": LINE}
        super().__init__(*args, **options)

    def refresh(self, *args: Any, **options: Any) -> None:
        """Show where the stage is; in a log not before something is done."""
        if not self.in_lines or self.n > self.initial:
            super().refresh(*args, **options)

    def close(self) -> None:
        """Show the end of the stage; in a log only of one in which something was done."""
        if self.in_lines and not self.disable:
            self.leave, self.bar_format = self.n > self.initial, DONE
        super().close()


class _Lines:
    """A file that gets whole lines: what tqdm writes to move about a terminal is left out."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> None:
        if said := text.replace(UP, "").strip():
            self.stream.write(f"{said}\n")

    def flush(self) -> None:
        self.stream.flush()
