"""CAS(ME)^2 (Qu et al., 2018), long videos: `rawpic|cropped/s15/15_0101disgustingteeth/img001.jpg`, 30 frames a second.

The sheet has no header. It counts participants from 1 and names videos by emotion (disgust1_1: first expression in the
video disgust1); two more tabs, the naming rules, translate both to folder names. Micro- and macro-expressions stand
side by side: a row's `session` is its expression type, `micro-expression` or `macro-expression`. Where the offset is 0
it was not coded, and the apex is taken for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from mer_tf.config import MerError
from mer_tf.datasets.adapters.folders import ClipFolders, event_fields, frames_home, told_apart
from mer_tf.datasets.adapters.listing import Event, Listing, ListingBuilder
from mer_tf.datasets.adapters.sheets import Sheet, SheetRow, find_sheet, read_sheet

FPS = 30.0
SHEETS = ("CAS(ME)^2code_final(Updated)*", "CAS(ME)^2code_final.Updated*", "CAS(ME)^2code_final*", "*code_final*")
HOMES = ("rawpic", "cropped", "selectedpic")
COLUMNS = ("participant", "video", "onset", "apex", "offset", "aus", "emotion", "type", "felt")
RULES = ("a", "b", "c")


def casme_sq_listing(root: Path, sheet: Path | None = None) -> Listing:
    """Micro- and macro-expressions of CAS(ME)^2 under `root`; several lie in one folder of frames.

    With several trees there the first of rawpic, cropped, selectedpic is taken (name another as root to have it). A
    folder may hold a whole video or a single expression (s15/anger1_1).
    """
    home, path = frames_home(root, HOMES, r"s\d+"), find_sheet(root, SHEETS, sheet)
    table = _tab(path, 0, COLUMNS)
    names = _Names(path, home)
    builder = ListingBuilder(root, table.sha256, problems=table.problems)
    rows = [row for row in table.rows if row.text("participant").casefold() != "participant"]
    builder.add_all(told_apart([event for row in rows if (event := _event(row, names, builder.notes))], always=False))
    builder.problems += names.problems
    return builder.listing()


class _Names:
    """The naming rules: from participant and video of the sheet to the subject and the folder of the frames."""

    def __init__(self, path: Path, home: Path) -> None:
        """`MerError` when the rules are not in the second and third tab of the sheet."""
        self.path, self.folders = path, ClipFolders(home)
        self.problems = self.folders.problems
        subjects, videos = (_tab(path, tab, RULES).rows for tab in (1, 2))
        self.subjects = self._unique(
            (r, r.text("c"), f"s{d[0]}") for r in subjects if (d := re.search(r"\d+", r.text("b")))
        )
        self.codes = self._unique((r, r.text("b").casefold(), r.text("a").zfill(4)) for r in videos)
        if not any(key.isdigit() for key in self.subjects) or not any(c.isdigit() for c in self.codes.values()):
            raise MerError(
                f"{path}: the tabs after the first are not the naming rules (s15 and 1 in the columns 2 and 3, then "
                "0101 and disgust1 in the columns 1 and 2); is it the published sheet?"
            )

    def folder(self, subject: str, video: str) -> Path | None:
        """Folder of an expression, s15/anger1_1, or else of its video, which begins with number and code: 15_0401."""
        code = self.codes.get(video.split("_")[0].casefold())
        if code is None:
            return None
        own, start = self.folders.find(subject, video), f"{subject[1:]}_{code}"
        if own in self.folders.all:
            return own
        whole = [folder for folder in self.folders.all if folder.name.startswith(start)]
        if len(whole) > 1:
            said = f"{' and '.join(map(str, whole))} both begin with {start}; the first is taken, remove or rename one"
            self.problems += [said] if said not in self.problems else []
        return whole[0] if whole else self.folders.find(subject, start)

    def _unique(self, rules: Iterable[tuple[SheetRow, str, str]]) -> dict[str, str]:
        """Name -> what the first rule says of it; another rule that says something else is a problem."""
        found: dict[str, str] = {}
        for row, name, value in rules:
            if found.setdefault(name, value) != value:
                self.problems.append(f"{row.where}: {name} is {found[name]} in a rule above; that is taken, remove one")
        return found


def _tab(path: Path, tab: int, names: tuple[str, ...]) -> Sheet:
    return read_sheet(path, columns={n: (n,) for n in names}, header_key=None, tab=tab, has_header=False)


def _event(row: SheetRow, names: _Names, notes: list[str]) -> Event | None:
    video, subject = row.text("video"), names.subjects.get(row.text("participant"))
    folder = names.folder(subject, video) if subject else None
    if subject is None or folder is None:
        row.problems.append(
            f"{row.where}: participant {row.text('participant')!r} or video {video!r} is not in the naming rules of "
            f"{names.path.name}; add it there"
        )
        return None
    if (stated := event_fields(row)) is None:
        return None
    if stated["offset"] == 0 and (apex := stated["apex"]) is not None:
        notes.append(f"{row.where}: offset 0 was not coded, and the apex {apex} is read as offset")
        stated["offset"] = apex
    return Event(
        clip_id=f"casme-sq/{subject}/{video}",
        subject=f"cas_me_2/{subject}",
        folder=folder,
        **stated,
        fps=FPS,
        label_raw=row.text("emotion").casefold(),
        session=row.text("type").casefold(),
    )
