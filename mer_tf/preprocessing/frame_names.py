"""Which files of a folder are frames, and the number of each, from the names alone.

The frames of a clip share one pattern, such as `reg_image#.bmp`, and differ in a number. What Windows or macOS made of
one of them (`reg_image000125 (2).bmp`, `._reg_image000125.bmp`) does not fit, and is no frame.
"""

from __future__ import annotations

import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from mer_tf.config import MerError
from mer_tf.files import hidden

SUFFIXES = frozenset({".bmp", ".jpg", ".jpeg", ".png"})
MOST = 2**63 - 1
"""The greatest frame number: records keep them in 64 bits."""
SHOWN = 3
"""How many files a message names."""
FEWEST_THINNED = 3
"""Frames that show an equal step between their numbers."""
DIGITS = re.compile(r"(\d+)")
ENDING = re.compile(r"(\.(bmp|jpe?g|png))+$", re.IGNORECASE)
"""A suffix, or several: systems that hide suffixes lead to img1.jpg.jpg."""


@dataclass(frozen=True)
class FrameNames:
    """The frames of a folder by number, and its image files that are none."""

    numbers: list[int]
    """Ascending, none twice."""
    names: list[str]
    """File names in that order."""
    strangers: list[str]
    """Image files that do not fit the others' pattern; sorted."""
    no_files: list[str]
    """Those of all names behind which is no file, but a folder, a pipe, or a link to nothing; sorted."""

    def said(self, folder: Path) -> str:
        """What is wrong with some of the files, in a sentence or two; "" when nothing is."""
        parts = []
        if self.strangers:
            parts.append(
                f"{len(self.strangers)} image file(s) do not fit the names of the others ({self.names[0]} ...) and are "
                f"left out: {_few(self.strangers)}; rename or remove them"
            )
        if self.no_files:
            parts.append(f"{_few(self.no_files)}: there is no file of this name that can be read; copy it again")
        return f"{folder}: {'. '.join(parts)}" if parts else ""


def frame_names(folder: Path) -> FrameNames:
    """The image files of a folder whose names fit the pattern that most share, by the number in which they differ.

    Hidden and system files are passed over. `MerError` for no image, no number, no pattern of more than half of the
    files, a number twice, or one beyond 64 bits.
    """
    names: list[str] = []
    odd: list[str] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if os.path.splitext(entry.name)[1].lower() in SUFFIXES and not hidden(entry.name):  # noqa: PTH122 - a Path
                names.append(entry.name)  # per frame is ten times slower
                odd += [] if _is_file(entry) else [entry.name]
    if not names:
        raise MerError(f"{folder}: holds no frame ({', '.join(sorted(SUFFIXES))}); copy the clip again or remove it")
    try:
        fitting, numbers = _numbered(names)
    except MerError as error:
        raise MerError(f"{folder}: {error}") from None
    return FrameNames(*_ascending(folder, fitting, numbers), sorted(set(names) - set(fitting)), sorted(odd))


def thinned(numbers: Sequence[int], onset: int, offset: int) -> int:
    """n when ascending `numbers` are every n-th one, n > 1, from `onset` to `offset`, as of a clip thinned on purpose.

    0 when they are not, and of fewer than three, which show no equal step.
    """
    steps = {b - a for a, b in pairwise(numbers)}
    step = steps.pop() if len(steps) == 1 and len(numbers) >= FEWEST_THINNED else 0
    return step if step > 1 and numbers[0] < onset + step and numbers[-1] > offset - step else 0


def gaps(numbers: Sequence[int]) -> str:
    """Which numbers are missing between the first and the last of ascending `numbers`; "" when none is."""
    missing = [(a + 1, b - 1) for a, b in pairwise(numbers) if b > a + 1]
    parts = [str(first) if first == last else f"{first} to {last}" for first, last in missing[:SHOWN]]
    return ", ".join(parts) + (f" and {len(missing) - SHOWN} more gap(s)" if len(missing) > SHOWN else "")


def _numbered(names: Sequence[str]) -> tuple[list[str], list[int]]:
    """The names that share the commonest pattern, and the number of each."""
    parts = {name: DIGITS.split(ENDING.sub("", name)) for name in names}
    groups: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for name, split in parts.items():
        if len(split) > 1:
            groups[tuple(text.casefold() for text in split[::2])].append(name)
    if not groups:
        raise MerError(f"no frame number in the file name {min(names)}; rename it, e.g. to reg_image001.jpg")
    pattern, fitting = max(groups.items(), key=lambda group: len(group[1]))
    if 2 * len(fitting) <= sum(map(len, groups.values())):
        raise MerError(
            f"its {len(names)} images follow no one pattern: {len(fitting)} are like {'#'.join(pattern)}; keep one kind"
        )
    return fitting, _varying([[int(digits) for digits in parts[name][1::2]] for name in fitting])


def _varying(fields: Sequence[Sequence[int]]) -> list[int]:
    """One number of each name, by which the names differ: the last one that no two names share, or else the last."""
    columns = list(zip(*fields, strict=True))
    varying = [column for column in columns if len(set(column)) > 1]
    distinct = [column for column in varying if len(set(column)) == len(column)]
    return list((distinct or varying or columns)[-1])


def _ascending(folder: Path, names: Sequence[str], numbers: Sequence[int]) -> tuple[list[int], list[str]]:
    pairs = sorted(zip(numbers, names, strict=True))
    if pairs[-1][0] > MOST:
        raise MerError(f"{folder}: the number of {pairs[-1][1]} is beyond 64 bits, so no frame's; rename the file")
    repeated = [number for number, count in Counter(numbers).items() if count > 1]
    if repeated:
        same = _few([name for number, name in pairs if number == min(repeated)])
        raise MerError(f"{folder}: frame number {min(repeated)} occurs more than once ({same}); remove all but one")
    return [number for number, _ in pairs], [name for _, name in pairs]


def _is_file(entry: os.DirEntry[str]) -> bool:
    """Whether an entry is a file, or a link to one: no folder, pipe, or link to nothing or to itself."""
    try:
        return entry.is_file()
    except OSError:
        return False


def _few(names: Iterable[str]) -> str:
    shown = list(names)
    return ", ".join(shown[:SHOWN]) + (" ..." if len(shown) > SHOWN else "")
