"""Text files as they come: UTF-8, UTF-16 or a code page, any line ends, any separator, a line `sep=;` first."""

from __future__ import annotations

import codecs
import csv
import io
import logging
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

from mer_tf.config import MerError

log = logging.getLogger(__name__)

SEPARATORS = ",;\t|"
LOOKED_AT = 200
"""Lines by which the separator is chosen."""
MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
NAMES = {
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
    "gb18030": "GBK (Chinese)",
    "euc_kr": "EUC-KR (Korean)",
    "cp1252": "Windows-1252 (Latin-1)",
    "mac_roman": "Mac Roman",
}
COMMON = frozenset(bytes([lead]) for lead in range(0xB0, 0xD8))
"""First bytes of the 3755 common Chinese letters in GB 2312."""
PUNCTUATION = frozenset(bytes([lead]) for lead in range(0xA1, 0xAA))
RARE = 0.1
"""Share of letters of a Chinese text that may be in GBK alone."""
ENOUGH = 8
CAPITAL, SMALL = "À-ÏÑ-ÖØ-Ý", "ß-ïñ-öø-ýÿ"
"""Without the four of Icelandic, which are Turkish in another code page."""
ACCENTED = CAPITAL + SMALL
BEFORE = "«¿¡“‘„"
"""Signs that stand before a word."""
INNER = "£©®²³·»×÷”…€™"
"""Signs that stand before no word."""
SIGNS = f"{BEFORE}{INNER}\u00a0µ±°–—’"
PLAIN = 2
"""Letters of ASCII for each other one, in words that have such."""
SHOWN = 20
"""Letters of a word that a message shows."""
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
    """The text of a file with line ends as \\n; any encoding but UTF-8 is logged, with a word as it was read.

    Tried in turn: a byte order mark, UTF-16 without one, UTF-8; then those of `CODE_PAGES`, in which nearly all bytes
    are valid: the one whose text is plausible is taken. `MerError` where none is, where several are that read
    different texts, and for what is no text.
    """
    found = _strict(data) or _plausible(data)
    if not found:
        known = "UTF-8, UTF-16, GBK, EUC-KR, Windows-1252 or Mac Roman"
        raise MerError(f"{path}: neither Excel nor text in {known}; {mend}")
    if len({text for _, text in found}) > 1:
        readings = " or ".join(f"{NAMES[name]} ({_sample(text)!r})" for name, text in found)
        raise MerError(f"{path}: is not UTF-8, and may be {readings}; save it as UTF-8")
    encoding, text = found[0]
    text = re.sub(r"\r\n?", "\n", text.strip("\ufeff\x1a"))
    beginning = text.lstrip().partition("\n")[0]  # one bad cell further down is its row's affair
    if CONTROLS.search(beginning) or len(CONTROLS.findall(text)) > BINARY * len(text):
        raise MerError(f"{path}: holds bytes that no text has; {mend}")
    if encoding in NAMES:
        _say(path, NAMES[encoding], _sample(text))
    return text


@cache
def _say(path: Path, encoding: str, sample: str) -> None:
    """Once a file, however often it is read."""
    shown = f", so that it says {sample!r}" if sample else ""
    log.warning("%s: is not UTF-8 and is read as %s%s; save it as UTF-8 if that is wrong", path, encoding, shown)


def _sample(text: str) -> str:
    """The first word that is not ASCII."""
    found = re.search(r"\w*[^\x00-\x7f]\w*", text)
    return found[0][:SHOWN] if found else ""


def _strict(data: bytes) -> list[tuple[str, str]]:
    """The encoding that the bytes say by themselves, and the text; none where they say none, or are not valid in it."""
    marked = next((name for mark, name in MARKS.items() if data.startswith(mark)), None)
    zeros = (data[0::2].count(0), data[1::2].count(0))
    silent = ["utf-16-be" if zeros[0] > zeros[1] else "utf-16-le"] if 4 * sum(zeros) > len(data) else []
    return list(_texts(data, [marked] if marked else [*silent, "utf-8"]))[:1]


def _plausible(data: bytes) -> list[tuple[str, str]]:
    """Code page and text, of those in which the bytes are text such as people write."""
    if data.startswith(tuple(MARKS)):
        return []
    return [(name, text) for name, text in _texts(data, CODE_PAGES) if CODE_PAGES[name](text)]


def _texts(data: bytes, encodings: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Encoding and text, of the encodings in which all bytes are valid."""
    for name in encodings:
        with suppress(UnicodeDecodeError):
            yield name, data.decode(name)


def _chinese(text: str) -> bool:
    """Whether most letters beyond ASCII are common Chinese: bytes of another code page give rare ones.

    Nor may most of them stand between two letters of ASCII: two letters of `emoção` would be a common sign.
    """
    beyond = [letter.encode("gb2312", "ignore")[:1] for letter in text if letter > "\x7f" and not letter.isspace()]
    beyond = [lead for lead in beyond if lead not in PUNCTUATION]
    common = sum(lead in COMMON for lead in beyond)
    enclosed = len(re.findall(r"(?<=[A-Za-z])[^\x00-\x7f](?=[A-Za-z])", text))
    return 2 * common > len(beyond) > 2 * enclosed and RARE * len(beyond) >= beyond.count(b"")


def _korean(text: str) -> bool:
    """Whether all letters beyond ASCII are Hangul, and enough that they are not Chinese by chance."""
    beyond = [letter for letter in text if letter > "\x7f" and letter.isalpha()]
    return len(beyond) >= ENOUGH and all("가" <= letter <= "힣" for letter in beyond)


def _western(text: str) -> bool:
    """Whether letters beyond ASCII are those of Western Europe, few, and where words have them: another code page gives
    capitals after small letters, signs within words, or words without any letter of ASCII."""
    if re.search(rf"[^\x00-\x7f{ACCENTED}{SIGNS}]|[{ACCENTED}]{{3}}", text):
        return False
    if re.search(rf"[a-z{SMALL}][{CAPITAL}]|[A-Z][{CAPITAL}][a-z]|[{SMALL}][A-Z]|[{INNER}][a-zA-Z{ACCENTED}]", text):
        return False
    words = [w for w in re.findall(rf"[a-zA-Z{ACCENTED}]+", text) if not w.isascii()]
    letters = "".join(words)
    return sum(map(str.isascii, letters)) >= PLAIN * sum(not letter.isascii() for letter in letters)


CODE_PAGES: dict[str, Callable[[str], bool]] = {
    "gb18030": _chinese,
    "euc_kr": _korean,
    "cp1252": _western,
    "mac_roman": _western,
}
"""Encodings that are tried last -> whether a text may have been written in it."""


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
