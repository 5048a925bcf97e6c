"""A run directory or a bundle, whichever it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mer_tf.serving.trained import Trained, load_run


@contextmanager
def opened(path: Path, *, final: bool | None = None) -> Iterator[Trained]:
    """The trained model of a run directory."""
    yield load_run(path, final=final)
