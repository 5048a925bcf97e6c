"""A command line of several commands: the overview that --help shows, and which command the first word names.

The command itself is read by tyro, which looks at the options of that one alone: reading all of them takes a second.
"""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Collection, Mapping, Sequence
from typing import NoReturn

from mer_tf.names import meant

WIDEST = 110


def pick(prog: str, known: Collection[str], arguments: Sequence[str], default: str = "") -> tuple[str, list[str]]:
    """The command that the arguments begin with, and the rest of them; empty where the overview is asked for.

    `default` stands for a command that is not named. An unknown one ends the program with status 2.
    """
    first = arguments[0] if arguments else ""
    if first in ("-h", "--help"):
        return "", []
    if first in known:
        return first, list(arguments[1:])
    if not first or first.startswith("-"):
        return default, list(arguments)
    refuse(prog, "command", first, known)


def refuse(prog: str, kind: str, word: str, known: Collection[str]) -> NoReturn:
    """End the program with status 2: a word that is not among those there are, and which was probably meant."""
    names = ", ".join(map(repr, known))
    print(f"{prog}: unknown {kind} {word!r}; known: {names}{meant(word, known)}", file=sys.stderr)
    sys.exit(2)


def overview(usage: str, about: str, groups: Mapping[str, Mapping[str, str]]) -> str:
    """Text of --help: usage, what it is, and each group's entries (commands, options) with a sentence each."""
    column = 4 + max(len(name) for group in groups.values() for name in group)
    return "\n\n".join([f"usage: {usage}", about.strip(), *(_listed(t, group, column) for t, group in groups.items())])


def _listed(title: str, entries: Mapping[str, str], column: int) -> str:
    """A title and its entries, their texts wrapped in a column of their own; several lines of a text stay lines."""
    lines, width = [f"{title}:"], min(WIDEST, shutil.get_terminal_size((WIDEST, 0)).columns)
    for name, text in entries.items():
        first = f"  {name}".ljust(column)
        for line in text.splitlines():
            lines.append(textwrap.fill(line, width, initial_indent=first, subsequent_indent=" " * column))
            first = " " * column
    return "\n".join(lines)


def summary(documented: object) -> str:
    """First paragraph of a docstring, in one line."""
    return " ".join((documented.__doc__ or "").split("\n\n")[0].split())
