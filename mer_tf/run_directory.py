"""A run directory explains itself: what was asked, on what, with which weights, by which code."""

from __future__ import annotations

import dataclasses
import logging
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from mer_tf import __version__
from mer_tf.changes import flat, read_experiment
from mer_tf.code_version import CODE
from mer_tf.config import Experiment, MerError, digest
from mer_tf.files import read_mapping, sha256, write_json
from mer_tf.parallel import among_others, cores

PACKAGES = ("tensorflow", "keras", "numpy", "opencv-python", "mtcnn", "scikit-learn", "pandas", "jax")

METHODS = "methods.json"
"""What a run of several methods on one composite holds."""
SOURCES = (".", "../data_manifests", "../experiments")
"""What numbers depend on, from the folder of this file."""


def open_run(experiment: Experiment, resume: Path | None) -> Path:
    """Make runs/<experiment>/<date>-<sha>/, or go on in `resume`, whose configuration must be the same."""
    if resume is not None:
        if not (resume / "config.json").exists():
            raise MerError(f"{resume}: is no run directory, it has no config.json; give one that a run printed")
        return go_on(experiment, resume)
    commit = git_commit()
    while True:
        stamp = datetime.now().strftime("%Y%m%d-%H%M%S-%f")[:-3]
        directory = Path(experiment.out) / experiment.name / f"{stamp}-{(commit or digest(experiment))[:7]}"
        with suppress(FileExistsError):  # another process began in the same millisecond
            directory.mkdir(parents=True)
            return directory


@contextmanager
def preparing(directory: Path, resumed: bool) -> Iterator[None]:
    """Remove a new run directory where what the block prepares cannot be had: there is nothing to go on with.

    What was said in its log was said on the terminal too.
    """
    try:
        yield
    except MerError:
        if not resumed:
            log, home = logging.getLogger(), directory.resolve()
            for handler in log.handlers[:]:
                if isinstance(handler, logging.FileHandler) and Path(handler.baseFilename).parent == home:
                    log.removeHandler(handler)
                    handler.close()
            shutil.rmtree(directory)
        raise


def go_on(experiment: Experiment, directory: Path) -> Path:
    """`directory`, whose configuration must be the experiment's; a new one is made."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / "config.json"
    if path.exists() and read_experiment(path) != experiment:
        raise MerError(f"{directory}: was started with other settings; give the same ones, or another folder")
    if (code := code_of(directory)) not in (None, CODE):
        raise MerError(f"{directory}: was started by code of versions {code}, now they are {CODE}; use another folder")
    if differ := _other_files(path, experiment):
        raise MerError(f"{directory}: was started when {differ[0]} held something else; put that back, or start anew")
    return directory


def finished_run(experiment: Experiment) -> Path | None:
    """The newest run directory of exactly this experiment, by code of these versions, that has its results; or None."""
    return newest_run(experiment, "metrics.json")


def newest_run(experiment: Experiment, having: str) -> Path | None:
    """The newest run directory of exactly this experiment, by code of these versions, that has a file `having`."""
    for file in sorted(Path(experiment.out).glob(f"{experiment.name}/*/{having}"), reverse=True):
        path, told = file.parent, file.with_name("config.json")
        if code_of(path) == CODE and read_experiment(told) == experiment and not _other_files(told, experiment):
            return path
    return None


def own_files(experiment: Experiment) -> dict[str, str]:
    """Files that settings name, such as a manifest, a grid or a label protocol of the user -> their hex SHA-256."""
    settings = flat(dataclasses.asdict(experiment)).values()
    values = [one for value in settings for one in (value if isinstance(value, list | tuple) else [value])]
    names = [one for one in values if isinstance(one, str) and Path(one).suffix and Path(one).is_file()]
    return {name: sha256(Path(name)) for name in names}


def _other_files(config: Path, experiment: Experiment) -> list[str]:
    """Files named by settings that are not what they were when `config` was written; older ones do not say."""
    before = read_mapping(config).get("files") or {} if config.exists() else {}
    now = own_files(experiment) if before else {}
    return [name for name, content in before.items() if now.get(name) != content]


def code_of(directory: Path) -> dict[str, int] | None:
    """`CODE` of what wrote a run directory; None where it does not say, as before versions were counted."""
    return _environment_of(directory).get("code")


def _environment_of(directory: Path) -> dict[str, Any]:
    """What env.json of a run directory says; nothing where there is none yet."""
    path = directory / "env.json"
    return read_mapping(path) if path.exists() else {}


def write_description(directory: Path, experiment: Experiment, resolved: Mapping[str, Any]) -> dict[str, Any]:
    """Write config.json (what was asked and what `auto` became) and env.json (code, versions, machine); return env."""
    path = directory / "config.json"
    before = read_mapping(path) if path.exists() else {}
    asked = (getattr(sys.modules["__main__"], "__doc__", None) or "").strip().split("\n\n")[0]
    values: dict[str, Any] = {"experiment": dataclasses.asdict(experiment), "resolved": dict(resolved)}
    values["files"] = own_files(experiment)
    values["started"] = before.get("started") or datetime.now().isoformat(timespec="seconds")
    values["command"] = before.get("command", sys.argv)
    values["docstring"] = before.get("docstring", "") if before else asked
    write_json(path, values)
    noted = _environment_of(directory)
    found = environment() | ({"xla": noted["xla"]} if "xla" in noted else {})
    write_json(directory / "env.json", found)
    return found


def note_xla(directory: Path, compiled: bool | None) -> None:
    """Say in env.json whether XLA compiled the training steps; None, where nothing was trained, changes nothing."""
    if compiled is not None:
        noted = _environment_of(directory)
        write_json(directory / "env.json", noted | {"xla": compiled and noted.get("xla", True)})


def environment() -> dict[str, Any]:
    import keras

    return {
        "mer_tf": __version__,
        "code": CODE,
        "git_commit": git_commit(),
        "git_dirty": bool(_git("status", "--porcelain", "--", *SOURCES)),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": processor(),
        "cpus": os.cpu_count(),
        "threads": threads(),
        "onednn": _onednn(),
        "onednn_setting": os.environ.get("TF_ENABLE_ONEDNN_OPTS"),
        "keras_backend": keras.backend.backend(),
        "devices": [str(device) for device in keras.distribution.list_devices()],
        "packages": {name: _version(name) for name in PACKAGES},
    }


def threads() -> dict[str, Any]:
    """Processors that this process may use, and the limits set on threads; TensorFlow's 0 is all of them."""
    import keras

    limits = {name: os.environ[name] for name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS") if name in os.environ}
    if keras.backend.backend() == "tensorflow":
        from tensorflow.config import threading

        limits["intra_op"] = threading.get_intra_op_parallelism_threads()
        limits["inter_op"] = threading.get_inter_op_parallelism_threads()
    return {"usable": cores(), **limits}


def processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8", errors="replace").splitlines() if info.exists() else []
    names = [line.split(":")[1].strip() for line in lines if "model name" in line]
    return names[0] if names else platform.processor() or platform.machine()


def git_commit() -> str | None:
    """Commit of the source tree that is running; None outside a git checkout."""
    return _git("rev-parse", "HEAD")


def log_to(directory: Path) -> None:
    """Write the log to the terminal (standard error) and to run.log; of several processes to the latter alone."""
    file = logging.FileHandler(directory / "run.log", encoding="utf-8")
    handlers: list[logging.Handler] = [file] if among_others() else [logging.StreamHandler(), file]
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S", handlers=handlers, force=True
    )
    logging.getLogger("absl").setLevel(logging.WARNING)


def _onednn() -> bool | None:
    """Whether TensorFlow computes by oneDNN, which it decides by TF_ENABLE_ONEDNN_OPTS and the processor."""
    try:
        from tensorflow.python.util import _pywrap_util_port
    except ImportError:
        return None
    return bool(_pywrap_util_port.IsMklEnabled())


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _git(*arguments: str) -> str | None:
    command = ["git", "-C", str(Path(__file__).parent), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, encoding="utf-8", check=True, timeout=10)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
