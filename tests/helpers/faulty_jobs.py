"""Jobs as they are disturbed: each context runs one that must fail, then mends what was wrong."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from helpers.another_process import holding
from helpers.tiny_clips import TINY
from mer_tf.datasets.manifest import ClipRow
from mer_tf.records.index import NAME
from mer_tf.records.write import write_records


def write(rows: list[ClipRow], out: Path, **options: Any) -> Path:
    """The job, six tiny clips in three shards."""
    return write_records(rows, TINY, out, progress=False, **options)


@contextmanager
def full_disk(rows: list[ClipRow], out: Path) -> Iterator[None]:
    """A file system of 64 KB; room is made afterwards."""
    out.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(out)], capture_output=True)
    if mounted.returncode:
        pytest.skip("mounting a small file system needs root")
    try:
        write(rows, out)
        yield
    finally:
        subprocess.run(["mount", "-o", "remount,size=64m", str(out)], check=True)


@contextmanager
def two_jobs(rows: list[ClipRow], out: Path) -> Iterator[None]:
    """Another process has written one shard and holds the directory."""
    directory = write(rows, out)
    for path in (directory / NAME, *directory.glob("shard-0000[12]*")):
        path.unlink()
    with holding(directory):
        write(rows, out)
        yield


@contextmanager
def dead_worker(rows: list[ClipRow], out: Path) -> Iterator[None]:
    """One of two workers is killed, as the system does for want of memory, while it writes."""
    killer = threading.Thread(target=_kill_a_worker, args=(out,))
    killer.start()
    try:
        write(rows, out, workers=2)
        yield
    finally:
        killer.join()


def _kill_a_worker(out: Path) -> None:
    while not list(out.glob("*/.*.part*")):
        time.sleep(0.001)
    pid = int(next(iter(out.glob("*/.*.part*"))).name.split(".")[2].split("-")[-1])
    os.kill(pid, signal.SIGKILL)


@contextmanager
def not_a_folder(rows: list[ClipRow], out: Path) -> Iterator[None]:
    out.write_text("a file")
    try:
        write(rows, out)
        yield
    finally:
        out.unlink()
