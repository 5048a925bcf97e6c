"""The Slurm scripts without Slurm: they parse, and send and run the commands they should."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

CLUSTER = Path(__file__).parents[2] / "experiments" / "cluster"
SUBMIT, STEP = CLUSTER / "submit.sh", CLUSTER / "step.sbatch"


@pytest.fixture
def shell(tmp_path: Path) -> Path:
    """A folder of commands that only say how they were called; sbatch gives job numbers from 101 on."""
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    for name in ("python", "mer-tf"):
        say(bin_folder / name, f'echo "{name} $*"; echo "run directory: runs/exp2/one"')
    say(bin_folder / "sbatch", 'echo "$*" >> sent.txt; echo "$((100 + $(wc -l < sent.txt)));cluster"')
    return tmp_path


def say(path: Path, line: str) -> None:
    path.write_text(f"#!/usr/bin/env bash\n{line}\n")
    path.chmod(0o755)


def bash(shell: Path, *command: object, **environment: str) -> subprocess.CompletedProcess[str]:
    known = {"PATH": f"{shell / 'bin'}:{os.environ['PATH']}"} | environment
    return subprocess.run(["bash", *map(str, command)], cwd=shell, env=known, capture_output=True, text=True)


@pytest.mark.parametrize("script", [SUBMIT, STEP], ids=lambda p: p.name)
def test_the_scripts_parse(script: Path, shell: Path) -> None:
    done = bash(shell, "-n", script)
    assert (done.returncode, done.stderr) == (0, "")


def test_three_jobs_wait_for_one_another(shell: Path) -> None:
    options = "--partition=gpu --time=04:00:00"
    done = bash(shell, SUBMIT, "exp2.py", 16, "--data.root", "/data/my SMIC", SBATCH_OPTIONS=options)
    assert done.returncode == 0, done.stderr
    prepare, folds, collect = (shell / "sent.txt").read_text().splitlines()
    (note,) = (shell / "runs").iterdir()
    common = f"--parsable {options} --job-name=mer-"
    name = note.relative_to(shell)
    assert prepare == f"{common}prepare {STEP} prepare {name} exp2.py --data.root /data/my SMIC"
    assert folds == f"{common}fold --dependency=afterok:101 --array=0-15 {STEP} fold {name} exp2.py"
    assert collect == f"{common}collect --dependency=afterok:102 {STEP} collect {name}"


def test_each_step_runs_its_command(shell: Path) -> None:
    prepared = bash(shell, STEP, "prepare", "note", "exp2.py", "--train.epochs", "3")
    assert "python exp2.py --train.epochs 3 --folds none" in prepared.stderr
    assert (shell / "note").read_text() == "runs/exp2/one\n"
    fold = bash(shell, STEP, "fold", "note", "exp2.py", SLURM_ARRAY_TASK_ID="3")
    assert fold.stdout.startswith("python exp2.py --resume runs/exp2/one --folds 3\n")
    assert bash(shell, STEP, "collect", "note").stdout.startswith("mer-tf collect runs/exp2/one\n")


def test_what_is_missing_is_said(shell: Path) -> None:
    assert "usage" in bash(shell, SUBMIT, "exp2.py").stderr
    assert "run me as an array" in bash(shell, STEP, "fold", "bin/python", "exp2.py").stderr
    assert "choose prepare" in bash(shell, STEP, "else", "note").stderr


def test_a_failed_preparation_fails_its_job(shell: Path) -> None:
    say(shell / "bin" / "python", "exit 1")
    assert bash(shell, STEP, "prepare", "note", "exp2.py").returncode == 1
