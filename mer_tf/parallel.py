"""How many cores a run may keep busy, and work side by side in threads, its results in order."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
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


class Stopped(Exception):
    """The work beside this one failed or was stopped; what is in hand is dropped."""


class _Chosen:
    """What this process was told, and whether what runs side by side shall end."""

    workers: int | None = None
    stop = threading.Event()


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def workers() -> int:
    """How many cores a run keeps busy: as many as `use_workers` said, else all."""
    return _Chosen.workers or cores()


def use_workers(number: int | None) -> None:
    """Keep so many cores busy from now on; None: all."""
    _Chosen.workers = number


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
    one_thread()
    _as_child()


def one_thread() -> None:
    """Let OpenCV and TensorFlow (which reads this before its first operation) use one thread of this process each.

    As many workers as cores have no use for more: threads of TensorFlow that wait take a fifth of a detection's time.
    """
    import cv2

    cv2.setNumThreads(1)
    for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        os.environ.setdefault(name, "1")


def in_own_process(function: Callable[..., Result], *arguments: Any) -> Result:
    """What `function` returns, called in a process that ends with it and so gives all its memory back.

    The function and all that it takes and returns can be pickled. What it raises is raised here; `MerError` where the
    process dies. Ctrl-C ends it.
    """
    context = _context()
    receiving, sending = context.Pipe(duplex=False)
    here = (dict(os.environ), str(Path.cwd()), _Chosen.workers)
    child = context.Process(target=_answer, args=(sending, function, arguments, here))
    child.start()
    sending.close()
    try:
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


def _context() -> Any:
    """Starts processes as forks of one that has imported TensorFlow and run nothing, where the system can: 8 s less.

    A process that has run TensorFlow cannot be forked: the fork hangs.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(BEFORE)
    return context


def _answer(
    sending: Connection,
    function: Callable[..., Any],
    arguments: tuple[Any, ...],
    here: tuple[dict[str, str], str, int | None],
) -> None:
    _as_child()
    environment, folder, number = here  # a fork has those of the moment when the first one was asked for
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    use_workers(number)
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
