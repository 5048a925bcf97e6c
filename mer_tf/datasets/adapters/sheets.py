"""Annotation sheets (.xlsx, .xls, .csv) as rows of named columns, however a data set spells and arranges them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from mer_tf.config import MerError
from mer_tf.files import hidden, sha256
from mer_tf.table_files import Grid, cell_text, read_tabs
from mer_tf.table_files.grid import whole_number

NOT_GIVEN = frozenset({"", "/", "-", "n/a", "na", "nan"})
"""What the sheets write where a frame number is not known."""
SUFFIXES = frozenset({".xlsx", ".xlsm", ".xls", ".csv", ".tsv"})
"""Names among which a sheet is looked for; what it is, its content tells."""


@dataclass(frozen=True)
class SheetRow:
    """One line of a sheet. Values are read by canonical column name; faults go to the sheet's problems."""

    cells: Mapping[str, Any]
    """Canonical column name -> value as the file holds it; None for an empty cell or an absent optional column."""
    where: str
    """File, tab and line, for messages."""
    problems: list[str]

    def text(self, name: str) -> str:
        """The cell as text without surrounding blanks; "" for an empty one; 4.0 and "4.0" are "4"."""
        return cell_text(self.cells[name])

    def integer(self, name: str, *, optional: bool = False) -> int | None:
        """The cell as a whole number (4, 4.0 and "4.0" are 4); None, and a recorded problem, for anything else.

        With `optional` an empty cell or '/' is None without a problem.
        """
        text = self.text(name)
        if (number := whole_number(text)) is not None:
            return number
        if optional and text.casefold() in NOT_GIVEN:
            return None
        shown = f"is {text[:40]!r}, not a whole number of at most 18 digits" if text else "is empty"
        problem = f"{self.where}: {name} {shown}; correct the cell"
        if problem not in self.problems:
            self.problems.append(problem)
        return None


@dataclass(frozen=True)
class Sheet:
    """The rows of one tab in the order of the file, and what was wrong with them."""

    path: Path
    rows: list[SheetRow]
    problems: list[str]
    sha256: str
    """Hex digest of the file's bytes."""


def find_sheet(root: Path, names: Sequence[str], given: Path | None) -> Path:
    """`given`, or the sheet under `root` (or one folder deeper) whose name fits the first of `names` that any fits.

    `names` are patterns such as `CASME2-coding*.xlsx`, whatever the case. `MerError` for none, or for several of one
    pattern.
    """
    if given is not None:
        return Path(given)
    if not Path(root).is_dir():
        raise MerError(f"{root}: no such folder; the root must be the data set's folder as it was downloaded")
    for depth in ("*", "*/*"):
        files = [p for p in sorted(Path(root).glob(depth)) if p.suffix.lower() in SUFFIXES]
        for name in names:
            found = [p for p in files if fnmatch(p.name.casefold(), name.casefold()) and not hidden(p.name)]
            if len(found) > 1:
                raise MerError(f"{root}: several sheets fit {name}: {', '.join(map(str, found))}; choose with --sheet")
            if found:
                return found[0]
    raise MerError(f"{root}: holds no annotation sheet ({', '.join(names)}); put it there or name it with --sheet")


def read_sheet(
    path: Path,
    *,
    columns: Mapping[str, Sequence[str]],
    header_key: str | None,
    tab: int = 0,
    has_header: bool = True,
    optional: Collection[str] = (),
) -> Sheet:
    """Read a tab of a sheet; the content, not the suffix, tells xlsx, xls and text apart.

    `columns` maps canonical names to accepted spellings; case, blanks and underscores do not matter. The header is the
    first row whose first non-empty cell is `header_key` (None: the first row that is not empty); without a header the
    order of `columns` is the order of the sheet. Columns named in `optional` may be absent. Cells of a merged range
    below the header all have its value, and the range is a problem. Rows empty in all `columns` are left out.
    `MerError` for an unreadable file, a tab that it has not, no header, or a missing column.
    """
    path = Path(path)
    grid = _read_grid(path, tab)
    header = _header_line(path, grid, header_key) if has_header else -1
    titles = grid.cells[header] if has_header else []
    places = _places(path, titles, columns, optional) if has_header else {n: i for i, n in enumerate(columns)}
    problems = _unmerge(path, grid, header) + _repeated(path, titles, columns)
    rows = []
    for number in range(header + 1, len(grid.cells)):
        line = grid.cells[number]
        cells = {n: line[i] if i is not None and i < len(line) else None for n, i in places.items()}
        if any(map(cell_text, cells.values())):
            rows.append(SheetRow(cells, f"{path.name}, line {number + 1}", problems))
    return Sheet(path, rows, problems, sha256(path))


def _plain(title: Any) -> str:
    return re.sub(r"[\s_]+", "", cell_text(title)).casefold()


def _header_line(path: Path, grid: Grid, key: str | None) -> int:
    for number, line in enumerate(grid.cells):
        filled = [t for t in map(_plain, line) if t]
        if filled and (key is None or filled[0] == _plain(key)):
            return number
    raise MerError(f"{path}: no header row; expected one that begins with {key or 'a column name'!r}")


def _places(
    path: Path, titles: Sequence[Any], columns: Mapping[str, Sequence[str]], optional: Collection[str]
) -> dict[str, int | None]:
    """Canonical name -> column; the first of its spellings that is there wins."""
    found = [_plain(t) for t in titles]
    places: dict[str, int | None] = {}
    for name, spellings in columns.items():
        there = [found.index(s) for s in map(_plain, spellings) if s in found]
        if not there and name not in optional:
            headers = ", ".join(cell_text(t) for t in titles if cell_text(t))
            raise MerError(
                f"{path}: no column for {name} (accepted: {', '.join(spellings)}); found: {headers}; rename the column"
            )
        places[name] = there[0] if there else None
    return places


def _repeated(path: Path, titles: Sequence[Any], columns: Mapping[str, Sequence[str]]) -> list[str]:
    """Headers of wanted columns that occur more than once; the first is read."""
    found = [_plain(t) for t in titles]
    wanted = {_plain(s) for spellings in columns.values() for s in spellings}
    return [
        f"{path.name}: the header {cell_text(titles[found.index(t)])!r} occurs {found.count(t)} times and the first is "
        "read; rename or remove the others"
        for t in sorted(wanted)
        if found.count(t) > 1
    ]


def _unmerge(path: Path, grid: Grid, header: int) -> list[str]:
    """Give all cells of merged ranges below the header the value of the first; say each range."""
    problems = []
    for name, top, bottom, left, right in grid.merged:
        if not header < top < len(grid.cells):
            continue
        value = next(iter(grid.cells[top][left : left + 1]), None)
        for row in range(top, min(bottom + 1, len(grid.cells))):
            grid.cells[row][left : right + 1] = [value] * (right - left + 1)
        problems.append(
            f"{path.name}, line {top + 1}: the cells {name} are merged and all read as {cell_text(value)!r}; unmerge "
            "them and fill each"
        )
    return problems


def _read_grid(path: Path, tab: int) -> Grid:
    if not path.is_file():
        raise MerError(f"{path}: the sheet cannot be read, there is no such file; is its path right?")
    tabs = list(read_tabs(path).values())
    if tab >= len(tabs):
        raise MerError(f"{path}: has {len(tabs)} tab(s), so none of number {tab + 1}; is it the published sheet?")
    return tabs[tab]
