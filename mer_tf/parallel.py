"""How many cores a run may keep busy, and work side by side in threads, its results in order."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, TypeVar

from mer_tf.errors import MerError

Item = TypeVar("Item")
Result = TypeVar("Result")


BEFORE = ["mer_tf", "tensorflow", "keras"]
"""What is imported before processes are forked, in this order: mer_tf chooses oneDNN."""


MEMORY = 3 * 2**30
"""Bytes that a process which trains may take: the greatest of the experiments took 2.2 GiB."""
POLL = 0.2
"""Seconds between looks at whether a process shall end."""


class Stopped(Exception):
    """The work beside this one failed or was stopped; what is in hand is dropped."""


class _Chosen:
    """What this process was told, and whether what runs side by side shall end."""

    workers: int | None = None
    stop = threading.Event()
    abreast = 1
    """How many processes of `in_own_process` shall run at once."""
    among = 1
    """How many such processes run at once, this one among them."""


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def workers() -> int:
    """How many cores a run keeps busy: as many as `use_workers` said, else all."""
    return _Chosen.workers or cores()


def use_workers(number: int | None) -> None:
    """Keep so many cores busy from now on; None: all."""
    _Chosen.workers = number


@contextmanager
def abreast(number: int) -> Iterator[None]:
    """Within, so many processes of `in_own_process` run at once: each gets its share of the cores."""
    before, _Chosen.abreast = _Chosen.abreast, number
    try:
        yield
    finally:
        _Chosen.abreast = before


def among_others() -> bool:
    """Whether this process is one of several that run at once: it waits for what another is making, and shows no
    bar."""
    return _Chosen.among > 1


def processes_at_once(memory: int) -> int:
    """How many processes that take `memory` bytes each the cores and the free memory bear; one where there is a GPU,
    whose memory the first one takes."""
    if Path("/dev/nvidiactl").exists() and os.environ.get("CUDA_VISIBLE_DEVICES") not in ("", "-1"):
        return 1
    free = free_memory()
    return max(1, min(workers(), free // memory if free else workers()))


def free_memory() -> int | None:
    """Bytes of memory that programs may still take, where the system says so."""
    path = Path("/proc/meminfo")
    lines = path.read_text(encoding="ascii").splitlines() if path.exists() else []
    found = [int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")]
    return found[0] if found else None


def in_threads(
    function: Callable[[Item], Result], items: Iterable[Item], number: int | None = None
) -> Iterator[Result]:
    """Results of `function` in the order of `items`, by `number` threads (None: `workers`).

    For work that leaves Python most of the time, as OpenCV, NumPy and TensorFlow do. One thread is this one. Whatever
    runs beside a failed one ends at its next `check_stop`.
    """
    number = number or workers()
    if number == 1:
        yield from map(function, items)
        return
    _Chosen.stop.clear()
    failed: list[BaseException] = []

    def tried(item: Item) -> Result:
        try:
            return function(item)
        except Stopped:
            raise
        except BaseException as error:
            failed.append(error)
            _Chosen.stop.set()
            raise

    with ThreadPoolExecutor(number) as pool:
        try:
            yield from _ordered(pool, tried, items, 2 * number)
        except Stopped:
            raise failed[0] from None
        except BaseException:
            _Chosen.stop.set()
            raise


@contextmanager
def products_alone() -> Iterator[None]:
    """Within, matrix products of NumPy and scikit-learn take one thread each: on a few rows, or in threads that work
    side by side, those that wait take as long as the work and more."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        yield


def check_stop() -> None:
    """`Stopped` once what runs beside this has failed or Ctrl-C was pressed; for threads of `in_threads`."""
    if threading.current_thread() is not threading.main_thread() and _Chosen.stop.is_set():
        raise Stopped


def _ordered(
    pool: ThreadPoolExecutor, function: Callable[[Item], Result], items: Iterable[Item], ahead: int
) -> Iterator[Result]:
    """Results in order, at most `ahead` items waiting; what has not begun is dropped when one fails."""
    pending: deque[Future[Result]] = deque()
    try:
        for item in items:
            pending.append(pool.submit(function, item))
            if len(pending) >= ahead:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        for future in pending:
            future.cancel()


def start_worker() -> None:
    """What a spawned process begins with: Ctrl-C is the parent's to handle; end with the parent, were it killed."""
    use_threads(1)
    _as_child()


def use_threads(number: int) -> None:
    """Let OpenCV and TensorFlow (which reads this before its first operation) use so many threads of this process.

    As many workers as cores have no use for more: threads of TensorFlow that wait take a fifth of a detection's time.
    """
    import cv2

    cv2.setNumThreads(number)
    for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        os.environ.setdefault(name, str(number))


def in_own_process(function: Callable[..., Result], *arguments: Any) -> Result:
    """What `function` returns, called in a process that ends with it and so gives all its memory back.

    The function and all that it takes and returns can be pickled. What it raises is raised here; `MerError` where the
    process dies. Ctrl-C ends it, and `in_threads` where what runs beside it failed.
    """
    context = _context()
    receiving, sending = context.Pipe(duplex=False)
    here = (dict(os.environ), str(Path.cwd()), _Chosen.workers, _Chosen.abreast)
    child = context.Process(target=_answer, args=(sending, function, arguments, here))
    child.start()
    sending.close()
    try:
        while not receiving.poll(POLL):
            check_stop()
        done, answer = receiving.recv()
    except EOFError as error:
        raise MerError("its process died, perhaps for want of memory; run again: what was finished is kept") from error
    except BaseException:
        child.terminate()
        raise
    finally:
        child.join()
    if not done:
        raise answer
    result: Result = answer
    return result


def in_processes(function: Callable[..., Result], items: Iterable[tuple[Any, ...]]) -> Iterator[Result]:
    """Results of `function(*item)` in the order of `items`, each of a process of its own; see `side_by_side`."""
    return side_by_side(lambda item: in_own_process(function, *item), items)


def side_by_side(function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """Results in the order of `items` of a function that has `in_own_process` do the work, called by threads: as many
    at once as the cores and the free memory bear processes of `MEMORY` bytes."""
    number = processes_at_once(MEMORY)
    with abreast(number):
        yield from in_threads(function, items, number)


def _context() -> Any:
    """Starts processes as forks of one that has imported TensorFlow and run nothing, where the system can: 8 s less.

    A process that has run TensorFlow cannot be forked: the fork hangs.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(BEFORE)
    return context


def _be_as_parent(environment: Mapping[str, str], folder: str, number: int | None, at_once: int) -> None:
    """Take over what a fork has of the moment when the first one was asked for; one of several takes its share of the
    cores for TensorFlow and products of matrices."""
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    use_workers(number)
    if at_once > 1:
        from threadpoolctl import threadpool_limits

        _Chosen.among, share = at_once, max(1, workers() // at_once)
        use_threads(share)
        threadpool_limits(share)


def _answer(
    sending: Connection, function: Callable[..., Any], arguments: tuple[Any, ...], here: tuple[Any, ...]
) -> None:
    _as_child()
    _be_as_parent(*here)
    try:
        sending.send((True, function(*arguments)))
    except MerError as error:
        sending.send((False, error))
    except Exception as error:
        error.add_note(traceback.format_exc())
        sending.send((False, error))


def _as_child() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
