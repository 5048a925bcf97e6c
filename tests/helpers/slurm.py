"""A Slurm cluster of this machine alone: its own keys, ports and folders, on the loopback address."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from helpers.ports import free_ports

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "scontrol", "squeue")
"""Of Debian's packages slurm-wlm and munge."""
LINES = """\
ClusterName=mer
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={control}
SlurmdPort={node}
AuthType=auth/munge
AuthInfo=socket={home}/munge.sock
SlurmUser=root
StateSaveLocation={home}/state
SlurmdSpoolDir={home}/spool
SlurmctldPidFile={home}/slurmctld.pid
SlurmdPidFile={home}/slurmd.pid
SlurmctldLogFile={home}/slurmctld.log
SlurmdLogFile={home}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
MailProg=/bin/true
ReturnToService=2
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
DefMemPerNode=2500
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory=5000
PartitionName=all Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def missing() -> str:
    """Why there can be no cluster here; "" where there can."""
    lost = [name for name in PROGRAMS if shutil.which(name) is None]
    if lost:
        return f"no {', '.join(lost)}: install Debian's slurm-wlm and munge"
    return "" if os.geteuid() == 0 else "slurmd wants root"


@contextmanager
def cluster(home: Path) -> Iterator[dict[str, str]]:
    """A running cluster that keeps everything in `home`: the environment of those who use it."""
    for name in ("state", "spool"):
        (home / name).mkdir()
    host = socket.gethostname().partition(".")[0]
    ports = dict(zip(("control", "node"), free_ports(2), strict=True))
    config = home / "slurm.conf"
    config.write_text(LINES.format(home=home, host=host, cpus=os.cpu_count(), **ports))
    key = home / "munge.key"
    key.write_bytes(secrets.token_bytes(128))
    key.chmod(0o400)
    environment = {**os.environ, "SLURM_CONF": str(config)}
    names = {"key-file": key, "socket": home / "munge.sock", "pid-file": home / "munge.pid"}
    names |= {"log-file": home / "munge.log", "seed-file": home / "munge.seed"}
    try:
        subprocess.run(["munged", "--force", *(f"--{name}={path}" for name, path in names.items())], check=True)
        for command in (["slurmctld", "-c"], ["slurmd"]):
            subprocess.run(command, check=True, env=environment)
        yield environment
    finally:
        for name in ("slurmd", "slurmctld", "munge"):
            _end(home / f"{name}.pid")


def _end(pid_file: Path) -> None:
    """End a daemon and wait until it has."""
    if not pid_file.exists():
        return
    number = int(pid_file.read_text())
    os.kill(number, 15)
    until = time.monotonic() + 30
    while Path(f"/proc/{number}").exists() and time.monotonic() < until:
        time.sleep(0.1)
