"""Every `python experiments/*.py` as it comes, one after the other: seconds, memory and what the seconds went into.

    python benchmarks/defaults.py                                  # all of them, and a table in benchmarks/RESULTS.md
    python benchmarks/defaults.py experiments/exp1_vggface_frames.py --changes data.subjects=3

They share one folder, as they would a user's: what the first has drawn, preprocessed and encoded the others find. The
stages are told by the times of the files that end them, so `other` is loading libraries and tables. With
`--keep-in DIR` a stopped run goes on at the experiment that it had not finished.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import mkdtemp

import tyro
from results import keep, measured_once, processor, table

ROOT = Path(__file__).parents[1]
SCRIPTS = tuple(sorted((ROOT / "experiments").glob("exp*.py")))
STAGES = {
    "draw and list clips": "manifest.csv",
    "faces, flow, features": "config.json",
    "folds": "**/predictions.csv",
    "pictures": "model_card.json",
}
"""Stage -> the files of a run directory whose last one ends it, in order of time."""


@dataclass(frozen=True)
class Spent:
    """What one experiment took."""

    name: str
    seconds: float
    cpu_seconds: float
    """Of all its processes."""
    peak_mib: float
    """Greatest resident memory of one of its processes; each run of a table has its own."""
    stages: dict[str, float]
    """Seconds of each stage, `other` included."""


def main(
    scripts: tyro.conf.Positional[tuple[Path, ...]] = SCRIPTS,
    changes: tuple[str, ...] = (),
    keep_in: Path | None = None,
    write: bool = True,
) -> None:
    """Run, print the table, and write it into RESULTS.md.

    Args:
        scripts: Experiments.
        changes: Settings to change in all of them, as data.subjects=3 train.epochs=1.
        keep_in: Folder for the runs, their logs and what each took, which is not run again; else they are deleted.
        write: Write the table into RESULTS.md too.
    """
    folder = (keep_in or Path(mkdtemp(prefix="defaults-"))).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        spent = [run_once(script.resolve(), [f"--{change}" for change in changes], folder) for script in scripts]
    finally:
        if keep_in is None:
            shutil.rmtree(folder)
    text = report(spent, changes)
    print(text)
    if write:
        keep("defaults", text)


def run(script: Path, options: list[str], folder: Path) -> Spent:
    """One experiment in a process of its own; `SystemExit` with its last words when it fails."""
    before, start, log = set(run_directories(folder)), time.time(), folder / f"{script.stem}.log"
    with log.open("w") as stream:
        child = subprocess.Popen([sys.executable, script, *options], cwd=folder, stdout=stream, stderr=stream)
        _, status, used = os.wait4(child.pid, 0)
    end = time.time()
    if status:
        sys.exit(f"{script.name} failed:\n{log.read_text()[-3000:]}")
    made = [path for path in run_directories(folder) if path not in before]
    cpu = used.ru_utime + used.ru_stime
    return Spent(script.stem, end - start, cpu, used.ru_maxrss / 1024, stages(made, start, end))


def run_once(script: Path, options: list[str], folder: Path) -> Spent:
    """The same, unless `folder` has what it took before."""
    note = folder / f"{script.stem}.json"
    return Spent(**measured_once(note, options, lambda: asdict(run(script, options, folder))))


def run_directories(folder: Path) -> list[Path]:
    """All run directories below runs/."""
    return sorted(path.parent for path in (folder / "runs").rglob("config.json"))


def stages(directories: list[Path], start: float, end: float) -> dict[str, float]:
    """Seconds of each stage over the runs that one script made, one after the other."""
    total, at = dict.fromkeys(STAGES, 0.0), start
    for directory in sorted(directories, key=lambda path: (path / "config.json").stat().st_mtime):
        for name, pattern in STAGES.items():
            reached = max((path.stat().st_mtime for path in directory.glob(pattern)), default=at)
            total[name] += max(reached - at, 0.0)
            at = max(reached, at)
    return total | {"other": end - start - sum(total.values())}


def report(spent: list[Spent], changes: tuple[str, ...]) -> str:
    """The table, in Markdown, with a last line for all."""
    columns = ["experiment", "s", "CPU s", "peak MiB", *(f"{name}, s" for name in spent[0].stages)]
    rows = [[s.name, *(f"{v:.0f}" for v in (s.seconds, s.cpu_seconds, s.peak_mib, *s.stages.values()))] for s in spent]
    sums = [sum(s.seconds for s in spent), sum(s.cpu_seconds for s in spent), max(s.peak_mib for s in spent)]
    sums += [sum(s.stages[name] for s in spent) for name in spent[0].stages]
    command = " ".join(["python benchmarks/defaults.py", *(["--changes", *changes] if changes else [])])
    heading = f"## The experiments as they come\n\n`{command}`, {processor()}; one after the other in one folder.\n\n"
    return heading + table(columns, [*rows, ["all", *(f"{v:.0f}" for v in sums)]])


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
