"""What the adapters of sheet-annotated data sets share: where the frames lie, and which frames a row speaks of."""

from __future__ import annotations

import dataclasses
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from mer_tf.config import MerError
from mer_tf.datasets.adapters.listing import Event, Listing, ListingBuilder, subfolders
from mer_tf.datasets.adapters.sheets import Sheet, SheetRow
from mer_tf.datasets.names import clashes, number_in, one_of_each, plain_case, plain_name

Clip = TypeVar("Clip")
UNLIKE = (3, 0)
DEEPEST = 3
"""Levels below the root where the frames are looked for: archives and people nest folders."""


def frames_home(root: Path, names: Sequence[str], child: str, *, named: bool = False) -> Path:
    """Folder some of whose children fit the pattern `child` (whatever the case), such as `sub\\d+`.

    The first of `names` under `root`, a folder of any name within that (archives unpack so), `root` itself, or else
    `nested_home`. `MerError` when there is none, or more than one of a name.
    """
    for name in names:
        folders = [folder for folder in subfolders(root) if folder.name.casefold() == name.casefold()]
        if found := [folder for folder in folders if holds(folder, child)]:
            return _only(root, found)
        inner = [f for folder in folders for f in subfolders(folder) if f.name.casefold() != "depth"]
        if found := [folder for folder in inner if holds(folder, child)]:
            return found[0]
    if holds(root, child):
        return root
    if found_deeper := nested_home(root, names, child, named=named):
        return found_deeper
    there = ", ".join(f.name for f in subfolders(root)[:8]) or "no folder"
    raise MerError(
        f"{root}: neither it nor a folder {', '.join(names)} in it holds folders like {child} (found: {there}); "
        "the root must be the data set's folder as it was downloaded"
    )


def nested_home(root: Path, names: Sequence[str], child: str, *, named: bool = False) -> Path | None:
    """The folder up to `DEEPEST` levels below `root` with children like `child` that is named most like `names`.

    A name counts where a folder above or at the place begins with it, or holds it, blanks, signs and case aside:
    Cropped-updated, CASME2_preprocessed_<a person>. `named`: others are not taken. `MerError` when several are as good;
    None when there is none.
    """
    level, found = subfolders(root), []
    for _ in range(DEEPEST):
        found += [folder for folder in level if holds(folder, child)]
        level = [f for folder in level if folder not in found for f in subfolders(folder)]
    ranked = [(_likeness(folder.relative_to(root).parts, names), len(folder.parts), folder) for folder in found]
    ranked = [rank for rank in ranked if not named or rank[0] < UNLIKE]
    if not ranked:
        return None
    best = min(ranked)[:2]
    return _only(root, [folder for *rank, folder in ranked if tuple(rank) == best])


def holds(folder: Path, child: str) -> bool:
    """Whether a folder in `folder` fits the pattern `child`, whatever its case."""
    return any(re.fullmatch(child, inner.name, re.IGNORECASE) for inner in subfolders(folder))


def _likeness(parts: Sequence[str], names: Sequence[str]) -> tuple[int, int]:
    """How little a path is like `names`: (0, i) for a part that is the i-th, (1, i) begins with it, (2, i) holds it."""
    plain = [re.sub(r"[\W_]", "", part).casefold() for part in parts]
    ranks = [UNLIKE]
    for place, name in enumerate(re.sub(r"[\W_]", "", n).casefold() for n in names):
        tests = (name in plain, any(p.startswith(name) for p in plain), any(name in p for p in plain))
        ranks += [(kind, place) for kind, fits in enumerate(tests) if fits]
    return min(ranks)


def _only(root: Path, found: Sequence[Path]) -> Path:
    """The one folder of `found`; two of them are a choice that is the user's."""
    if len(found) > 1:
        several = ", ".join(str(folder.relative_to(root)) for folder in found[:4])
        raise MerError(f"{root}: several folders may hold the clips ({several}); give one of them as the root")
    return found[0]


class ClipFolders:
    """The folders two levels below `home`: subject/clip or emotion/clip, one of each name.

    key: what a parent's name says, by default its `plain_name`; parents of key None are no part of the data set.
    """

    def __init__(self, home: Path, key: Callable[[str], str | None] = plain_name) -> None:
        self.home, self._key = home, key
        self.problems: list[str] = []
        """Folders that are one and the same name; the first of each is taken."""
        parents = subfolders(home)
        for same in clashes(parents, lambda parent: key(parent.name)):
            names = " and ".join(parent.name for parent in same)
            self.problems.append(f"{home}: {names} are one and the same name, and read as one; merge or rename them")
        clips = [clip for parent in parents if key(parent.name) is not None for clip in subfolders(parent)]
        self._by_names = one_of_each(clips, lambda clip: self._name(clip.parent.name, clip.name), self.problems)
        self.all = list(self._by_names.values())

    def find(self, parent: str, name: str) -> Path:
        """The folder parent/name, whatever its case; where it should be, always below `home`, when it is not there."""
        expected = self.home / parent.lstrip("/") / name.lstrip("/")
        return self._by_names.get(self._name(parent, name), expected)

    def _name(self, parent: str, name: str) -> str:
        return f"{self._key(parent)}/{plain_case(name)}"


def listed(root: Path, table: Sheet, events: Iterable[Event | None], folders: ClipFolders | None = None) -> Listing:
    """The listing of a sheet whose rows are `events`; those of the `folders` that no row names are problems."""
    builder = ListingBuilder(root, table.sha256, problems=table.problems)
    if folders:
        builder.problems += folders.problems
    builder.add_all(events)
    if folders:
        builder.unlisted(folders.all, table.path)
    return builder.listing()


def event_fields(row: SheetRow, names: Sequence[str] = (), *, apex: bool = True) -> dict[str, Any] | None:
    """`onset`, `apex` (None without such a column), `offset`, `aus` and `where` of a row, as an `Event` takes them.

    None, and a problem, when onset or offset is no whole number or one of the cells `names`, which name the clip, is
    empty.
    """
    if empty := [name for name in names if not row.text(name)]:
        row.problems.append(f"{row.where}: {' and '.join(empty)} not given, so the row is left out; fill the cell")
        return None
    onset, offset = row.integer("onset"), row.integer("offset")
    middle = row.integer("apex", optional=True) if apex else None
    if onset is None or offset is None:
        return None
    return {"onset": onset, "apex": middle, "offset": offset, "aus": row.text("aus"), "where": row.where}


def subject_number(row: SheetRow) -> int | None:
    """The number in a row's subject: 1 for 1, "01" or "sub01"; None, and a problem, for a text without a number."""
    text = row.text("subject")
    if (number := number_in(text)) is None and text:
        row.problems.append(f"{row.where}: subject {text!r} holds no number; correct the cell")
    return number


def told_apart(clips: Sequence[Clip], *, always: bool) -> list[Clip]:
    """Dataclasses of one `clip_id` told apart by their `onset`: a-1663. Without `always` a single one stays bare.

    A running number would hand an id on to another clip when one row of the sheet cannot be read.
    """
    found: Sequence[Any] = clips
    onsets: dict[str, set[int | None]] = defaultdict(set)
    for clip in found:
        onsets[clip.clip_id].add(clip.onset)
    shared = {clip_id for clip_id, starts in onsets.items() if always or len(starts) > 1}
    return [
        dataclasses.replace(clip, clip_id=f"{clip.clip_id}-{clip.onset}")
        if clip.clip_id in shared and clip.onset is not None
        else clip
        for clip in found
    ]
