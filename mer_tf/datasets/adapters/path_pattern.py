"""Patterns of paths, such as `{subject}/{label}/{clip}`: read, matched, and guessed from the paths that are there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from mer_tf.config import MerError

FIELDS = ("subject", "label", "clip")
_PERSON = re.compile(r"(s|sub|subj|subject|p|person|participant|id|proband)?[-_ ]*\d+[a-z]?", re.IGNORECASE)
"""How people's folders are mostly named: s01, sub-3, 006."""
ABOVE = 2
"""Levels of folders above the clips that may name subject and class."""
WITHIN = frozenset({"frames", "images", "img", "color", "rgb", "cropped", "faces"})
"""Names of a folder within each clip."""
_PREFIX = re.compile(rf"(?P<subject>{_PERSON.pattern})[-_](?P<clip>.+)", re.IGNORECASE)


@dataclass(frozen=True)
class PathPattern:
    """Parts divided by `/`: `{subject}`, `{label}`, `{clip}` stand for text, `*` for any part, the rest for itself."""

    text: str

    def __post_init__(self) -> None:
        named = re.findall(r"\{([^{}]*)\}", self.text)
        if unknown := sorted({name for name in named if name not in FIELDS}):
            raise MerError(
                f"data.pattern={self.text}: knows no {{{unknown[0]}}}; use {{subject}}, {{label}}, {{clip}}, *"
            )
        if "clip" not in named and not self.text.endswith("*"):
            raise MerError(
                f"data.pattern={self.text}: names no clip; end it with {{clip}}, as {{subject}}/{{label}}/{{clip}}"
            )
        if twice := [name for name in FIELDS if named.count(name) > 1]:
            raise MerError(f"data.pattern={self.text}: has {{{twice[0]}}} twice; name each once")

    @cached_property
    def _regex(self) -> re.Pattern[str]:
        parts = re.split(r"(\{\w+\}|\*)", self.text.strip("/"))
        return re.compile("".join(self._piece(part, parts[k + 1 : k + 2]) for k, part in enumerate(parts)))

    @staticmethod
    def _piece(part: str, following: Sequence[str]) -> str:
        if part.startswith("{"):
            # Within one name the first field ends at the first sign that divides it from the next: s01 of s01_a_2.
            few = "?" if following and following[0] and not following[0].startswith("/") else ""
            return f"(?P<{part[1:-1]}>[^/]+{few})"
        return "[^/]*" if part == "*" else re.escape(part)

    def match(self, path: str) -> dict[str, str] | None:
        """What the fields are in a path, with or without the ending of a video; None where it does not fit."""
        for tried in (path, re.sub(r"\.\w{2,4}$", "", path)):
            if found := self._regex.fullmatch(tried):
                return found.groupdict()
        return None


def fitting_patterns(paths: Sequence[str]) -> list[str]:
    """The usual patterns that fit all paths, the most telling ones alone; several where names do not decide.

    Folders of one name below the clips (frames/) and far above them stand for themselves.
    """
    split = [path.split("/") for path in paths]
    if len({len(parts) for parts in split}) != 1:
        return []
    levels = list(zip(*split, strict=True))
    same = [len(set(level)) == 1 and len(paths) > 1 for level in levels]
    last = len(levels) - 1
    while last and same[last] and (last > ABOVE or levels[last][0].casefold() in WITHIN):
        last -= 1
    above = list(range(last))
    while len(above) > ABOVE and same[above[0]]:
        above.pop(0)
    fixed = [None if k in above else level[0] for k, level in enumerate(levels)]
    return [
        _joined(fixed, above, last, names, stem)
        for names in _above([levels[k] for k in above])
        for stem in _stems(levels[last], names)
    ]


def _above(levels: Sequence[Sequence[str]]) -> Iterator[tuple[str, ...]]:
    """What one or two levels above the clips may be."""
    people = [all(_PERSON.fullmatch(name) for name in level) for level in levels]
    if len(levels) == 1 and not people[0]:
        yield ("label",)
    if len(levels) == 2:
        both = (("subject", "label"), ("label", "subject"))
        decided = [pair for pair, person in zip(both, people, strict=True) if person]
        yield from decided if len(decided) == 1 else both


def _stems(names: Sequence[str], above: Sequence[str]) -> Iterator[str]:
    """How the clip's own name is read: it begins with the subject where no folder names it, and people come again."""
    begun = [_PREFIX.fullmatch(name) for name in names]
    people = {found["subject"] for found in begun if found}
    if "subject" not in above and all(begun) and 1 < len(people) < len(names):
        sign = "_" if all("_" in name for name in names) else "-"
        yield "{subject}" + sign + "{clip}"
        return
    yield "{clip}"


def _joined(fixed: Sequence[str | None], above: Sequence[int], last: int, names: Sequence[str], stem: str) -> str:
    fields = {place: f"{{{name}}}" for place, name in zip(above, names, strict=True)} | {last: stem}
    return "/".join(fields.get(k) or str(name) for k, name in enumerate(fixed))
