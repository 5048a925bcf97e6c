"""Saved flow images of somebody else beside the clips they came from: which recipe made them?"""

from __future__ import annotations

import dataclasses
import logging
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mer_tf.arrays import evenly
from mer_tf.config import MerError, Preprocess
from mer_tf.datasets.manifest import ClipRow
from mer_tf.preprocessing.flow import Method, flow_pair
from mer_tf.preprocessing.frames import image_files, read_frame, read_frames
from mer_tf.records.clip import process_clip
from mer_tf.records.flow_matching.fit import Fit, causes, fit, likely_cause

log = logging.getLogger(__name__)

PART = re.compile(r"[_\-. ]?(u|v|dx|dy|flow_?x|flow_?y|strain|os|mag|magnitude)$", re.IGNORECASE)
"""What names one component at the end of a file's stem, or as a folder: u/clip.png, clip_u.png."""
APEX_STEPS = (-2, -1, 1, 2)
"""Other apex frames tried, in frames."""


@dataclass(frozen=True)
class Reference:
    """One clip and its saved images, side by side as the channels of one."""

    row: ClipRow
    image: NDArray[np.uint8]
    """(h, w, C): RGB of one colour file, or the components' files in alphabetical order."""


@dataclass(frozen=True)
class Candidate:
    """One recipe and how well it explains the reference images."""

    face: str
    size: int
    method: Method
    fit: Fit


def read_references(folder: Path, rows: Sequence[ClipRow], limit: int) -> list[Reference]:
    """At most `limit` clips, evenly over the manifest, that have an apex and images below `folder`.

    An image belongs to the clip whose name its stem is, or ends with; where several subjects have such a clip, the
    subject's name must be in the path. `MerError` when nothing fits, or a clip's component files differ in size.
    """
    if not Path(folder).is_dir():
        raise MerError(f"{folder}: no such folder of flow images")
    owners: dict[str, list[ClipRow]] = defaultdict(list)
    for row in (row for row in rows if row.apex is not None):
        owners[row.clip_id.split("/")[-1].lower()].append(row)
    if not owners:
        raise MerError(
            "match-flow: no clip of the manifest has an apex; `mer-tf manifest --apex midpoint` estimates it"
        )
    found: dict[str, dict[str, Path]] = defaultdict(dict)
    clips: dict[str, ClipRow] = {}
    for path in image_files(Path(folder), deep=True):
        stem, part = _stem_and_part(path)
        if owner := _owner(stem, path.relative_to(folder).as_posix(), owners):
            clips[owner.clip_id] = owner
            if (first := found[owner.clip_id].setdefault(part, path)) != path:
                log.warning("%s and %s are both of clip %s; the first is compared", first, path, owner.clip_id)
    if not found:
        raise MerError(
            f"{folder}: no image is named after a clip of the manifest, as {next(iter(owners))}.png or u/....png"
        )
    log.info("%d clips of the manifest have reference images", len(found))
    names = sorted(found)
    kept = [names[i] for i in evenly(len(names), limit)]
    return [_read(clips[name], found[name]) for name in kept]


def match_flow(
    references: Sequence[Reference],
    faces: Sequence[str],
    sizes: Sequence[int],
    methods: Sequence[Method],
) -> tuple[list[Candidate], dict[str, float]]:
    """Every recipe, the best fit first, and the suspects for what the best one leaves (see `causes`)."""
    images = [r.image for r in references]
    tried = [
        Candidate(face, size, method, fit(images, [_flow(r.row, face, size, method, 0) for r in references]))
        for face, size, method in product(faces, sizes, methods)
    ]
    best = max(tried, key=lambda c: c.fit.correlation)

    def flows(step: int) -> list[NDArray[np.float32]]:
        return [_flow(r.row, best.face, best.size, best.method, step) for r in references]

    others = {f"another apex frame ({step:+d})": flows(step) for step in APEX_STEPS}
    scores = causes(images, flows(0), best.fit, others)
    return sorted(tried, key=lambda c: -c.fit.correlation), scores


def match_text(references: Sequence[Reference], tried: Sequence[Candidate], scores: Mapping[str, float]) -> str:
    """The best fit channel by channel, all recipes, the suspects and the likely cause of the rest."""
    best, shape = tried[0], references[0].image.shape
    lines = [
        f"{len(references)} clips, reference images of {shape[1]} x {shape[0]}, {shape[2]} channel(s)",
        f"best: face={best.face} size={best.size} flow={best.method}, onset to apex, "
        f"images {best.fit.orientation}: correlation {best.fit.correlation:.3f}",
    ]
    for number, channel in enumerate(best.fit.channels):
        own = channel.gain_spread > 0.25
        lines.append(
            f"  channel {number} is {'-' if channel.sign < 0 else '+'}{channel.component}: correlation "
            f"{channel.correlation:.3f}, {channel.gain:.1f} grey levels a unit, "
            + (f"another in each image (spread {channel.gain_spread:.2f})" if own else "the same in all images")
        )
    lines += ["", "face   size  flow       images       correlation"]
    lines += [f"{c.face:6} {c.size:4d}  {c.method:10} {c.fit.orientation:12} {c.fit.correlation:.3f}" for c in tried]
    lines += ["", "allowing for   correlation", *[f"  {name}: {value:.3f}" for name, value in scores.items()]]
    return "\n".join([*lines, "", f"likely cause of the rest: {likely_cause(scores)}"])


def _stem_and_part(path: Path) -> tuple[str, str]:
    """Stem without the component's name, lower case, and the component ("" for an image of all)."""
    stem = path.stem.strip().lower()
    if PART.fullmatch(path.parent.name):
        return stem, path.parent.name.lower()
    named = PART.search(stem)
    return (stem[: named.start()], named[1]) if named and named.start() > 0 else (stem, "")


def _owner(stem: str, path: str, owners: Mapping[str, Sequence[ClipRow]]) -> ClipRow | None:
    """The one clip an image belongs to; None where there is none or more than one."""
    fitting = [row for name, rows in owners.items() if stem == name or stem.endswith(f"_{name}") for row in rows]
    if len(fitting) > 1:
        fitting = [row for row in fitting if row.subject.split("/")[-1].lower() in path.lower()]
    return fitting[0] if len(fitting) == 1 else None


def _read(row: ClipRow, parts: Mapping[str, Path]) -> Reference:
    named = {part: path for part, path in sorted(parts.items()) if part}
    if not named:
        return Reference(row, read_frame(parts[""]))
    planes = [frame[..., 0] for frame in read_frames(list(named.values()))]
    if len({p.shape for p in planes}) > 1:
        raise MerError(f"clip {row.clip_id}: its flow images differ in size: {', '.join(map(str, named.values()))}")
    return Reference(row, np.stack(planes, axis=-1))


def _flow(row: ClipRow, face: str, size: int, method: Method, step: int) -> NDArray[np.float32]:
    """Onset-to-apex flow (size, size, 2), the apex moved by `step` frames but not beyond the clip."""
    frames, apex = _frames(row, face, size)
    return flow_pair(frames[0], frames[int(np.clip(apex + step, 1, len(frames) - 1))], method)


@lru_cache(maxsize=64)
def _frames(row: ClipRow, face: str, size: int) -> tuple[NDArray[np.uint8], int]:
    """Stored frames of a clip up to just behind its apex, and the apex's place among them."""
    assert row.apex is not None
    short = dataclasses.replace(row, offset=min(row.offset, row.apex + max(APEX_STEPS)))
    record = process_clip(short, Preprocess(face=face, size=size, flow="none"))  # type: ignore[arg-type]
    return record.frames, int(np.abs(record.frame_numbers - row.apex).argmin())
