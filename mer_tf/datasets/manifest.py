"""manifest.csv: one row a clip. The contract between the data set adapters and everything after them."""

from __future__ import annotations

import dataclasses
import logging
import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path

import pandas as pd

from mer_tf.config import MerError, digest
from mer_tf.datasets.names import clashing_names, plain_case, plain_name
from mer_tf.errors import refuse
from mer_tf.files import inside, write_csv
from mer_tf.table_files import cell_text, read_table
from mer_tf.table_files.grid import whole_number

log = logging.getLogger(__name__)
MARKER = "synthetic.json"
"""The file in the root of drawn data: clips below such a root are no evidence about people."""


@dataclass(frozen=True, kw_only=True)
class ClipRow:
    """One clip. Frame numbers are those in the file names (for a video, counted from 0), both ends included."""

    clip_id: str
    """Unique: dataset/clip, e.g. smic-hs/s01_ne_01."""
    dataset: str
    subject: str
    """Prefixed with the family of the data set, e.g. smic/s01: SMIC's HS, VIS and NIR share their people."""
    session: str = ""
    root: str
    """Folder that no path of this row may leave."""
    frames_dir: str = ""
    """Folder of the frames, relative to root. Exactly one of `frames_dir`, `video` and `image` is given."""
    video: str = ""
    """Video file, relative to root."""
    onset: int = 0
    apex: int | None = None
    offset: int = 0
    fps: float
    label_raw: str
    aus: str = ""
    sheet_sha: str = ""
    """SHA-256 of the annotation sheet; empty where the folders are the annotation (SMIC)."""
    apex_source: str = ""
    """Where the apex is from: given (coded by people), midpoint, peak or divide-and-conquer; empty without an apex."""
    image: str = ""
    """One image that stands for the clip (an optical flow image), relative to root; onset and offset are then 0."""
    objective: str = ""
    """Objective class by action units (Davison et al. 2018), I to VII, where the data set states it."""
    sampling: str = ""
    """`time`: frame n of the video is the one nearest to n / fps seconds; empty: the n-th that decodes."""
    links: str = ""
    """Folder outside root into which links among the frames lead, as the user named it; empty where none leaves it."""

    def source(self) -> Path:
        """Absolute folder or video file of the frames; `MerError` for an image, a path out of the root, or none."""
        if self.image:
            raise MerError(
                f"clip {self.clip_id}: {self.image} is one image of the clip's motion, not its frames; train on such "
                "a manifest with an image experiment, or list the data set itself"
            )
        return self._existing(self.video or self.frames_dir)

    def image_path(self) -> Path:
        """Absolute file of `image`; `MerError` when the clip has none, it leaves the root or is not there."""
        if not self.image:
            raise MerError(f"clip {self.clip_id}: has frames, not an image; list a data set of images (flow-images)")
        return self._existing(self.image)

    def _existing(self, relative: str) -> Path:
        path = inside(Path(self.root), relative, f"clip {self.clip_id}")
        try:
            there = path.exists()
        except OSError as error:
            raise MerError(f"clip {self.clip_id}: {path} cannot be reached ({error.strerror})") from error
        if not there:
            raise MerError(f"clip {self.clip_id}: {path} does not exist; is the root {self.root} still right?")
        return path


COLUMNS = tuple(f.name for f in dataclasses.fields(ClipRow))
LATER = frozenset({"apex_source", "image", "objective", "sampling", "links"})
"""Columns that an older manifest may lack."""
SILENT = ("sampling", "links")
"""Later columns that stand in no manifest, and in no digest, where they say nothing."""
PATHS = frozenset({"root", "frames_dir", "video", "image", "links"})
"""Columns whose text is a path."""
FOREIGN = re.compile(r"[A-Za-z]:[\\/]|\\\\")
"""How a path of Windows begins: with a disk or a computer."""


def write_manifest(rows: Sequence[ClipRow], path: Path) -> Path:
    """Write rows as CSV, sorted by clip_id, atomically; the bytes do not depend on the order given."""
    frame = pd.DataFrame([dataclasses.asdict(r) for r in sorted(rows, key=lambda r: r.clip_id)], columns=list(COLUMNS))
    frame["apex"] = frame["apex"].astype("Int64")
    frame = frame.drop(columns=[name for name in SILENT if not frame[name].any()])
    return write_csv(frame, path)


def read_manifest(path: Path) -> list[ClipRow]:
    """Read and check a manifest; errors name the file, the line and the mend."""
    table = read_table(path, [c for c in COLUMNS if c not in LATER], "make a manifest with `mer-tf manifest`")
    rows = [
        _row(dict(zip(table.frame.columns, cells, strict=True)), f"{path}, line {line}")
        for line, cells in zip(table.lines, table.frame.itertuples(index=False, name=None), strict=True)
    ]
    check_rows(rows, str(path))
    for clash in same_names(rows):
        log.warning("%s: %s; write each in one way", path, clash)
    return rows


def joined_manifests(paths: Sequence[str]) -> list[ClipRow]:
    """The rows of all manifests; `MerError` for a clip that stands in two."""
    rows = [row for path in paths for row in read_manifest(Path(path))]
    check_rows(rows, " and ".join(paths))
    return rows


def check_rows(rows: Sequence[ClipRow], where: str) -> None:
    """Refuse an empty manifest and repeated clip ids."""
    if not rows:
        raise MerError(f"{where}: no clips")
    if repeated := [clip for clip, n in Counter(r.clip_id for r in rows).items() if n > 1]:
        raise MerError(
            f"{where}: clip ids occur more than once: {', '.join(sorted(repeated)[:5])}; rename or remove one"
        )


def same_names(rows: Sequence[ClipRow]) -> list[str]:
    """One sentence for each group of subjects that differ in case or leading zeros alone, and of clips in case alone.

    Videos that are each a subject of their own are not compared: files are named as one likes.
    """
    known = [row for row in rows if row.subject != row.clip_id]
    subjects = [f"the subjects {clash}" for clash in clashing_names((row.subject for row in known), plain_name)]
    return subjects + [f"the clips {clash}" for clash in clashing_names((row.clip_id for row in known), plain_case)]


def manifest_digest(rows: Sequence[ClipRow]) -> str:
    """Digest of all rows, root included, whatever their order."""
    fields = map(dataclasses.asdict, sorted(rows, key=lambda r: r.clip_id))
    return digest([{name: value for name, value in row.items() if value or name not in SILENT} for row in fields])


def _row(values: dict[str, str], where: str) -> ClipRow:
    """One CSV line as a `ClipRow`, its numbers parsed and its fields checked against each other."""
    text = {n: plain_path(values[n]) if n in PATHS else cell_text(values[n]) for n in COLUMNS if n in values}
    onset, apex, offset = (whole_number(text[name]) for name in ("onset", "apex", "offset"))
    fps = _number(text["fps"])
    if onset is None or offset is None or fps is None or (apex is None and text["apex"]):
        given = ", ".join(f"{name} {text[name][:40]!r}" for name in ("onset", "apex", "offset", "fps"))
        raise MerError(
            f"{where}: onset, apex and offset must be whole numbers that fit into 64 bits, and fps a number ({given})"
        )
    row = ClipRow(**(text | {"onset": onset, "apex": apex, "offset": offset, "fps": fps}))  # type: ignore[arg-type]
    sources = (row.frames_dir, row.video, row.image)
    faults = {
        "clip_id and subject must not be empty": not (row.clip_id and row.subject),
        f"sampling must be empty, or time for a video, not {row.sampling!r}": row.sampling not in ("", "time")
        or bool(row.sampling and not row.video),
        "exactly one of frames_dir, video and image must be given": sum(map(bool, sources)) != 1,
        f"offset {offset} lies before onset {onset}": offset < onset,
        f"fps must be positive and finite, not {text['fps']}": not 0 < fps < inf,
    }
    refuse(f"{where}: {fault}" for fault, broken in faults.items() if broken)
    if FOREIGN.match(values["root"]) and os.name != "nt":
        raise MerError(
            f"{where}: the root {row.root} is a folder of Windows; write in its place, in all rows, where the data lie "
            "here, or list them again with `mer-tf manifest`"
        )
    inside(Path(row.root), "".join(sources), where)
    return row


def plain_path(text: str) -> str:
    """A path with `/`, as manifests have it: of a manifest that was written on Windows, or by hand there."""
    return text.replace("\\", "/")


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
