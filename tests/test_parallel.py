"""Work side by side: results in order, a failure ends what runs beside it, one worker is this thread."""

import os
import pickle
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.own_process import among, own

from mer_tf import parallel
from mer_tf.errors import MerError
from mer_tf.model import models


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    yield
    parallel.use_workers(1)


def test_results_come_in_the_order_of_items() -> None:
    def slow_first(number: int) -> int:
        time.sleep(0.05 if number == 0 else 0)
        return number

    assert list(parallel.in_threads(slow_first, range(9), 3)) == list(range(9))


def test_one_worker_is_this_thread() -> None:
    assert set(parallel.in_threads(lambda _: threading.get_ident(), range(3), 1)) == {threading.get_ident()}


@pytest.mark.parametrize("bad", [0, 1])
def test_a_failure_stops_what_runs_beside_it_and_is_what_is_raised(bad: int) -> None:
    both, ended = threading.Barrier(2), threading.Event()

    def work(number: int) -> None:
        both.wait(10)
        if number == bad:
            raise ValueError("bad")
        try:
            while not ended.wait(0.01):
                parallel.check_stop()
        except parallel.Stopped:
            ended.set()
            raise

    with pytest.raises(ValueError, match="bad"):
        list(parallel.in_threads(work, range(2), 2))
    assert ended.is_set()
    parallel.check_stop()  # the main thread goes on


def test_workers_are_all_cores_unless_told() -> None:
    parallel.use_workers(3)
    assert parallel.workers() == 3
    parallel.use_workers(None)
    assert parallel.workers() == parallel.cores() >= 1


@pytest.fixture(autouse=True)
def _light(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here computes: TensorFlow need not be imported for it."""
    monkeypatch.setattr(parallel, "BEFORE", [])


def test_a_process_of_its_own_answers_from_where_its_parent_is_and_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parallel.use_workers(7)
    parallel.in_own_process(own, "answer")
    monkeypatch.setenv("MER_TF_TOLD", "after the first one was started")
    monkeypatch.chdir(tmp_path)
    process, *told = parallel.in_own_process(own, "answer")
    assert process != os.getpid()
    assert told == [7, "after the first one was started", str(tmp_path)]
    until = time.monotonic() + 20
    while Path(f"/proc/{process}").exists() and time.monotonic() < until:
        time.sleep(0.01)
    with pytest.raises(OSError, match="No such process"):
        os.kill(process, 0)


def test_processes_that_run_at_once_share_the_cores_and_wait_for_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        monkeypatch.delenv(name, raising=False)
    parallel.use_workers(6)
    with parallel.abreast(2):
        found = list(parallel.in_threads(lambda path: parallel.in_own_process(among, path), [tmp_path / "it"] * 2, 2))
    assert sorted(text for *_, text in found) == ["", "made"]  # the second one waited
    assert {told[:2] for told in found} == {(True, "3")}
    assert not parallel.among_others()
    assert parallel.in_own_process(among, tmp_path / "other")[0] is False


def test_a_failure_ends_the_processes_that_run_beside_it() -> None:
    begun = time.monotonic()

    def work(what: str) -> object:
        return parallel.in_own_process(own, what) if what == "refuse" else parallel.in_own_process(time.sleep, 60)

    with pytest.raises(MerError, match="row 3"):
        list(parallel.in_threads(work, ["sleep", "refuse"], 2))
    assert time.monotonic() - begun < 30


def test_memory_and_a_gpu_bound_how_many_processes_run_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    parallel.use_workers(8)
    monkeypatch.setattr(parallel, "free_memory", lambda: 10 * 2**30)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert parallel.processes_at_once(3 * 2**30) == 3
    assert parallel.processes_at_once(99 * 2**30) == 1
    monkeypatch.setattr(Path, "exists", lambda path: path == Path("/dev/nvidiactl"))
    assert parallel.processes_at_once(2**30) == 8
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    assert parallel.processes_at_once(2**30) == 1


@pytest.mark.parametrize(
    ("what", "kind", "said"),
    [
        ("refuse", MerError, r"^a\.csv: row 3: no such clip; name another$"),
        ("fail", ValueError, "^unforeseen"),
        ("die", MerError, "its process died, perhaps for want of memory"),
    ],
)
def test_what_goes_wrong_in_a_process_of_its_own_is_raised(what: str, kind: type[Exception], said: str) -> None:
    with pytest.raises(kind, match=said) as caught:
        parallel.in_own_process(own, what)
    assert ("in own\n" in "".join(getattr(caught.value, "__notes__", []))) == (what == "fail")


def test_ctrl_c_ends_a_process_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    begun = time.monotonic()
    monkeypatch.setattr("multiprocessing.connection.Connection.poll", stopped)
    with pytest.raises(KeyboardInterrupt):
        parallel.in_own_process(time.sleep, 60)
    assert time.monotonic() - begun < 30


@pytest.mark.parametrize("name", sorted(models()))
def test_every_model_can_be_given_to_another_process(name: str) -> None:
    model = models()[name]()
    assert pickle.loads(pickle.dumps(model)) == model
