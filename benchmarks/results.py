"""RESULTS.md: each benchmark owns what stands between its markers."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

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


def table(columns: list[str], rows: list[list[str]]) -> str:
    """A table in Markdown."""
    return "\n".join("| " + " | ".join(row) + " |" for row in [columns, ["-"] * len(columns), *rows])


def processor() -> str:
    """Name of the CPU and its cores, as a table's heading needs it."""
    return f"{run_directory.processor()}, {os.cpu_count()} cores"
