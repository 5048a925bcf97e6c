"""The Slurm scripts without Slurm: they parse, and send and run the commands they should."""

from __future__ import annotations

import os
import re
import subprocess
import sys
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
        measuring = f'if [ "$1" = -c ]; then exec {sys.executable} "$@"; fi; '
        say(bin_folder / name, f'{measuring}echo "{name} $*"; echo "run directory: runs/exp2/one"')
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


def test_the_first_job_is_sent_with_what_it_needs_to_send_the_others(shell: Path) -> None:
    options = {"SBATCH_OPTIONS": "--partition=gpu --account=faces", "GPUS": "1"}
    done = bash(shell, SUBMIT, "exp2.py", 16, "--data.root", "/data/my SMIC", **options)
    assert done.returncode == 0, done.stderr
    (note,) = (shell / "runs").iterdir()
    name = note.relative_to(shell)
    asked = "--parsable --job-name=mer-first --gres=gpu:1 --partition=gpu --account=faces"
    assert (shell / "sent.txt").read_text() == (
        f"{asked} {STEP} first {name} exp2.py 16 {STEP} --data.root /data/my SMIC\n"
    )


def test_the_first_job_prepares_trains_a_fold_and_sends_the_others_with_what_it_took(shell: Path) -> None:
    done = bash(shell, STEP, "first", "note", "exp2.py", 16, STEP, "--train.epochs", "3", SBATCH_OPTIONS="--time=9")
    assert done.returncode == 0, done.stderr
    assert "python exp2.py --train.epochs 3 --folds none" in done.stderr
    assert (shell / "note").read_text() == "runs/exp2/one\n"
    fold, collect = (shell / "sent.txt").read_text().splitlines()
    (memory,) = map(int, re.findall(r"fold 0 took \d+ s and (\d+) MiB", done.stdout))
    measured = f"--mem={memory * 3 // 2} --time=10 --time=9"  # of two the last one counts
    assert fold == f"--parsable --job-name=mer-fold --array=1-15 {measured} {STEP} fold note exp2.py"
    assert collect == f"--job-name=mer-collect --dependency=afterok:101 {measured} {STEP} collect note"


def test_a_run_of_one_fold_needs_no_array(shell: Path) -> None:
    assert bash(shell, STEP, "first", "note", "exp2.py", 1, STEP).returncode == 0
    assert (shell / "sent.txt").read_text().startswith("--job-name=mer-collect --mem=")


def test_each_step_runs_its_command(shell: Path) -> None:
    (shell / "note").write_text("runs/exp2/one\n")
    fold = bash(shell, STEP, "fold", "note", "exp2.py", SLURM_ARRAY_TASK_ID="3")
    assert fold.stdout.startswith("python exp2.py --resume runs/exp2/one --folds 3\n")
    assert bash(shell, STEP, "collect", "note").stdout.startswith("mer-tf collect runs/exp2/one\n")


def test_what_is_missing_is_said(shell: Path) -> None:
    assert "usage" in bash(shell, SUBMIT, "exp2.py").stderr
    assert "run me as an array" in bash(shell, STEP, "fold", "bin/python", "exp2.py").stderr
    assert "choose first" in bash(shell, STEP, "else", "note").stderr


def test_a_failed_preparation_fails_its_job(shell: Path) -> None:
    say(shell / "bin" / "python", "exit 1")
    assert bash(shell, STEP, "first", "note", "exp2.py", 5, STEP).returncode == 1
    assert not (shell / "sent.txt").exists()
