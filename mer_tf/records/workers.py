"""Run shards in this process or in several. Workers are spawned: a forked TensorFlow hangs."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from mer_tf.config import MerError, Preprocess
from mer_tf.parallel import Stopped, check_stop, in_threads, start_worker
from mer_tf.records.shards import Shard, write_shard


class _Shared:
    """What a worker process and its parent share: the worker's ticks, and the parent's wish to stop."""

    ticks: Any = None
    stop: Any = None


def run_shards(
    shards: Sequence[Shard],
    config: Preprocess,
    versions: dict[str, str],
    *,
    workers: int,
    tick: Callable[[int], Any],
    threads: bool = False,
) -> None:
    """Write all shards; `tick(1)` after each clip. A bad clip is an error of its shard's sidecar and ends nothing.

    Workers are processes, or `threads` of this one: none has to load TensorFlow first, which takes as long as 50 clips.
    """
    if threads:
        _in_threads(shards, config, versions, workers, tick)
        return
    if min(workers, len(shards)) <= 1:
        for shard in shards:
            write_shard(shard, config, versions, tick=lambda: tick(1))
        return
    context = multiprocessing.get_context("spawn")
    ticks, stop = context.SimpleQueue(), context.Event()
    with ProcessPoolExecutor(
        min(workers, len(shards)), mp_context=context, initializer=_start_worker, initargs=(ticks, stop)
    ) as pool:
        futures = [pool.submit(write_shard, shard, config, versions, tick=_tick) for shard in shards]
        try:
            _follow(shards, futures, ticks, tick)
        finally:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)


def _in_threads(
    shards: Sequence[Shard], config: Preprocess, versions: dict[str, str], workers: int, tick: Callable[[int], Any]
) -> None:
    lock = threading.Lock()

    def ticked() -> None:
        with lock:
            tick(1)
        check_stop()

    list(in_threads(lambda shard: write_shard(shard, config, versions, tick=ticked), shards, workers))


def _follow(shards: Sequence[Shard], futures: Sequence[Future[None]], ticks: Any, tick: Callable[[int], Any]) -> None:
    """Pass ticks on until all is done; raise the error of the earliest shard that failed."""
    pending: set[Future[None]] = set(futures)
    while pending:
        done, pending = wait(pending, timeout=0.2, return_when=FIRST_EXCEPTION)
        while not ticks.empty():
            tick(ticks.get())
        if any(future.exception() for future in done):
            break
    for future in futures:
        if future.done() and (error := future.exception()):
            if isinstance(error, BrokenProcessPool):
                raise MerError(_death(shards)) from error
            raise error


def _death(shards: Sequence[Shard]) -> str:
    """The message for a worker that died; it names the clips of the shards that had begun, one of which may be why."""
    begun = [f"{s.rows[0].clip_id} .. {s.rows[-1].clip_id}" for s in shards if s.begun]
    return (
        f"a worker process died, perhaps for want of memory, with these clips in hand: {'; '.join(begun) or 'none'}; "
        "run again, with fewer workers: finished shards are kept"
    )


def _start_worker(ticks: Any, stop: Any) -> None:
    _Shared.ticks, _Shared.stop = ticks, stop
    start_worker()


def _tick() -> None:
    _Shared.ticks.put(1)
    if _Shared.stop.is_set():
        raise Stopped
