"""Names that say the same: people and systems write sub1 and sub01, Cropped and cropped, é as one sign or as two."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

Item = TypeVar("Item")


def plain_case(name: str) -> str:
    """A name without outer blanks, case and ways of composing letters."""
    return unicodedata.normalize("NFKC", name).strip().casefold()


def plain_name(name: str) -> str:
    """`plain_case`, and without the zeros that lead a number: sub1 of sub01."""
    return re.sub(r"(?<!\d)0+(?=\d)", "", plain_case(name))


def number_in(text: str) -> int | None:
    """The first whole number of at most nine digits in a subject's name; None without one."""
    found = re.search(r"(?<!\d)\d{1,9}(?!\d)", text)
    return int(found[0]) if found else None


def clashes(items: Iterable[Item], key: Callable[[Item], str | None]) -> list[list[Item]]:
    """Groups of two and more items of one key, in the order given; items of key None belong to none."""
    groups: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        if (name := key(item)) is not None:
            groups[name].append(item)
    return [group for group in groups.values() if len(group) > 1]


def one_of_each(
    folders: Sequence[Path],
    key: Callable[[Path], str | None],
    problems: list[str],
    fate: str = "the first is taken",
) -> Mapping[str, Path]:
    """Key -> its folder. Of several folders of one key the first is taken, and that is a problem; `fate` says so."""
    for first, *others in clashes(folders, key):
        rest = " and ".join(map(str, others))
        problems.append(f"{first} and {rest} are one and the same name; {fate}, merge or rename them")
    found: dict[str, Path] = {}
    for folder in folders:
        if (name := key(folder)) is not None:
            found.setdefault(name, folder)
    return found


def clashing_names(names: Iterable[str], plain: Callable[[str], str]) -> list[str]:
    """One sentence for each group of names that differ, but are one by `plain`."""
    groups = clashes(sorted(set(names)), plain)
    return [f"{' and '.join(group)} are written in different ways and may be one" for group in groups]
