"""Training jobs on several machines, one feature cache on a disk that they share: slow, and slow to tell the new."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from helpers.slow_disk import CLIPS, FRAMES

from mer_tf import locks
from mer_tf.errors import MerError
from mer_tf.locks import held

ROOT = Path(__file__).parents[2]


@pytest.fixture
def start(tmp_path: Path) -> Callable[[str, float], subprocess.Popen[str]]:
    """Start a job on a machine of this name that takes so many seconds for four frames, and wait until it asks."""

    def started(machine: str, seconds: float) -> subprocess.Popen[str]:
        known = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")])}
        places = [str(tmp_path / "disk" / "features"), str(tmp_path / machine), str(seconds)]
        command = [sys.executable, "-m", "helpers.slow_disk", machine, *places]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=known)

    (tmp_path / "disk").mkdir()
    return started


def ready(*jobs: subprocess.Popen[str]) -> None:
    for job in jobs:
        assert job.stdout is not None
        assert job.stdout.readline() == "ready\n"


def go(job: subprocess.Popen[str]) -> None:
    assert job.stdin is not None
    print(file=job.stdin, flush=True)


def computed(log: Path) -> list[int]:
    """Frames that a job gave to the encoder; the last batch is filled up with its last frame."""
    return [*dict.fromkeys(int(word) for word in log.read_text().split())] if log.exists() else []


@pytest.mark.slow
def test_features_are_computed_once_and_go_on_where_a_machine_died(
    start: Callable[[str, float], subprocess.Popen[str]], tmp_path: Path
) -> None:
    first, second, third = start("first", 0.3), start("second", 0.0), start("third", 0.0)
    ready(first, second, third)
    go(first)
    while len(computed(tmp_path / "first")) < CLIPS * FRAMES // 2:
        time.sleep(0.05)
    go(second)
    go(third)
    time.sleep(1)
    first.kill()
    begun, ends = time.monotonic(), [job.communicate(timeout=120)[0] for job in (second, third)]
    assert ends == [f"right {CLIPS}\n"] * 2
    assert time.monotonic() - begun > 1, "the dead one's lease ends first"
    done = [computed(tmp_path / name) for name in ("first", "second", "third")]
    assert min(len(done[1]), len(done[2])) == 0, "of two that live one computes, the other finds"
    assert sorted({*done[0], *done[1], *done[2]}) == list(range(CLIPS * FRAMES))
    chunk = 8 * FRAMES
    assert len(done[1]) + len(done[2]) <= CLIPS * FRAMES - len(done[0]) // chunk * chunk + chunk
    files = list((tmp_path / "disk" / "features").glob("*.npy"))
    assert len(files) == CLIPS
    assert all(np.isfinite(np.load(file)).all() for file in files)
    assert not [p for p in (tmp_path / "disk").rglob(".*") if p.suffix == ".lock"]


def test_a_lock_that_an_older_version_left_or_a_dead_process_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those were empty files that the system held."""
    monkeypatch.setattr(locks, "LEASE", 1.8)
    left = tmp_path / ".cache.lock"
    left.touch()
    with held(tmp_path / "cache"):
        pass
    code = "import os; from mer_tf import locks; locks.LEASE = 1.8; "
    code += f"lock = locks.held({str(tmp_path / 'cache')!r}); lock.__enter__(); os._exit(9)"
    subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False)
    assert left.exists()
    with held(tmp_path / "cache"):
        pass
    assert not left.exists()


def test_another_machine_that_writes_is_not_disturbed_and_a_silent_one_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "LEASE", 1.0)
    lock = tmp_path / ".cache.lock"
    with monkeypatch.context() as there:
        there.setattr("socket.gethostname", lambda: "elsewhere")
        other = held(tmp_path / "cache")
        other.__enter__()
    said = lock.read_bytes()
    with pytest.raises(MerError, match="being written by another process"), held(tmp_path / "cache"):
        pass
    other.__exit__(None, None, None)
    lock.write_bytes(said)
    with held(tmp_path / "cache"):
        assert lock.read_bytes() != said
    assert not lock.exists()
