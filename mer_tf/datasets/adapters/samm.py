"""SAMM (Davison et al. 2018): `006/006_1_2/006_05562.jpg`, grey, 200 fps; and the SAMM Long Videos of the same people.

The long videos are `SAMM_longvideos/006_1/006_1_0001.jpg`; their sheet lists micro- and macro-expressions as intervals.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from mer_tf.config import MerError
from mer_tf.datasets.adapters.folders import ClipFolders, event_fields, holds, listed, nested_home
from mer_tf.datasets.adapters.listing import Event, Listing, ListingBuilder, subfolders
from mer_tf.datasets.adapters.sheets import SheetRow, find_sheet, read_sheet

FPS = 200.0
SHEETS = ("SAMM_Micro_FACS_Codes*", "*Micro_FACS_Codes*")
LONG_SHEETS = ("SAMM_LongVideos_V3*", "SAMM_LongVideos_V2*", "SAMM_LongVideos_V1*", "SAMM_LongVideos*")
SPAN = {
    "subject": ("Subject",),
    "clip": ("Filename", "File name"),
    "onset": ("Onset Frame", "Onset"),
    "apex": ("Apex Frame", "Apex"),
    "offset": ("Offset Frame", "Offset"),
    "aus": ("Action Units", "AU", "AUs"),
}
COLUMNS = SPAN | {
    "emotion": ("Estimated Emotion", "Emotion"),
    "objective": ("Objective Classes", "Objective Class"),
}
LONG_COLUMNS = SPAN | {"type": ("Type", "Micro")}


def samm_listing(root: Path, sheet: Path | None) -> Listing:
    """Clips of SAMM under `root`: the folder of the subject folders 006/ ..., or the one that holds it as SAMM/.

    `MerError` for a missing root, sheet or column, or no subject folder.
    """
    table = read_sheet(find_sheet(root, SHEETS, sheet), columns=COLUMNS, header_key="Subject", optional=("objective",))
    folders = ClipFolders(_base(root, r"\d{3}", "006/006_1_2/"), _subject)
    return listed(root, table, (_short_event(row, folders) for row in table.rows), folders)


def samm_lv_listing(root: Path, sheet: Path | None) -> Listing:
    """Micro- and macro-expressions of the SAMM Long Videos as clips; the raw label is `micro` or `macro`.

    A micro-expression's clip has the name it has in SAMM; a macro-expression's ends in `-macro`. `root` holds the video
    folders 006_1/ ..., or holds SAMM_longvideos/ with them. An offset that is not given becomes the apex, and is said.
    `MerError` for a missing root, sheet or column, or no video folder.
    """
    path = find_sheet(root, LONG_SHEETS, sheet)
    table = read_sheet(path, columns=LONG_COLUMNS, header_key="Subject")
    base = _base(root, r"\d{3}_\d+", "006_1/")
    builder = ListingBuilder(root, table.sha256, problems=table.problems)
    for row in table.rows:
        kind = row.text("type").casefold()[:5]
        subject, clip = _names(row)
        if kind not in {"micro", "macro"}:
            row.problems.append(f"{row.where}: type {row.text('type')!r} is neither micro nor macro; correct the cell")
            continue
        name = clip if kind == "micro" else f"{clip}-macro"
        event = _event(row, f"samm-lv/{subject}/{name}", base / "_".join(clip.split("_")[:2]), kind)
        if event:
            builder.add(event)
    builder.unlisted((p for p in subfolders(base) if re.fullmatch(r"\d{3}_\d+", p.name)), path)
    return builder.listing()


def _short_event(row: SheetRow, folders: ClipFolders) -> Event | None:
    subject, clip = _names(row)
    event = _event(row, f"samm/{subject}/{clip}", folders.find(subject, clip), row.text("emotion"))
    return event and replace(event, objective=row.text("objective").upper())


def _subject(text: str) -> str | None:
    """Three digits of a subject's number; None for anything else."""
    return text.zfill(3) if re.fullmatch(r"\d{1,3}", text) else None


def _names(row: SheetRow) -> tuple[str, str]:
    """Subject in three digits, and clip, as the folders have them."""
    return row.text("subject").zfill(3), row.text("clip")


def _event(row: SheetRow, clip_id: str, folder: Path, label: str) -> Event | None:
    """A row as an event; None, and a problem, for a row that names no clip or no span."""
    dataset, subject, _ = clip_id.split("/", 2)
    if not (re.fullmatch(r"\d{3}", subject) and row.text("clip").startswith(f"{subject}_")):
        cells = f"subject {row.text('subject')!r} and file name {row.text('clip')!r}"
        row.problems.append(f"{row.where}: {cells} name no clip such as 6 and 006_1_2; correct the row")
        return None
    if (stated := event_fields(row)) is None:
        return None
    apex, offset = stated["apex"], stated["offset"]
    if dataset == "samm-lv" and offset <= 0 and apex is not None:
        row.problems.append(f"{row.where}: offset {offset} is no frame, the apex {apex} is taken; complete the cell")
        stated["offset"] = apex
    return Event(
        clip_id=clip_id,
        subject=f"samm/{subject}",
        folder=folder,
        **stated,
        fps=FPS,
        label_raw=label,
        session=row.text("clip").split("_")[1],
    )


def _base(root: Path, pattern: str, example: str) -> Path:
    """`root`, or the first folder in it, that holds folders of the pattern, or one deeper."""
    for folder in (root, *subfolders(root)):
        if holds(folder, pattern):
            return folder
    if home := nested_home(root, ("SAMM",), pattern):
        return home
    raise MerError(f"{root}: neither it nor a folder in it holds {example}; is it the folder of the data set?")
