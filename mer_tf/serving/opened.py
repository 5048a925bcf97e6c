"""A run directory or a bundle, whichever it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from mer_tf.config import MerError
from mer_tf.serving.bundle import read_bundle
from mer_tf.serving.trained import Trained, load_run


@contextmanager
def opened(path: Path, *, final: bool | None = None) -> Iterator[Trained]:
    """The trained model of a run directory, or of a bundle, which is unpacked meanwhile."""
    path = Path(path)
    if not path.is_file():
        yield load_run(path, final=final)
        return
    if final is not None:
        raise MerError(f"{path}: --final chooses among a run's networks, and a bundle's were chosen; leave it out")
    with TemporaryDirectory(prefix="mer_tf-", ignore_cleanup_errors=True) as home:
        yield read_bundle(path, Path(home))
