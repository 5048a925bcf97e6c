"""What tests let a process of its own do: it must be importable there."""

import os
import time
from pathlib import Path

from mer_tf import parallel
from mer_tf.errors import MerError
from mer_tf.locks import held


def own(what: str) -> tuple[int, int, str | None, str]:
    """Process, workers, a variable and the folder it works in, or an end that is no answer."""
    if what == "refuse":
        raise MerError("a.csv: row 3: no such clip; name another")
    if what == "fail":
        raise ValueError("unforeseen")
    if what == "die":
        os._exit(9)
    return os.getpid(), parallel.workers(), os.environ.get("MER_TF_TOLD"), str(Path.cwd())


def among(lock: Path) -> tuple[bool, str | None, str]:
    """Whether it is one of several, TensorFlow's threads, and what lay under a lock that another one held first."""
    with held(lock):
        text = lock.read_text() if lock.exists() else ""
        time.sleep(0.3)
        lock.write_text("made")
    return parallel.among_others(), os.environ.get("TF_NUM_INTRAOP_THREADS"), text
