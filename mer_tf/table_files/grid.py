"""A table before its columns have names."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Grid:
    """All cells of a tab, None for an empty one; cells[0] is line 1."""

    cells: list[list[Any]]
    merged: list[tuple[str, int, int, int, int]] = field(default_factory=list)
    """(name, first row, last row, first column, last column) of merged ranges, from 0, inclusive."""


def cell_text(value: Any) -> str:
    """A cell as text without surrounding blanks, "" for an empty one. A whole number is written as one, in any column:
    4.0, "4.0" and "４" are "4", "007" stays."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = "" if value is None else str(value).strip()
    number = re.fullmatch(r"([+-]?\d+)(\.0*)?", text)
    return unicodedata.normalize("NFKC", number[1]) if number else text


def whole_number(text: str) -> int | None:
    """The number of `cell_text`; None for any other text and for more digits than an int64 surely holds."""
    return int(text) if re.fullmatch(r"[+-]?\d{1,18}", text) else None
