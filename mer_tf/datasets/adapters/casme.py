"""CASME (Yan et al., FG 2013): `CASME_raw_selected|Cropped/sub01/<clip>/*.jpg`, 60 frames a second.

The sheet gives two apexes for some clips; the first is taken. Of the 195 clips the paper counts, 189 are usable.
"""

from __future__ import annotations

from pathlib import Path

from mer_tf.datasets.adapters.folders import ClipFolders, event_fields, frames_home, listed, subject_number
from mer_tf.datasets.adapters.listing import Event, Listing
from mer_tf.datasets.adapters.sheets import SheetRow, find_sheet, read_sheet

FPS = 60.0
SHEETS = ("CASME-coding*", "CASME_coding*", "CASME.*", "CASME-*", "CASME_*")
HOMES = ("Cropped", "CASME_raw_selected", "raw_selected")
COLUMNS = {
    "subject": ("Subject",),
    "clip": ("Filename",),
    "onset": ("OnsetF", "OnsetFrame", "Onset"),
    "apex": ("ApexF1", "ApexF", "ApexFrame", "Apex"),
    "offset": ("OffsetF", "OffsetFrame", "Offset"),
    "aus": ("AU", "AUs", "Action Units"),
    "emotion": ("Emotion", "Estimated Emotion"),
}


def casme_listing(root: Path, sheet: Path | None = None) -> Listing:
    """Clips of CASME under `root`; with both trees there, those of `Cropped` (name the other as root to have it)."""
    folders = ClipFolders(frames_home(root, HOMES, r"sub\d+"))
    table = read_sheet(find_sheet(root, SHEETS, sheet), columns=COLUMNS, header_key=None)
    return listed(root, table, (_event(row, folders) for row in table.rows), folders)


def _event(row: SheetRow, folders: ClipFolders) -> Event | None:
    stated, number = event_fields(row, ("subject", "clip")), subject_number(row)
    if stated is None or number is None:
        return None
    subject = f"sub{number:02d}"
    return Event(
        clip_id=f"casme/{subject}/{row.text('clip')}",
        subject=f"casme/{subject}",
        folder=folders.find(subject, row.text("clip")),
        **stated,
        fps=FPS,
        label_raw=row.text("emotion").casefold(),
    )
