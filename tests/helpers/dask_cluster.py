"""A Dask cluster of processes that talk over TCP on the loopback address."""

from __future__ import annotations

import importlib
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from helpers.ports import free_ports
from mer_tf.errors import MerError

ROOT = Path(__file__).parents[2]


class Cluster:
    """A scheduler and its workers, one thread each, their logs in `home`."""

    def __init__(self, home: Path) -> None:
        (self.port,) = free_ports(1)
        self.home, self.address = home, f"tcp://127.0.0.1:{self.port}"
        self.started: dict[str, subprocess.Popen[bytes]] = {}
        self.schedule()

    @property
    def options(self) -> list[str]:
        """Those of a pipeline that runs here."""
        return ["runner=DaskRunner", f"dask_client_address={self.address}", "dask_connection_timeout=10"]

    def schedule(self) -> None:
        """Start the scheduler, once more after its death; wait until it listens."""
        self._start("scheduler", "--port", str(self.port), "--no-show", "--no-dashboard")
        until = time.monotonic() + 60
        while time.monotonic() < until:
            with closing(socket.socket()) as one:
                if one.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.1)
        raise TimeoutError((self.home / "scheduler.log").read_text())

    def work(self, name: str) -> None:
        """Start a worker."""
        self._start("worker", self.address, "--nthreads", "1", "--no-nanny", "--no-dashboard", "--name", name, log=name)

    def kill(self, name: str) -> None:
        """End the scheduler or a worker as a power cut does."""
        self.started[name].kill()
        self.started.pop(name).wait()

    def _start(self, kind: str, *options: str, log: str = "scheduler") -> None:
        command = [sys.executable, "-m", f"distributed.cli.dask_{kind}", "--host", "127.0.0.1", *options]
        known = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")])}
        with (self.home / f"{log}.log").open("ab") as stream:
            self.started[log] = subprocess.Popen(command, env=known, stdout=stream, stderr=stream, cwd=self.home)


@contextmanager
def running(home: Path, *workers: str) -> Iterator[Cluster]:
    """A cluster with these workers."""
    for name in ("distributed", "apache_beam.runners.dask.dask_runner"):  # two threads that load them at once fail
        importlib.import_module(name)
    cluster = Cluster(home)
    try:
        for name in workers:
            cluster.work(name)
        yield cluster
    finally:
        for name in list(cluster.started):
            cluster.kill(name)


def beside(job: Callable[[], Any]) -> tuple[threading.Thread, list[Any]]:
    """The job in a thread of its own, and where what it returns or raises will stand."""
    ended: list[Any] = []

    def run() -> None:
        try:
            ended.append(job())
        except Exception as error:
            ended.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread, ended


def until_busy(cluster: Cluster, name: str, ended: list[Any]) -> None:
    """Wait until a worker has tasks in hand, while the job has not ended."""
    from distributed import Client

    with Client(cluster.address, timeout=60) as client:
        end = time.monotonic() + 120
        while time.monotonic() < end and not ended:
            info = client.scheduler_info(n_workers=-1)["workers"]
            known = {worker["name"]: address for address, worker in info.items()}
            if name in known and client.processing().get(known[name]):
                return
            time.sleep(0.05)
    raise TimeoutError(f"{name} is not busy: {ended}")


def through_deaths(home: Path, job: Callable[[Cluster], Any], kept: str = "what was done is kept") -> Any:
    """What a job gives that is started again after its cluster died, and whose worker then dies beside another one.

    kept: what it says when the cluster died.
    """
    with running(home, "first") as cluster:
        thread, ended = beside(lambda: job(cluster))
        until_busy(cluster, "first", ended)
        for name in ("scheduler", "first"):
            cluster.kill(name)
        thread.join(240)
        assert isinstance(ended[0], MerError), ended
        assert kept in str(ended[0])

        cluster.schedule()
        cluster.work("second")
        cluster.work("third")
        thread, ended = beside(lambda: job(cluster))
        until_busy(cluster, "second", ended)
        cluster.kill("second")
        thread.join(240)
    (given,) = ended
    assert not isinstance(given, Exception), given
    return given
