"""A run directory explains itself: what was asked, on what, with which weights, by which code."""

from __future__ import annotations

import dataclasses
import logging
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from mer_tf import __version__
from mer_tf.config import Experiment, MerError, digest
from mer_tf.files import read_mapping, write_json
from mer_tf.overrides import read_experiment

PACKAGES = ("tensorflow", "keras", "numpy", "opencv-python", "mtcnn", "scikit-learn", "pandas", "jax")


def open_run(experiment: Experiment, resume: Path | None) -> Path:
    """Make runs/<experiment>/<date>-<sha>/, or go on in `resume`, whose configuration must be the same."""
    if resume is not None:
        if not (resume / "config.json").exists():
            raise MerError(f"{resume}: is no run directory, it has no config.json; give one that a run printed")
        return go_on(experiment, resume)
    commit = git_commit()
    stamp = datetime.now().strftime("%Y%m%d-%H%M%S-%f")[:-3]
    directory = Path(experiment.out) / experiment.name / f"{stamp}-{(commit or digest(experiment))[:7]}"
    directory.mkdir(parents=True)
    return directory


def go_on(experiment: Experiment, directory: Path) -> Path:
    """`directory`, whose configuration must be the experiment's; a new one is made."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / "config.json"
    if path.exists() and read_experiment(path) != experiment:
        raise MerError(f"{directory}: was started with other settings; give the same ones, or another folder")
    return directory


def finished_run(experiment: Experiment) -> Path | None:
    """The newest run directory of exactly this experiment that has its results; None when there is none."""
    done = [p.parent for p in sorted(Path(experiment.out).glob(f"{experiment.name}/*/metrics.json"), reverse=True)]
    return next((path for path in done if read_experiment(path / "config.json") == experiment), None)


def write_description(directory: Path, experiment: Experiment, resolved: Mapping[str, Any]) -> None:
    """config.json (what was asked and what `auto` became) and env.json (code, versions, machine)."""
    path = directory / "config.json"
    before = read_mapping(path) if path.exists() else {}
    asked = (getattr(sys.modules["__main__"], "__doc__", None) or "").strip().split("\n\n")[0]
    values: dict[str, Any] = {"experiment": dataclasses.asdict(experiment), "resolved": dict(resolved)}
    values["command"] = before.get("command", sys.argv)
    values["docstring"] = before.get("docstring", "") if before else asked
    write_json(path, values)
    write_json(directory / "env.json", environment())


def environment() -> dict[str, Any]:
    """Versions, commit and machine."""
    import keras

    return {
        "mer_tf": __version__,
        "git_commit": git_commit(),
        "git_dirty": bool(_git("status", "--porcelain")),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpus": os.cpu_count(),
        "keras_backend": keras.backend.backend(),
        "devices": [str(device) for device in keras.distribution.list_devices()],
        "packages": {name: _version(name) for name in PACKAGES},
    }


def git_commit() -> str | None:
    """Commit of the source tree that is running; None outside a git checkout."""
    return _git("rev-parse", "HEAD")


def log_to(directory: Path) -> None:
    """Write the log to the terminal (standard error) and to run.log."""
    handlers: list[logging.Handler] = [logging.StreamHandler(), logging.FileHandler(directory / "run.log")]
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S", handlers=handlers, force=True
    )
    logging.getLogger("absl").setLevel(logging.WARNING)


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _git(*arguments: str) -> str | None:
    command = ["git", "-C", str(Path(__file__).parent), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
