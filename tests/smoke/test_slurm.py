"""Folds as tasks of a real Slurm cluster, on this machine: one is stopped in its middle, and nothing is lost."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers import slurm
from helpers.tiny_run import TINY

from mer_tf.changes import changed, read_experiment
from mer_tf.runner import run

REPOSITORY = Path(__file__).parents[2]
SCRIPT = REPOSITORY / "experiments" / "exp2_vggface_lstm.py"
SUBMIT = REPOSITORY / "experiments" / "cluster" / "submit.sh"

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(slurm.missing()), reason=slurm.missing())]


@pytest.fixture
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Environment in which sbatch reaches a cluster, and its tasks this Python and its mer-tf."""
    with slurm.cluster(tmp_path_factory.mktemp("slurm")) as environment:
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        yield environment | {"PATH": path, "PYTHONPATH": str(REPOSITORY)}


def test_an_array_of_folds_of_which_one_is_requeued_predicts_what_one_process_does(
    cluster: dict[str, str], tmp_path: Path
) -> None:
    def told(*command: object) -> str:
        words = [*map(str, command)]
        return subprocess.run(words, cwd=tmp_path, env=cluster, check=True, capture_output=True, text=True).stdout

    def wait_for(what: str, *command: str) -> str:
        until = time.monotonic() + 240
        while time.monotonic() < until:
            if found := re.search(what, said := told(*command)):
                return found[0]
            time.sleep(0.2)
        raise AssertionError(f"{said}\n{logs(tmp_path)}")

    told("bash", SUBMIT, SCRIPT, 2, *TINY, f"--data.cache={tmp_path / 'data'}")
    fold = wait_for(r"\d+_1(?= mer-fold R)", "squeue", "-h", "-o", "%i %j %t")
    told("scontrol", "requeue", fold)
    wait_for(rf"{fold} mer-fold PD", "squeue", "-h", "-o", "%i %j %t")
    time.sleep(3)  # Slurm itself waits for two minutes: a node does not take a job at once that it has just killed
    told("scontrol", "update", f"jobid={fold}", "starttime=now")
    wait_for(r"^$", "squeue", "-h")

    (note,) = (tmp_path / "runs").glob("submitted-*")
    directory = tmp_path / note.read_text().strip()
    assert (directory / "metrics.json").exists(), logs(tmp_path)
    assert re.search(r"fold 0 took \d+ s and \d{3,4} MiB", logs(tmp_path))
    alone = run(changed(read_experiment(directory / "config.json"), {"out": str(tmp_path / "alone")}))
    assert (directory / "predictions.csv").read_bytes() == (alone / "predictions.csv").read_bytes()


def logs(home: Path) -> str:
    """What the tasks said."""
    return "\n".join(path.read_text() for path in sorted((home / "runs").glob("*.log")))
