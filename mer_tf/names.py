"""Names in messages: one that is not known and what was probably meant, and the first of many."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence


def unknown(kind: str, name: str, known: Iterable[str]) -> str:
    """Message about an unknown name: `unknown model 'vgg_lstm'; known: ...; did you mean vggface_lstm?`."""
    names = list(known)
    return f"unknown {kind} {name!r}; known: {', '.join(names)}{meant(name, names)}"


def meant(name: str, known: Iterable[str]) -> str:
    """End of a message about a name: `; did you mean vggface_lstm?`, empty where no known name is near."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]}?" if near else ""


LISTED = 20
"""Faults that a message lists."""


def first_lines(faults: Sequence[str], before: str = "") -> list[str]:
    """The first of many faults, a line each that starts with `before`, and how many more there are."""
    rest = [f"and {len(faults) - LISTED} more"] if len(faults) > LISTED else []
    return [before + fault for fault in [*faults[:LISTED], *rest]]


def few(names: Sequence[str], shown: int = 5) -> str:
    """The first of the names, and how many more there are."""
    return ", ".join(names[:shown]) + (f" and {len(names) - shown} more" if len(names) > shown else "")
