"""4DME (Li et al., TAC 2022), grey videos of its micro-expressions: `gray_micro[_crop]/<sub_ID>/<fold_name>/*.jpg`.

A clip may show two emotions. Its label is the names of the flagged ones joined by + in the order of the sheet's
columns, e.g. `Negative+Repression`; where no flag is set, the text of the column Emotion.
"""

from __future__ import annotations

import re
from pathlib import Path

from mer_tf.datasets.adapters.folders import ClipFolders, event_fields, frames_home, listed
from mer_tf.datasets.adapters.listing import Event, Listing
from mer_tf.datasets.adapters.sheets import SheetRow, find_sheet, read_sheet

FPS = 60.0
"""Grey camera (from memory of the paper)."""
SHEETS = ("4DME_Labelling_Micro_release v1*", "4DME_Labelling_Micro_release*", "4DME_Labelling_Micro*")
HOMES = ("gray_micro_crop", "gray_micro")
FLAGS = ("Positive", "Negative", "Surprise", "Repression", "Others")
COLUMNS = {
    "subject": ("sub_ID", "sub_ID'"),
    "clip": ("fold_name",),
    "emotion": ("Emotion",),
    "onset": ("Onset",),
    "apex": ("Apex",),
    "offset": ("Offset",),
    "aus": ("AUs", "AU"),
} | {flag: (flag,) for flag in FLAGS}


def fourdme_listing(root: Path, sheet: Path | None = None) -> Listing:
    """Grey micro-expression clips of 4DME under `root`; with both trees there, the cropped one."""
    folders = ClipFolders(frames_home(root, HOMES, r".*\d.*"))
    table = read_sheet(find_sheet(root, SHEETS, sheet), columns=COLUMNS, header_key="sub_ID")
    return listed(root, table, (_event(row, folders) for row in table.rows), folders)


def certain_aus(text: str) -> str:
    """Action units of a cell without AU and without those marked (k), uncertain: "AU4+AU7(k)" is "4"."""
    parts = [part.strip() for part in text.split("+")]
    return "+".join(re.sub(r"^AU\s*", "", part, flags=re.IGNORECASE) for part in parts if "(k)" not in part.casefold())


def _event(row: SheetRow, folders: ClipFolders) -> Event | None:
    stated, subject, clip = event_fields(row, ("subject", "clip")), row.text("subject"), row.text("clip")
    if stated is None:
        return None
    return Event(
        clip_id=f"4dme/{subject}/{clip}",
        subject=f"4dme/{subject}",
        folder=folders.find(subject, clip),
        **stated | {"aus": certain_aus(row.text("aus"))},
        fps=FPS,
        label_raw=_label(row),
    )


def _label(row: SheetRow) -> str:
    """Flagged emotions. A flag that is neither 0 nor 1 nor empty is a problem and counts as not set."""
    flags = {flag: row.integer(flag, optional=True) for flag in FLAGS}
    return "+".join(flag for flag, value in flags.items() if value == 1) or row.text("emotion")
