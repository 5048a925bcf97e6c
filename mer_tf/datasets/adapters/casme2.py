"""CASME II (Yan et al., PLoS ONE 2014): `<layout>/sub01/EP02_01f/*.jpg` at 200 fps, and one annotation sheet.

Layouts: Cropped (faces, about 280x340), CASME2_RAW (640x480) and CASME2_RAW_selected (onset to offset only). Frames are
numbered as the sheet counts them. The sheet of 2014 has 255 clips; the updated one has 256.
"""

from __future__ import annotations

import re
from pathlib import Path

from mer_tf.config import MerError
from mer_tf.datasets.adapters.folders import ClipFolders, event_fields, holds, listed, nested_home
from mer_tf.datasets.adapters.listing import Event, Listing
from mer_tf.datasets.adapters.sheets import SheetRow, find_sheet, read_sheet

FPS = 200.0
LAYOUTS = ("cropped", "casme2raw", "casme2rawselected", "preprocessed")
"""Names of layout folders without blanks, hyphens and case; the first that is there is taken."""
SUBJECTS = r"sub\d+"
SHEETS = ("CASME2-coding*.xlsx", "CASME2-coding*.xls", "CASME2_label*.xls*", "CASME2-coding*.csv")
OBJECTIVE_SHEETS = ("CASME2-ObjectiveClasses*.xls*",)
COLUMNS = {
    "subject": ("Subject",),
    "clip": ("Filename", "File name"),
    "onset": ("OnsetFrame", "Onset"),
    "apex": ("ApexFrame", "Apex"),
    "offset": ("OffsetFrame", "Offset"),
    "aus": ("Action Units", "AU", "AUs"),
    "emotion": ("Estimated Emotion", "Emotion"),
}
OBJECTIVE_COLUMNS = {
    "subject": ("Subject",),
    "clip": ("Filename", "File name"),
    "objective": ("Objective Class", "Objective Classes", "Class"),
}
SUBJECT = re.compile(r"(?:sub)?0*(\d{1,9})", re.IGNORECASE)
ROMAN = dict(zip("1234567", ("I", "II", "III", "IV", "V", "VI", "VII"), strict=True))


def casme2_listing(root: Path, sheet: Path | None) -> Listing:
    """Clips of CASME II under `root`: the folder that holds a layout folder, or one of those.

    A clip without apex ('/') stays without. `MerError` for a missing root, sheet or column, or no clip folder.
    """
    table = read_sheet(find_sheet(root, SHEETS, sheet), columns=COLUMNS, header_key="Subject")
    folders = ClipFolders(_layout(root), subject_name)
    objective = _objective_classes(root, table.problems)
    return listed(root, table, (_event(row, folders, objective) for row in table.rows), folders)


def subject_name(text: str) -> str | None:
    """sub01 of 1, "01", "sub1" or "sub01"; None for anything else."""
    match = SUBJECT.fullmatch(text)
    return f"sub{int(match[1]):02d}" if match else None


def _event(row: SheetRow, folders: ClipFolders, objective: dict[str, str]) -> Event | None:
    subject, clip = subject_name(row.text("subject")), row.text("clip")
    stated = event_fields(row)
    if subject is None or not clip:
        row.problems.append(f"{row.where}: no clip without subject and file name; complete or remove the row")
        return None
    if stated is None:
        return None
    name = f"{subject}/{clip}"
    return Event(
        clip_id=f"casme2/{name}",
        subject=f"casme2/{subject}",
        folder=folders.find(subject, clip),
        **stated,
        fps=FPS,
        label_raw=row.text("emotion"),
        objective=objective.get(name.casefold(), ""),
    )


def _layout(root: Path) -> Path:
    """The folder of the subjects: `root`, or the one below it that is named most like a layout."""
    if holds(root, SUBJECTS):
        return root
    if home := nested_home(root, LAYOUTS, SUBJECTS):
        return home
    raise MerError(f"{root}: holds neither sub01/ nor Cropped/, CASME2_RAW/ or CASME2_RAW_selected/ with sub01/ in it")


def _objective_classes(root: Path, problems: list[str]) -> dict[str, str]:
    """subject/clip in lower case -> objective class; no sheet of them is no problem, since they are an extra.

    A sheet that cannot be read is a problem and costs the objective classes alone.
    """
    try:
        path = find_sheet(root, OBJECTIVE_SHEETS, None)
    except MerError:
        return {}
    try:
        sheet = read_sheet(path, columns=OBJECTIVE_COLUMNS, header_key="Subject")
    except MerError as error:
        problems.append(f"{error}; until then no clip has an objective class")
        return {}
    problems += sheet.problems
    names: dict[str, str] = {}
    for row in sheet.rows:
        name = f"{subject_name(row.text('subject'))}/{row.text('clip')}".casefold()
        if names.setdefault(name, row.text("objective")) != row.text("objective"):
            problems.append(f"{row.where}: another row gives {name} another objective class, which is taken")
    return {name: ROMAN.get(value, value) for name, value in names.items()}
