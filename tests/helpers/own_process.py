"""What tests let a process of its own do: it must be importable there."""

import os
from pathlib import Path

from mer_tf import parallel
from mer_tf.errors import MerError


def own(what: str) -> tuple[int, int, str | None, str]:
    """Process, workers, a variable and the folder it works in, or an end that is no answer."""
    if what == "refuse":
        raise MerError("a.csv: row 3: no such clip; name another")
    if what == "fail":
        raise ValueError("unforeseen")
    if what == "die":
        os._exit(9)
    return os.getpid(), parallel.workers(), os.environ.get("MER_TF_TOLD"), str(Path.cwd())
