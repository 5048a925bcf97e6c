"""Ready-made optical flow images: `<subject>/u_test/<class>/<clip> .png`, one small RGB image a clip.

The interchange layout of STSTNet (Liong et al., FG 2019) and HTNet for the MEGC 2019 composite: a folder of folds, of
which a subject's own test part has that subject's clips (`u_train` has all the others again and is not read). Class 0
is negative, 1 positive, 2 surprise. The name of a subject tells its data set: sub01 CASME II, s01 SMIC-HS, 006 SAMM.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from mer_tf.config import MerError
from mer_tf.datasets.adapters.listing import Listing, listing_of, subfolders
from mer_tf.datasets.manifest import ClipRow
from mer_tf.datasets.names import clashes
from mer_tf.files import placed
from mer_tf.preprocessing.frames import image_files

CLASSES = {"0": "negative", "1": "positive", "2": "surprise"}
SOURCES = (
    (re.compile(r"sub0*(\d+)", re.IGNORECASE), "casme2/sub{:02d}", 200.0),
    (re.compile(r"s0*(\d+)", re.IGNORECASE), "smic/s{:02d}", 100.0),
    (re.compile(r"0*(\d+)"), "samm/{:03d}", 200.0),
)
"""Subject folder, subject, frames a second of the camera."""


def flow_images_listing(root: Path, sheet: Path | None) -> Listing:
    """One row an image below `root`, with `image` given and no frames.

    Folders and files that do not fit the layout are problems. `MerError` for a sheet, no root, or no image.
    """
    if sheet is not None:
        raise MerError(f"{sheet}: flow images are annotated by their folders and take no sheet; leave --sheet out")
    if not root.is_dir():
        raise MerError(f"{root}: no such folder; the root must hold <subject>/u_test/<class>/*.png")
    problems: list[str] = []
    found: dict[str, list[ClipRow]] = defaultdict(list)
    for row in _rows(root, problems):
        found[row.clip_id].append(row)
    for clip_id, same in found.items():
        if len(same) > 1:
            images = " and ".join(r.image for r in same)
            problems.append(f"{root}: clip {clip_id} is {images}; it is left out, remove all but one")
    rows = [same[0] for same in found.values() if len(same) == 1]
    left_out = [same[0] for same in found.values() if len(same) > 1]
    return listing_of(rows, problems, f"{root} (expected <subject>/u_test/<class>/*.png)", left_out)


def _rows(root: Path, problems: list[str]) -> Iterator[ClipRow]:
    homes = subfolders(root)
    for same in clashes(homes, lambda home: (_subject(home.name) or (None,))[0]):
        names = " and ".join(home.name for home in same)
        problems.append(f"{root}: {names} are one and the same subject, and read as one; merge or rename them")
    for home in homes:
        if (source := _subject(home.name)) is None:
            problems.append(f"{home}: not a subject such as sub01, s01 or 006; it is left out, rename or remove it")
            continue
        subject, fps = source
        for folder in subfolders(home / "u_test"):
            if folder.name not in CLASSES:
                problems.append(f"{folder}: not a class ({', '.join(CLASSES)}); it is left out, rename or remove it")
                continue
            yield from _images(root, folder, subject, fps, problems)


def _subject(name: str) -> tuple[str, float] | None:
    """Subject of a folder's name, and frames a second of its camera; None for a name that is no subject's."""
    found = ((m, subject, fps) for p, subject, fps in SOURCES if (m := p.fullmatch(name)))
    return next(((subject.format(int(m[1])), fps) for m, subject, fps in found), None)


def _images(root: Path, folder: Path, subject: str, fps: float, problems: list[str]) -> Iterator[ClipRow]:
    for path in image_files(folder):
        relative = path.relative_to(root).as_posix()
        try:
            home, image = placed(root, relative, str(path))
        except MerError as error:
            problems.append(str(error))
            continue
        yield ClipRow(
            clip_id=f"flow-images/{subject.split('/')[1]}/{path.stem.strip()}",
            dataset="flow-images",
            subject=subject,
            root=home.as_posix(),
            fps=fps,
            label_raw=CLASSES[folder.name],
            image=image,
        )
