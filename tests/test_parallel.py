"""Work side by side: results in order, a failure ends what runs beside it, one worker is this thread."""

import threading
import time
from collections.abc import Iterator

import pytest

from mer_tf import parallel


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
