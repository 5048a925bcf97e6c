"""CAS(ME)^3 (Li et al., TPAMI 2023), colour frames, 30 a second: part A (evoked by videos) and part C (a mock crime).

Part A: `part_A/spNO.1/a/color/<frame>.jpg`; a folder holds a whole video, and the sheet names it once for each of its
micro-expressions, so these are told apart by their onset: a-1663. Or each cut out, as
`Part_A_ME_clip/frame/spNO.1_a_1663/<frame>.jpg`. Part C: `part_C/01/a/color/<frame>.jpg`, or one folder for each
micro-expression, `part_C/01/<count>/color/`; its sheet states no apex.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from mer_tf.datasets.adapters.folders import ClipFolders, event_fields, frames_home, listed, subject_number, told_apart
from mer_tf.datasets.adapters.listing import Event, Listing, is_folder, subfolders
from mer_tf.datasets.adapters.sheets import SheetRow, find_sheet, read_sheet
from mer_tf.datasets.names import one_of_each, plain_case, plain_name

FPS = 30.0
A_SHEETS = (
    "cas(me)3_part_A_ME_label_JpgIndex_v2*",
    "cas(me)3_part_A_ME_label_JpgIndex*",
    "CAS(ME)3_part_A_v2*",
    "CAS(ME)3_part_A_v1*",
)
A_HOMES = ("part_A", "ME_A", "ME_A_cropped", "Part_A_ME_clip")
A_COLUMNS = {
    "subject": ("Subject",),
    "video": ("Filename",),
    "onset": ("Onset",),
    "apex": ("Apex",),
    "offset": ("Offset",),
    "aus": ("AU", "AUs"),
    "objective": ("Objective class",),
    "emotion": ("emotion",),
    "type": ("Expression type",),
}
C_SHEETS = ("CAS(ME)3_part_C_ME*", "CAS(ME)3_part_C*")
C_HOMES = ("part_C", "ME_C", "ME_C_cropped")
C_COLUMNS = {
    "subject": ("sub", "Subject"),
    "count": ("count",),
    "onset": ("onset",),
    "offset": ("offset",),
    "aus": ("au", "AU"),
    "emotion": ("emotion",),
}


def casme3_a_listing(root: Path, sheet: Path | None = None) -> Listing:
    """Micro-expressions of part A under `root`; rows of another expression type (the sheet of all) are passed over.

    The sheets of 2022 and 2023 spell a label `others` and `Others`: labels are in lower case here.
    """
    folders = ClipFolders(frames_home(root, A_HOMES, r"spNO\.?\d+(_[a-z]+_\d+)?"))
    cut = {plain_case(folder.name): folder for folder in subfolders(folders.home)}
    path = find_sheet(root, A_SHEETS, sheet)
    table = read_sheet(path, columns=A_COLUMNS, header_key="Subject", optional=("objective", "type", "emotion"))
    table.problems.extend(folders.problems)
    if not any(row.text("emotion") for row in table.rows):
        table.problems.append(f"{path}: states no emotions, so no clip has a label; give the JpgIndex sheet for them")
    rows = [
        row for row in table.rows if row.text("type").casefold().startswith(("micro", "me")) or not row.text("type")
    ]
    return listed(root, table, told_apart([e for row in rows if (e := _a_event(row, folders, cut))], always=True))


def casme3_c_listing(root: Path, sheet: Path | None = None) -> Listing:
    """Micro-expressions of part C under `root`."""
    home, path = frames_home(root, C_HOMES, r"(sub)?\d+"), find_sheet(root, C_SHEETS, sheet)
    table = read_sheet(path, columns=C_COLUMNS, header_key=None)
    people = one_of_each(subfolders(home), lambda p: plain_name(p.name).removeprefix("sub"), table.problems)
    return listed(root, table, (_c_event(row, home, people) for row in table.rows))


def _a_event(row: SheetRow, folders: ClipFolders, cut: Mapping[str, Path]) -> Event | None:
    stated = event_fields(row, ("subject", "video"))
    if stated is None:
        return None
    subject, video = row.text("subject"), row.text("video")
    return Event(
        clip_id=f"casme3-a/{subject}/{video}",
        subject=f"cas_me_3/{subject}",
        folder=cut.get(plain_case(f"{subject}_{video}_{stated['onset']}")) or _colour(folders.find(subject, video)),
        **stated,
        fps=FPS,
        label_raw=row.text("emotion").casefold(),
        objective=row.text("objective"),
    )


def _c_event(row: SheetRow, home: Path, people: Mapping[str, Path]) -> Event | None:
    stated = event_fields(row, ("subject", "count"), apex=False)
    if stated is None or (number := subject_number(row)) is None:
        return None
    subject, count = f"{number:02d}", row.text("count").lstrip("/")
    return Event(
        clip_id=f"casme3-c/{subject}/{count}",
        subject=f"cas_me_3/C{subject}",
        folder=_c_folder(people.get(plain_name(subject), home / subject), count),
        **stated | {"aus": re.sub(r"\s*[,，]\s*", "+", row.text("aus"))},
        fps=FPS,
        label_raw=row.text("emotion").casefold(),
    )


def _c_folder(person: Path, count: str) -> Path:
    """Frames of a micro-expression: in a folder of its own, or in that of the person's one video."""
    if not is_folder(person / count):
        videos = [folder for folder in subfolders(person) if is_folder(folder / "color")]
        if len(videos) == 1:
            return videos[0] / "color"
    return _colour(person / count)


def _colour(folder: Path) -> Path:
    """The colour frames of a folder that holds color/ and depth/, or the folder itself where the depth was left out."""
    return folder / "color" if is_folder(folder / "color") or not is_folder(folder) else folder
