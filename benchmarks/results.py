"""RESULTS.md: each benchmark owns what stands between its markers."""

from __future__ import annotations

import os
import platform
from pathlib import Path

from mer_tf.files import write_text

RESULTS = Path(__file__).with_name("RESULTS.md")


def keep(name: str, text: str, path: Path = RESULTS) -> None:
    """Replace what stands between the markers of the benchmark `name`, or add it at the end."""
    start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    before = path.read_text(encoding="utf-8") if path.exists() else "# Results of the benchmarks\n"
    head, _, rest = before.partition(start)
    tail = rest.partition(end)[2]
    write_text(path, f"{head.rstrip()}\n\n{start}\n{text.strip()}\n{end}\n{tail.lstrip()}")


def table(columns: list[str], rows: list[list[str]]) -> str:
    """A table in Markdown."""
    return "\n".join("| " + " | ".join(row) + " |" for row in [columns, ["-"] * len(columns), *rows])


def processor() -> str:
    """Name of the CPU and its cores, as a table's heading needs it."""
    info = Path("/proc/cpuinfo")
    names = [line.split(":")[1].strip() for line in info.open() if "model name" in line] if info.exists() else []
    return f"{names[0] if names else platform.processor() or platform.machine()}, {os.cpu_count()} cores"
