"""Text files as they come: UTF-8, UTF-16 or GBK, any line ends, any separator, a line `sep=;` first."""

from __future__ import annotations

import codecs
import csv
import io
import logging
import re
from collections import Counter
from functools import cache
from pathlib import Path

from mer_tf.config import MerError

log = logging.getLogger(__name__)

SEPARATORS = ",;\t|"
LOOKED_AT = 200
"""Lines by which the separator is chosen."""
MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
NAMES = {"utf-16": "UTF-16", "utf-16-le": "UTF-16", "utf-16-be": "UTF-16", "gb18030": "GBK (Chinese)"}
BINARY = 0.3
"""Share of control signs above which a file is no text."""
CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f]")


def read_bytes(path: Path, mend: str) -> bytes:
    """All of a file; `MerError`, which ends with `mend`, when the system refuses."""
    try:
        return Path(path).read_bytes()
    except FileNotFoundError as error:
        raise MerError(f"{path}: no such file; {mend}") from error
    except (OSError, ValueError) as error:  # ValueError: a path that holds NUL
        raise MerError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error}); {mend}") from error


def decoded(data: bytes, path: Path, mend: str) -> str:
    """The text of a file with line ends as \\n; any encoding but UTF-8 is logged. `MerError` for what is no text."""
    encoding = _encoding(data)
    text = re.sub(r"\r\n?", "\n", data.decode(encoding).strip("\ufeff\x1a")) if encoding else ""
    if not encoding:
        raise MerError(f"{path}: neither Excel nor text in UTF-8, UTF-16 or GBK; {mend}")
    beginning = text.lstrip().partition("\n")[0]  # one bad cell further down is its row's affair
    if CONTROLS.search(beginning) or len(CONTROLS.findall(text)) > BINARY * len(text):
        raise MerError(f"{path}: holds bytes that no text has; {mend}")
    if encoding in NAMES:
        _say(path, NAMES[encoding])
    return text


@cache
def _say(path: Path, encoding: str) -> None:
    """Once a file, however often it is read."""
    log.warning("%s: is not UTF-8 and is read as %s; save it as UTF-8 if letters look wrong", path, encoding)


def _encoding(data: bytes) -> str | None:
    """The first encoding that the bytes are valid in, the strictest first; None without one."""
    marked = next((name for mark, name in MARKS.items() if data.startswith(mark)), None)
    zeros = (data[0::2].count(0), data[1::2].count(0))
    silent = ["utf-16-be" if zeros[0] > zeros[1] else "utf-16-le"] if 4 * sum(zeros) > len(data) else []
    for name in [marked] if marked else [*silent, "utf-8"]:
        if _valid(data, name):
            return name
    return "gb18030" if not marked and _valid(data, "gb18030") and _chinese(data.decode("gb18030")) else None


def _valid(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _chinese(text: str) -> bool:
    """Whether most letters beyond ASCII are common Chinese (GB 2312): bytes of another code page give rare ones."""
    beyond = [letter for letter in text if not letter.isascii()]
    return 2 * sum(bool(letter.encode("gb2312", "ignore")) for letter in beyond) > len(beyond)


def text_cells(text: str, path: Path) -> list[list[str | None]]:
    """The rows of separated text, empty cells as None; the row of a line `sep=;` is empty, so that numbers still fit.

    `MerError` names the row whose quote is never closed, or that holds a field without end.
    """
    first, line_end, rest = text.partition("\n")
    if stated := re.fullmatch(r"""["']?sep=([^\w\s"']|\t)["']?[,;\t|]*""", first, re.IGNORECASE):
        text = line_end + rest
    rows = _rows(text, stated[1] if stated else _separator(text), path)
    return [[cell or None for cell in row] for row in rows]


def _rows(text: str, separator: str, path: Path) -> list[list[str]]:
    """Quoted as strictly as the file allows."""
    rows: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(text), delimiter=separator, strict=True):
            rows.append(row)
        return rows
    except csv.Error as error:
        if "unexpected end" in str(error) or "field larger" in str(error):
            what = "holds a quote that is never closed" if "end" in str(error) else "holds a field without end"
            raise MerError(f"{path}, line {len(rows) + 1}: {what}; correct this row") from error
    try:
        return list(csv.reader(io.StringIO(text), delimiter=separator))
    except csv.Error as error:
        raise MerError(f"{path}: not a table of separated text ({error}); save it as CSV in UTF-8") from error


def _separator(text: str) -> str:
    """The separator by which most of the first lines have one number of cells, more than one; the widest of equals."""
    lines = [line for line in text.split("\n", LOOKED_AT)[:LOOKED_AT] if line.strip()]

    def agreement(separator: str) -> tuple[int, int]:
        try:
            widths = Counter(len(row) for row in csv.reader(lines, delimiter=separator))
        except csv.Error:
            return 0, 0
        del widths[1]
        width, times = max(widths.items(), key=lambda found: (found[1], found[0]), default=(0, 0))
        return times, width

    return max(SEPARATORS, key=agreement)
