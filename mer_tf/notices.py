"""What a reader must know beside a run's numbers, as (level, code, text): no meaning hangs on how a text is worded."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

SYNTHETIC, UNREADABLE, LEAKY, UNTRAINED = "synthetic", "unreadable", "leaky_split", "random_weights"


@dataclass(frozen=True)
class Notice:
    """danger: the numbers must not be trusted; note: they must be read with this in mind."""

    level: Literal["danger", "note"]
    code: str
    """What it is about, as leaky_split; empty where nothing asks for it."""
    text: str

    @property
    def title(self) -> str:
        """The code as it is shown: LEAKY SPLIT."""
        return self.code.replace("_", " ").upper()

    def __str__(self) -> str:
        return f"{self.title}: {self.text}" if self.level == "danger" else self.text


def danger(code: str, text: str) -> Notice:
    """A notice that forbids trusting the numbers."""
    return Notice("danger", code, text)


def note(code: str, text: str) -> Notice:
    """A notice that goes with the numbers."""
    return Notice("note", code, text)


def read_notices(stored: Iterable[Any]) -> tuple[Notice, ...]:
    """Notices from JSON: mappings of their fields, or the bare sentences that runs stored before there were fields."""
    return tuple(_of_fields(one) if isinstance(one, dict) else _of_sentence(str(one)) for one in stored)


def _of_fields(stored: dict[str, Any]) -> Notice:
    level: Literal["danger", "note"] = "danger" if stored.get("level") == "danger" else "note"
    return Notice(level, str(stored.get("code", "")), str(stored.get("text", "")))


def _of_sentence(text: str) -> Notice:
    """Dangers stood behind a word in capitals; two notes were known by how they begin, or by what they hold."""
    if found := re.match(r"([A-Z][A-Z -]+): ?", text):
        return danger(found[1].lower().replace(" ", "_"), text[found.end() :])
    if text.startswith("synthetic look-alike"):
        return note(SYNTHETIC, text)
    return note(UNREADABLE if "could not be read" in text else "", text)
