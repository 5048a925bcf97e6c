"""SMIC (Li et al., FG 2013): `{HS,VIS,NIR}/<subject>/micro/<emotion>/<clip>/*.bmp` and `<subject>/non_micro/<clip>/`.

The folders are the annotation: there is no sheet, no apex and no action unit. A file's number is the camera's frame
number. Both ways of writing a subject occur in the wild (`s1` and `s01`); both are read as `s01`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from mer_tf.config import MerError
from mer_tf.datasets.adapters.folders import holds
from mer_tf.datasets.adapters.listing import Event, Listing, ListingBuilder, subfolders

FPS = {"hs": 100.0, "vis": 25.0, "nir": 25.0}
SUBJECT = re.compile(r"s0*(\d+)", re.IGNORECASE)


def smic_listing(root: Path, sheet: Path | None, camera: str) -> Listing:
    """Every clip of one camera under `root`, which holds HS/, VIS/, NIR/ (near infrared) or is one of them.

    A clip whose frames cannot be numbered is left out, with a problem. `MerError` for a sheet, which SMIC has not, no
    camera folder, a subject under two names, or no clip.
    """
    if sheet is not None:
        raise MerError(f"{sheet}: SMIC is annotated by its folders and takes no sheet; leave --sheet out")
    base = _camera_folder(root, camera)
    builder = ListingBuilder(root)
    for folder, subject, label in _clips(base):
        builder.add_whole(_event(folder, subject, label, camera))
    return builder.listing("<subject>/micro/<emotion>/<clip>/*.bmp")


smic_hs_listing, smic_vis_listing, smic_nir_listing = (partial(smic_listing, camera=camera) for camera in FPS)


def _camera_folder(root: Path, camera: str) -> Path:
    """The camera's folder, whatever the case of its name; `root` itself when it bears that name and holds none."""
    if not root.is_dir():
        raise MerError(f"{root}: no such folder; the root must be the SMIC folder that holds {camera.upper()}/")
    found = [child for child in subfolders(root) if child.name.lower() == camera]
    if len(found) > 1:
        raise MerError(f"{root}: {' and '.join(p.name for p in found)} are the same camera; merge them or remove one")
    if found:
        return found[0]
    if root.name.lower() == camera:
        return root
    deeper = [inner for outer in subfolders(root) for inner in (outer, *subfolders(outer))]
    cameras = [child for folder in deeper for child in subfolders(folder) if child.name.lower() == camera]
    found = [child for child in cameras if holds(child, SUBJECT.pattern)]
    if len(found) > 1:
        raise MerError(f"{root}: {' and '.join(map(str, found))} are of this camera; give the folder above one as root")
    if found:
        return found[0]
    raise MerError(f"{root}: holds no folder {camera.upper()}/; is it the SMIC (or SMIC_all_cropped) folder?")


def _subjects(base: Path) -> dict[str, Path]:
    """Normalised subject -> folder; two folders of the same subject are refused, since one might hide the other."""
    found: dict[str, Path] = {}
    for child in subfolders(base):
        if match := SUBJECT.fullmatch(child.name):
            first = found.setdefault(subject := f"s{int(match[1]):02d}", child)
            if first != child:
                raise MerError(
                    f"{base}: {first.name} and {child.name} are the same subject {subject}; merge or rename one"
                )
    return found


def _clips(base: Path) -> Iterator[tuple[Path, str, str]]:
    """(folder, subject, raw label) of every clip."""
    for subject, home in _subjects(base).items():
        micro = [folder for folder in subfolders(home) if folder.name.lower() == "micro"]
        other = [folder for folder in subfolders(home) if folder.name.lower() == "non_micro"]
        emotions = [emotion for folder in micro for emotion in subfolders(folder)]
        for label_home, label in [(p, p.name.lower()) for p in emotions] + [(p, "non-micro") for p in other]:
            yield from ((clip, subject, label) for clip in subfolders(label_home))


def _event(folder: Path, subject: str, label: str, camera: str) -> Event:
    return Event(
        clip_id=f"smic-{camera}/{SUBJECT.sub(subject, folder.name, count=1)}",
        subject=f"smic/{subject}",
        folder=folder,
        fps=FPS[camera],
        label_raw=label,
    )
