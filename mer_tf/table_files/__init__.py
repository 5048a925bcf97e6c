"""The one reader of tables: annotation sheets, manifests, predictions and claims, whatever their encoding and kind.

Excel and separated text are told apart by their content, not by their suffix.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from mer_tf.config import MerError
from mer_tf.table_files.excel import excel_tabs, is_excel
from mer_tf.table_files.grid import Grid, cell_text
from mer_tf.table_files.text import decoded, read_bytes, text_cells


@dataclass(frozen=True)
class Table:
    """A table with named columns, all cells text, empty ones ""."""

    path: Path
    frame: pd.DataFrame
    lines: tuple[int, ...]
    """Line of each row in the file, from 1; in Excel its row."""
    repeated: tuple[str, ...] = ()
    """Names that several columns have; the first of these is read."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know."""
        return tuple(f"{self.path.name}: several columns are called {c!r}; the first is read" for c in self.repeated)


def read_text(path: Path, mend: str) -> str:
    """A text file in any known encoding; `MerError`, which ends with `mend`, when there is none."""
    return decoded(read_bytes(path, mend), path, mend)


def read_tabs(path: Path, mend: str = "save it as xlsx or as UTF-8 CSV") -> dict[str, Grid]:
    """All tabs of an Excel file by name; the one table of a text file under the name ""."""
    data = read_bytes(path, mend)
    if is_excel(data):
        return excel_tabs(data, path)
    text = decoded(data, path, mend)
    if text.lstrip().startswith("<"):
        raise MerError(f"{path}: is a web page or XML, not a sheet; open it in a spreadsheet program, save it as xlsx")
    return {"": Grid(text_cells(text, path))}


def read_cells(path: Path, mend: str) -> Table:
    """The first tab of a file that holds anything, named by its first row that is not empty.

    Rows and nameless columns without any cell are left out, and of columns of one name all but the first. `MerError`
    for a file without a header, and for a row that has more cells than the header.
    """
    tabs = read_tabs(path, mend)
    grid = next((g for g in tabs.values() if any(map(any, g.cells))), Grid([]))
    # Text stays as the file has it; values of Excel are written by `cell_text`.
    texts = ([v if isinstance(v, str) else cell_text(v) for v in line] for line in grid.cells)
    rows = [(n, line) for n, line in enumerate(texts, start=1) if any(map(str.strip, line))]
    if not rows:
        raise MerError(f"{path}: not a CSV file, not a table that can be read: it holds nothing; {mend}")
    titles = [title.strip() for title in rows[0][1]]
    width = max(k for k, title in enumerate(titles, 1) if title)
    for number, line in rows[1:]:
        if any(line[width:]):
            raise MerError(f"{path}, line {number}: has more cells than the header; correct this row")
    return _named(path, titles[:width], rows[1:])


def _named(path: Path, titles: list[str], rows: list[tuple[int, list[str]]]) -> Table:
    width, repeated = len(titles), tuple(title for title, n in Counter(titles).items() if title and n > 1)
    lines = [(line + [""] * width)[:width] for _, line in rows]
    kept = [k for k, title in enumerate(titles) if title not in titles[:k] or not title]
    kept = [k for k in kept if titles[k] or any(line[k] for line in lines)]
    names = [titles[k] or f"column {k + 1}" for k in kept]
    frame = pd.DataFrame([[line[k] for k in kept] for line in lines], columns=names, dtype=str)
    return Table(path, frame, tuple(number for number, _ in rows), repeated)


def read_table(path: Path, columns: Sequence[str], mend: str) -> Table:
    """`read_cells`; `MerError`, which ends with `mend`, when it lacks one of `columns` or has one of them twice."""
    table = read_cells(Path(path), mend)
    if missing := [c for c in columns if c not in table.frame.columns]:
        there = ", ".join(table.frame.columns)
        raise MerError(f"{path}: lacks the columns {', '.join(missing)}; it has {there}; {mend}")
    if twice := [c for c in columns if c in table.repeated]:
        raise MerError(f"{path}: several columns are called {twice[0]!r}; remove all but one")
    return table
