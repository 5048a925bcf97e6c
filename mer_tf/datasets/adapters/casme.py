"""CASME (Yan et al., FG 2013): `CASME_raw_selected|Cropped/sub01/<clip>/*.jpg`, 60 frames a second.

The sheet gives two apexes for some clips; the first is taken. Of the 195 clips the paper counts, 189 are usable.
"""

from __future__ import annotations

from pathlib import Path

from mer_tf.datasets.adapters.folders import ClipFolders, frames_home, span
from mer_tf.datasets.adapters.listing import Event, Listing, ListingBuilder
from mer_tf.datasets.adapters.sheets import SheetRow, find_sheet, read_sheet
from mer_tf.datasets.names import number_in

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
    root = Path(root)
    folders = ClipFolders(frames_home(root, HOMES, r"sub\d+"))
    table = read_sheet(find_sheet(root, SHEETS, sheet), columns=COLUMNS, header_key=None)
    builder = ListingBuilder(root, table.sha256, problems=table.problems)
    builder.problems += folders.problems
    builder.add_all(_event(row, folders) for row in table.rows)
    builder.unlisted(folders.all, table.path)
    return builder.listing()


def _event(row: SheetRow, folders: ClipFolders) -> Event | None:
    frames, subject = span(row, ("subject", "clip")), _subject(row)
    if frames is None or subject is None:
        return None
    onset, apex, offset = frames
    return Event(
        clip_id=f"casme/{subject}/{row.text('clip')}",
        dataset="casme",
        subject=f"casme/{subject}",
        folder=folders.find(subject, row.text("clip")),
        onset=onset,
        apex=apex,
        offset=offset,
        fps=FPS,
        label_raw=row.text("emotion").casefold(),
        aus=row.text("aus"),
        where=row.where,
    )


def _subject(row: SheetRow) -> str | None:
    """The folder's name of a subject, sub01, for 1, "01" or "sub01" in the sheet; None, and a problem, else."""
    if (number := number_in(row.text("subject"))) is not None:
        return f"sub{number:02d}"
    if row.text("subject"):
        row.problems.append(f"{row.where}: subject {row.text('subject')!r} holds no number; correct the cell")
    return None
