"""MMEW (Ben et al., TPAMI 2021): `Micro_Expression/<emotion>/S01-01-001/<1..>.jpg`, 90 frames a second.

The frames of every clip are numbered from 1. Sheet and folder both state the emotion: the sheet is followed, and where
they differ it is a problem.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from mer_tf.datasets.adapters.folders import ClipFolders, event_fields, frames_home, listed
from mer_tf.datasets.adapters.listing import Event, Listing
from mer_tf.datasets.adapters.sheets import SheetRow, find_sheet, read_sheet
from mer_tf.datasets.names import number_in, one_of_each, plain_case

FPS = 90.0
SHEETS = ("MMEW_Micro_Exp.*", "MMEW_Micro_Exp*")
HOMES = ("Micro_Expression",)
BY_SHEET = "the one of the sheet's emotion is taken"
EMOTIONS = ("happiness", "anger", "surprise", "disgust", "fear", "sadness", "others")
COLUMNS = {
    "subject": ("Subject",),
    "clip": ("Filename",),
    "onset": ("OnsetFrame", "Onset"),
    "apex": ("ApexFrame", "Apex"),
    "offset": ("OffsetFrame", "Offset"),
    "aus": ("Action Units", "AU"),
    "emotion": ("Estimated Emotion", "Emotion"),
}


def mmew_listing(root: Path, sheet: Path | None = None) -> Listing:
    """Micro-expressions of MMEW under `root`; its macro-expressions are not listed."""
    folders = ClipFolders(frames_home(root, HOMES, "|".join(EMOTIONS), named=True))
    table = read_sheet(find_sheet(root, SHEETS, sheet), columns=COLUMNS, header_key="Subject")
    by_name = one_of_each(folders.all, lambda folder: plain_case(folder.name), folders.problems, BY_SHEET)
    return listed(root, table, (_event(row, folders, by_name) for row in table.rows), folders)


def _event(row: SheetRow, folders: ClipFolders, by_name: Mapping[str, Path]) -> Event | None:
    stated, clip, emotion = event_fields(row, ("clip",)), row.text("clip"), row.text("emotion").casefold()
    named = re.match(r"S0*(\d{1,9})-", clip, re.IGNORECASE)
    subject = int(named[1]) if named else number_in(row.text("subject"))
    if stated is None:
        return None
    if subject is None:
        row.problems.append(f"{row.where}: neither subject nor clip {clip!r} states the person's number; fill the cell")
        return None
    own = folders.find(emotion, clip)
    folder = own if own in folders.all else by_name.get(plain_case(clip), own)
    if folder.parent.name.casefold() != emotion:
        row.problems.append(
            f"{row.where}: clip {clip} is {emotion!r} in the sheet and lies in the folder {folder.parent.name!r}; the "
            "sheet is followed, correct the wrong one"
        )
    person = f"S{subject:02d}"
    return Event(
        clip_id=f"mmew/{person}/{clip}",
        subject=f"mmew/{person}",
        folder=folder,
        **stated,
        fps=FPS,
        label_raw=emotion,
    )
