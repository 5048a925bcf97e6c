"""TensorFlow without lines that hide the answers: of absent GPUs while it is imported, of networks traced anew."""

from __future__ import annotations

import importlib.util
import logging
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

LEVEL, QUIET = "TF_CPP_MIN_LOG_LEVEL", "3"


def quiet_tensorflow() -> None:
    """Let TensorFlow write nothing to stderr while it is imported, and only fatal errors later; called again, nothing.

    Who sets TF_CPP_MIN_LOG_LEVEL to 0, 1 or 2 sees everything. An import that fails shows what was written.
    """
    asked = os.environ.setdefault(LEVEL, QUIET) != QUIET
    if not asked:
        logging.getLogger("tensorflow").addFilter(_of_interest)  # the same filter again counts once
    if not asked and "tensorflow" not in sys.modules and not any(isinstance(one, _Once) for one in sys.meta_path):
        sys.meta_path.insert(0, _Once())


def _of_interest(record: logging.LogRecord) -> bool:
    """Not that a network is traced for each length of a clip: what predicts new clips does so knowingly."""
    return "tf.function retracing" not in record.getMessage()


class _Once(MetaPathFinder):
    """Finds TensorFlow as Python does; its module is run with stderr kept away."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name != "tensorflow":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def quietly(module: ModuleType) -> None:
                with _stderr_kept():
                    execute(module)

            spec.loader.exec_module = quietly  # type: ignore[method-assign]
        return spec


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
