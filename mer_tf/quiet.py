"""TensorFlow without lines that hide the answers: of absent GPUs while it is imported, of networks traced anew."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType

from mer_tf import _AtImport

LEVEL, QUIET = "TF_CPP_MIN_LOG_LEVEL", "3"


def quiet_tensorflow() -> None:
    """Let TensorFlow write nothing to stderr while it is imported, and only fatal errors later; called again, nothing.

    Who sets TF_CPP_MIN_LOG_LEVEL to 0, 1 or 2 sees everything. An import that fails shows what was written.
    """
    asked = os.environ.setdefault(LEVEL, QUIET) != QUIET
    if not asked:
        logging.getLogger("tensorflow").addFilter(_of_interest)  # the same filter again counts once
    waiting = any(isinstance(one, _AtImport) and one.name == "tensorflow" for one in sys.meta_path)
    if not asked and "tensorflow" not in sys.modules and not waiting:
        sys.meta_path.insert(0, _AtImport("tensorflow", _quietly))


def _of_interest(record: logging.LogRecord) -> bool:
    """Not that a network is traced for each length of a clip: what predicts new clips does so knowingly."""
    return "tf.function retracing" not in record.getMessage()


def _quietly(load: Callable[[ModuleType], None], module: ModuleType) -> None:
    with _stderr_kept():
        load(module)


@contextmanager
def _stderr_kept() -> Iterator[None]:
    """Keep what is written to file descriptor 2; show it when the block fails."""
    with tempfile.TemporaryFile() as kept:
        shown = os.dup(2)
        sys.stderr.flush()
        os.dup2(kept.fileno(), 2)
        try:
            yield
        except BaseException:
            kept.seek(0)
            os.write(shown, kept.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(shown, 2)
            os.close(shown)
