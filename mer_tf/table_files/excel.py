"""Excel files as grids of cells; whatever their readers raise at a broken one is a `MerError`."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mer_tf.config import MerError
from mer_tf.table_files.grid import Grid

XLSX, XLS = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
"""How the files begin."""
ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
LARGEST = 256 * 2**20
"""Bytes of an unpacked xlsx file; published sheets have less than one million."""
MOST_CELLS = 20_000_000


def is_excel(data: bytes) -> bool:
    """Whether the bytes are those of an .xlsx or .xls file, whatever its name."""
    return data[:4] in (XLSX, XLS)


def excel_tabs(data: bytes, path: Path) -> dict[str, Grid]:
    """All tabs with cells, by name; `MerError` for what cannot be read."""
    if data[:4] == XLS and ENCRYPTED in data:
        raise MerError(f"{path}: is protected by a password; open it and save it without one")
    return _xlsx(data, path) if data[:4] == XLSX else _xls(data, path)


@contextmanager
def _readable(path: Path, kind: str, mend: str) -> Iterator[None]:
    try:
        yield
    except MerError:
        raise
    except Exception as error:  # openpyxl and xlrd check nothing that they read, and raise whatever comes of it
        raise MerError(f"{path}: not a readable {kind} file ({str(error) or type(error).__name__}); {mend}") from error


def _xlsx(data: bytes, path: Path) -> dict[str, Grid]:
    import openpyxl  # type: ignore[import-untyped]

    grids = {}
    with _readable(path, "xlsx", "download it again"):
        if sum(part.file_size for part in zipfile.ZipFile(io.BytesIO(data)).infolist()) > LARGEST:
            raise MerError(f"{path}: would unpack to more than {LARGEST >> 20} MiB; is it the annotation sheet?")
        for tab in openpyxl.load_workbook(io.BytesIO(data), data_only=True).worksheets:
            merged = [
                (str(r), r.min_row - 1, r.max_row - 1, r.min_col - 1, r.max_col - 1) for r in tab.merged_cells.ranges
            ]
            _require_bounded(tab.max_row, tab.max_column, path)
            grids[tab.title] = Grid([list(line) for line in tab.iter_rows(values_only=True)], sorted(merged))
    return grids


def _xls(data: bytes, path: Path) -> dict[str, Grid]:
    import xlrd  # type: ignore[import-untyped]

    grids = {}
    with _readable(path, "xls", "open it and save it as xlsx"):
        for tab in xlrd.open_workbook(file_contents=data, formatting_info=True, logfile=io.StringIO()).sheets():
            merged = [
                (f"{xlrd.cellname(r0, c0)}:{xlrd.cellname(r1 - 1, c1 - 1)}", r0, r1 - 1, c0, c1 - 1)
                for r0, r1, c0, c1 in tab.merged_cells
            ]
            _require_bounded(tab.nrows, tab.ncols, path)
            grids[tab.name] = Grid([tab.row_values(n) for n in range(tab.nrows)], sorted(merged))
    return grids


def _require_bounded(height: int, width: int, path: Path) -> None:
    if height * width > MOST_CELLS:
        raise MerError(f"{path}: a tab spans {height} x {width} cells; delete the empty rows and columns around it")
