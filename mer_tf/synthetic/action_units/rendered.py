"""Flow images estimated from drawn faces: onset and apex are rendered, and a method of optical flow looks at them.

So what is learned knows how such a method errs: where skin has no texture, at edges, on closing lids.
"""

from __future__ import annotations

import logging
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import cv2
import numpy as np
from numpy.typing import NDArray

from mer_tf.config import MerError, digest
from mer_tf.files import atomic, facts
from mer_tf.preprocessing.flow import flow_pair
from mer_tf.synthetic.action_units.fields import SIDE, Drawn, Nuisance, draw_images, flow_images
from mer_tf.synthetic.action_units.geometry import crop_of, geometry, geometry_of
from mer_tf.synthetic.action_units.movement import Spread, draw_labels, draw_movements
from mer_tf.synthetic.action_units.table import Blobs
from mer_tf.synthetic.faces.appearance import (
    HEIGHT,
    WIDTH,
    Neutral,
    add_noise,
    close_lids,
    draw_neutral,
    make_subject,
    noise_bank,
    shifted,
)
from mer_tf.synthetic.faces.motion import FaceMotion, head_path
from mer_tf.synthetic.faces.painted import painted_portrait
from mer_tf.synthetic.faces.portraits import Portrait, load_portraits

log = logging.getLogger(__name__)
PER_FACE = 12
"""Expressions of one drawn person."""
CROPS = 4
"""Crops of one pair of frames: the flow is the same, the place of the face is not."""
MARGIN = 0.2
"""Share of the crop beyond its edges that the flow method sees, and crops may slip into."""
VERSION = 2
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Kind:
    """One kind of drawing: a row of data_manifests/drawing_kinds.csv."""

    kind: str
    renderer: str
    portrait: str
    profile: Any
    flow: Any
    trained: bool


@cache
def kinds() -> dict[str, Kind]:
    """All kinds by name."""
    rows = facts("drawing_kinds.csv").drop(columns="source").to_dict("records")
    return {str(r["kind"]): Kind(**{**r, "trained": r["trained"] == "yes"}) for r in rows}  # type: ignore[arg-type]


def draw_kind(name: str, count: int, seed: int, *, crop: str = "tight", cache_dir: Path | None = None) -> Drawn:
    """About `count` images of one kind (rendered ones in whole groups of crops), classes alike.

    crop: tight or loose. Rendered flow is kept in `cache_dir`. `MerError` for an unknown kind.
    """
    kind = _kind(name)
    if kind.renderer == "direct":
        rng = np.random.default_rng((seed, list(kinds()).index(name)))
        return draw_images(count, rng, profile=kind.profile, face=geometry(crop))
    fields, labels = rendered_fields(name, count, seed, crop=crop, cache_dir=cache_dir)
    return Drawn(flow_images(fields), labels)


def rendered_fields(
    name: str, count: int, seed: int, *, crop: str = "tight", cache_dir: Path | None = None
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Flow (N, 28, 28, 2) of `draw_kind` in pixels of the image, and class indices; errors as there."""
    kind = _kind(name)
    if cache_dir is None:
        return _rendered(kind, count, seed, crop)
    made_by = digest(VERSION, name, count, seed, crop, _tables())
    path = Path(cache_dir) / "au-rendered" / f"{name}-{made_by}.npz"
    if (kept := _kept(path)) is not None:
        return kept
    fields, labels = _rendered(kind, count, seed, crop)
    with atomic(path) as part:
        np.savez_compressed(part, fields=fields, labels=labels)
    return fields, labels


def _kept(path: Path) -> tuple[NDArray[np.float32], NDArray[np.int64]] | None:
    """The drawings of a cache file, each checked by the archive's own sums; None where there are none, or not whole."""
    if not path.exists():
        return None
    try:
        with np.load(path, allow_pickle=False) as stored:
            return stored["fields"], stored["labels"]
    except (EOFError, LookupError, OSError, ValueError, NotImplementedError, BadZipFile, zlib.error) as error:
        log.warning("%s: is damaged (%s), and is drawn again", path, error)
        return None


def _kind(name: str) -> Kind:
    if name not in kinds():
        raise MerError(f"drawing_kinds.csv has no kind {name!r}; it has {', '.join(kinds())}")
    return kinds()[name]


def _tables() -> list[str]:
    """What the drawing hangs on beside its code."""
    names = ("action_units.csv", "emotion_action_units.csv", "face_geometry.csv", "drawing_kinds.csv")
    return [facts(name).to_csv(lineterminator="\n") for name in names]


def _rendered(kind: Kind, count: int, seed: int, crop: str) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    rng = np.random.default_rng((seed, list(kinds()).index(kind.kind), 1))
    labels = draw_labels(-(-count // CROPS), rng)
    found = [
        field
        for start in range(0, len(labels), PER_FACE)
        for field in _person(kind, labels[start : start + PER_FACE], rng, crop)
    ]
    return np.stack(found), np.repeat(labels, CROPS)


def _person(
    kind: Kind, labels: NDArray[np.int64], rng: np.random.Generator, crop: str
) -> Iterator[NDArray[np.float32]]:
    """Flow of one drawn person, `CROPS` for each class index."""
    portrait = painted_portrait(int(rng.integers(1 << 30))) if kind.portrait == "painted" else _astronaut()
    neutral = draw_neutral(make_subject(portrait, rng), rng)
    box, nuisance = crop_of(neutral.points, crop), Nuisance()
    face = geometry_of(neutral.points, neutral.face_width, box)
    movements = draw_movements(labels, face, rng, Spread(blink=0.0))
    sizes = rng.uniform(*nuisance.amplitude, len(labels)) / SIDE
    bank = noise_bank(rng)
    for index in range(len(labels)):
        motion = movements.scaled(sizes).blobs(index, box)
        onset, apex = frame_pair(neutral, motion, rng, bank)
        flow = region_flow(onset, apex, box, kind.flow)
        for _ in range(CROPS):
            shift, zoom = rng.normal(0, nuisance.frame, 2), float(np.exp(rng.normal(0, nuisance.frame)))
            yield cropped(flow, shift, zoom) * np.float32(SIDE / box[2:].mean())


@cache
def _astronaut() -> Portrait:
    return load_portraits()[0]


def frame_pair(
    neutral: Neutral, expression: Blobs, rng: np.random.Generator, bank: NDArray[np.float32] | None
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Onset and apex (H, W, 3) of a face that moves as `expression` says, and of a head, lids and light of its own.

    Without a noise `bank` nothing but the expression moves.
    """
    still = np.repeat(np.eye(2, 3)[None], 2, axis=0)
    head = still if bank is None else head_path(2, neutral.center, neutral.face_width, rng)
    motion = FaceMotion(WIDTH, HEIGHT, expression, np.array([0.0, 1.0]), head)
    blinks = bank is not None and rng.uniform() < Spread().blink
    face = close_lids(neutral, float(rng.uniform(0.2, 1.0))) if blinks else neutral.image
    frames = [neutral.image, shifted(face, motion.backward_planes(1))]
    if bank is not None:
        light = 1 + np.float32(rng.normal(0, 0.01))
        frames = [add_noise(f * g, bank, rng) for f, g in zip(frames, (np.float32(1), light), strict=True)]
    onset, apex = (np.clip(frame + 0.5, 0, 255).astype(np.uint8) for frame in frames)
    return onset, apex


def region_flow(
    onset: NDArray[np.uint8], apex: NDArray[np.uint8], box: Array, method: Any
) -> tuple[NDArray[np.float32], Array]:
    """Flow (h, w, 2) of the crop (x, y, width, height) and a margin round it, in pixels, and the crop within it."""
    margin = MARGIN * box[2:]
    low = np.maximum(np.floor(box[:2] - margin).astype(int), 0)
    high = np.ceil(box[:2] + box[2:] + margin).astype(int)
    part = (slice(low[1], high[1]), slice(low[0], high[0]))
    flow = flow_pair(np.ascontiguousarray(onset[part]), np.ascontiguousarray(apex[part]), method)
    return flow, np.concatenate([box[:2] - low, box[2:]])


def cropped(flow: tuple[NDArray[np.float32], Array], shift: Array, zoom: float = 1.0) -> NDArray[np.float32]:
    """Flow (28, 28, 2) of the crop moved by a share of its size and shrunk by `zoom`, in pixels of the picture."""
    field, (x, y, width, height) = flow
    size = np.array([width, height]) / zoom
    corner = np.array([x, y]) + (np.array([width, height]) - size) / 2 + shift * [width, height]
    step = size / SIDE
    # Means over what a pixel of the image covers, as shrinking by area gives them.
    smooth = cv2.blur(field, [max(1, round(float(s))) for s in step], borderType=cv2.BORDER_REPLICATE)
    at = corner[:, None] + step[:, None] * (np.arange(SIDE) + 0.5) - 0.5
    columns, rows = np.meshgrid(at[0].astype(np.float32), at[1].astype(np.float32))
    return np.asarray(cv2.remap(smooth, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)
