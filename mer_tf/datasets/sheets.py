"""Annotation sheets (.xlsx, .xls, .csv) as rows of named columns, however a data set spells and arranges them."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from mer_tf.config import MerError
from mer_tf.files import hidden, sha256

NOT_GIVEN = frozenset({"", "/", "-", "n/a", "na", "nan"})
"""What the sheets write where a frame number is not known."""


@dataclass(frozen=True)
class SheetRow:
    """One line of a sheet. Values are read by canonical column name; faults go to the sheet's problems."""

    line: int
    """Line in the sheet, from 1."""
    cells: Mapping[str, Any]
    """Canonical column name -> value as the file holds it; None for an empty cell or an absent optional column."""
    where: str
    """File, tab and line, for messages."""
    problems: list[str]

    def text(self, name: str) -> str:
        """The cell as text without surrounding blanks; "" for an empty one; 4.0 is "4"."""
        return _text(self.cells[name])

    def integer(self, name: str, *, optional: bool = False) -> int | None:
        """The cell as a whole number (4, 4.0 and "4.0" are 4); None, and a recorded problem, for anything else.

        With `optional` an empty cell or '/' is None without a problem.
        """
        text = self.text(name)
        if re.fullmatch(r"[+-]?\d{1,18}(\.0*)?", text):  # more digits do not fit into 64 bits
            return int(text.split(".")[0])
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


@dataclass(frozen=True)
class _Grid:
    """All cells of a tab; `merged` holds (name, first row, last row, first column, last column), from 0, inclusive."""

    cells: list[list[Any]]
    merged: list[tuple[str, int, int, int, int]]


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
        files = [p for p in sorted(Path(root).glob(depth)) if p.suffix.lower() in {".xlsx", ".xls", ".csv"}]
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
    tab: str | int = 0,
    has_header: bool = True,
    optional: Collection[str] = (),
) -> Sheet:
    """Read a tab of a sheet; the content, not the suffix, tells xlsx, xls and csv (UTF-8) apart.

    `columns` maps canonical names to accepted spellings; case, blanks and underscores do not matter. The header is the
    first row whose first non-empty cell is `header_key` (None: the first row that is not empty); without a header the
    order of `columns` is the order of the sheet. Columns named in `optional` may be absent. Cells of a merged range
    below the header all have its value, and the range is a problem. Rows empty in all `columns` are left out.
    `MerError` for an unreadable file, an unknown tab, no header, or a missing column.
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
        if any(map(_text, cells.values())):
            rows.append(SheetRow(number + 1, cells, f"{path.name}, line {number + 1}", problems))
    return Sheet(path, rows, problems, sha256(path))


def tab_names(path: Path) -> list[str]:
    """Names of the tabs of an Excel file; [""] for a CSV file."""
    return list(_tabs(Path(path)))


def _text(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if value is None else str(value).strip()


def _plain(title: Any) -> str:
    return re.sub(r"[\s_]+", "", _text(title)).casefold()


def _header_line(path: Path, grid: _Grid, key: str | None) -> int:
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
            headers = ", ".join(_text(t) for t in titles if _text(t))
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
        f"{path.name}: the header {_text(titles[found.index(t)])!r} occurs {found.count(t)} times and the first is "
        "read; rename or remove the others"
        for t in sorted(wanted)
        if found.count(t) > 1
    ]


def _unmerge(path: Path, grid: _Grid, header: int) -> list[str]:
    """Give all cells of merged ranges below the header the value of the first; say each range."""
    problems = []
    for name, top, bottom, left, right in grid.merged:
        if top <= header:
            continue
        for row in range(top, bottom + 1):
            grid.cells[row][left : right + 1] = [grid.cells[top][left]] * (right - left + 1)
        problems.append(
            f"{path.name}, line {top + 1}: the cells {name} are merged and all read as "
            f"{_text(grid.cells[top][left])!r}; unmerge them and fill each"
        )
    return problems


def _read_grid(path: Path, tab: str | int) -> _Grid:
    tabs = _tabs(path)
    by_name = {_plain(n): n for n in tabs}
    if isinstance(tab, str) and _plain(tab) not in by_name:
        raise MerError(f"{path}: has no tab {tab!r}, only {', '.join(tabs)}; is it the published sheet?")
    if isinstance(tab, int) and tab >= len(tabs):
        raise MerError(f"{path}: has {len(tabs)} tab(s), so none of number {tab + 1}; is it the published sheet?")
    return tabs[by_name[_plain(tab)]] if isinstance(tab, str) else list(tabs.values())[tab]


def _tabs(path: Path) -> dict[str, _Grid]:
    """All tabs of a file by name."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise MerError(f"{path}: the sheet cannot be read ({error.strerror}); is its path right?") from error
    if data[:4] == b"PK\x03\x04":
        return _xlsx(path, data)
    return _xls(path, data) if data[:4] == b"\xd0\xcf\x11\xe0" else {"": _csv(path, data)}


def _xlsx(path: Path, data: bytes) -> dict[str, _Grid]:
    import openpyxl  # type: ignore[import-untyped]
    from openpyxl.utils.exceptions import InvalidFileException  # type: ignore[import-untyped]

    try:
        book = openpyxl.load_workbook(io.BytesIO(data), data_only=True)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, EOFError) as error:
        raise MerError(f"{path}: not a readable xlsx file ({error}); download it again") from error
    grids = {}
    for tab in book.worksheets:
        merged = [(str(r), r.min_row - 1, r.max_row - 1, r.min_col - 1, r.max_col - 1) for r in tab.merged_cells.ranges]
        grids[tab.title] = _Grid([list(line) for line in tab.iter_rows(values_only=True)], sorted(merged))
    return grids


def _xls(path: Path, data: bytes) -> dict[str, _Grid]:
    import xlrd  # type: ignore[import-untyped]

    try:
        book = xlrd.open_workbook(file_contents=data, formatting_info=True)
    except (xlrd.XLRDError, xlrd.compdoc.CompDocError, IndexError, AssertionError) as error:
        raise MerError(f"{path}: not a readable xls file ({error}); open it and save it as xlsx") from error
    grids = {}
    for tab in book.sheets():
        merged = [
            (f"{xlrd.cellname(r0, c0)}:{xlrd.cellname(r1 - 1, c1 - 1)}", r0, r1 - 1, c0, c1 - 1)
            for r0, r1, c0, c1 in tab.merged_cells
        ]
        grids[tab.name] = _Grid([tab.row_values(n) for n in range(tab.nrows)], sorted(merged))
    return grids


def _csv(path: Path, data: bytes) -> _Grid:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise MerError(f"{path}: neither Excel nor UTF-8 text ({error}); save it as xlsx or as UTF-8 CSV") from error
    separator = max(",;\t", key=text.count)
    return _Grid([[v or None for v in line] for line in csv.reader(io.StringIO(text), delimiter=separator)], [])
