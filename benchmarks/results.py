"""RESULTS.md: each benchmark owns what stands between its markers.

python benchmarks/results.py rows.jsonl     # puts the rows of a device into RESULTS.md, a section a device
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mer_tf import run_directory
from mer_tf.files import read_json, write_json, write_text

RESULTS = Path(__file__).with_name("RESULTS.md")


def keep(name: str, text: str, path: Path = RESULTS) -> None:
    """Replace what stands between the markers of the benchmark `name`, or add it at the end."""
    start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    before = path.read_text(encoding="utf-8") if path.exists() else "# Results of the benchmarks\n"
    head, _, rest = before.partition(start)
    tail = rest.partition(end)[2]
    write_text(path, f"{head.rstrip()}\n\n{start}\n{text.strip()}\n{end}\n{tail.lstrip()}")


@dataclass(frozen=True)
class Row:
    """One thing that was measured on a device; without a value the note says why."""

    device: str
    part: str
    what: str
    variant: str = ""
    value: float | None = None
    unit: str = ""
    share: float | None = None
    """Of what the device can do, or of the reference that the part names."""
    note: str = ""


def add_rows(path: Path, rows: Iterable[Row]) -> None:
    """Print rows and add them to a file, a JSON object a line, which is whole after each."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        for row in rows:
            print(json.dumps(asdict(row)), file=file, flush=True)
            print(row, flush=True)


def keep_rows(path: Path, results: Path = RESULTS) -> None:
    """A section of RESULTS.md for each device of a file of rows."""
    rows = [Row(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines() if line]
    for device in dict.fromkeys(row.device for row in rows):
        text = f"## On {device}\n\n`bash benchmarks/gpu.sh`.\n\n{rows_table([r for r in rows if r.device == device])}"
        keep(f"gpu {device}", text, results)


def rows_table(rows: Sequence[Row]) -> str:
    """Rows as a table, in Markdown; a row that was measured again stands once, as it was last."""
    last = {(row.part, row.what, row.variant): row for row in rows}
    lines = []
    for row in last.values():
        value = "" if row.value is None else f"{row.value:.4g} {row.unit}"
        share = "" if row.share is None else f"{row.share:.1%}"
        lines.append([row.part, row.what, row.variant, value, share, row.note.replace("|", "/")])
    return table(["part", "what", "variant", "measured", "share", "note"], lines)


def measured_once(note: Path, settings: list[str], measure: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What `measure` finds, kept in `note`; or what is kept there, `SystemExit` when that had other settings."""
    if note.exists():
        kept = read_json(note)
        if kept["settings"] != settings:
            sys.exit(f"{note}: was run with {kept['settings']}; give the same settings or another folder")
        return dict(kept["found"])
    found = measure()
    write_json(note, {"settings": settings, "found": found})
    return found


def timed(work: Callable[[], object]) -> np.ndarray:
    """Seconds that `work` takes, and those of the processors, which other load changes less."""
    start = np.array([time.perf_counter(), time.process_time()])
    work()
    return np.array([time.perf_counter(), time.process_time()]) - start


def table(columns: list[str], rows: list[list[str]]) -> str:
    """A table in Markdown."""
    return "\n".join("| " + " | ".join(row) + " |" for row in [columns, ["-"] * len(columns), *rows])


def processor() -> str:
    """Name of the CPU and its cores, as a table's heading needs it."""
    return f"{run_directory.processor()}, {os.cpu_count()} cores"


if __name__ == "__main__":
    keep_rows(*map(Path, sys.argv[1:]))
