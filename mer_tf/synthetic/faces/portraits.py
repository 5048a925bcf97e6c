"""Portraits with named face points: scikit-image's astronaut by default, or any folder of annotated portraits."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mer_tf.config import MerError
from mer_tf.files import fact_file, fact_names
from mer_tf.preprocessing.frames import image_files, read_frame
from mer_tf.table_files import read_table

ASTRONAUT = "astronaut_points.csv"
POINTS = tuple(fact_names(ASTRONAUT, "point"))
"""Names every portrait needs; left and right are those of the image."""


@dataclass(frozen=True)
class Portrait:
    """A picture of one face and where its parts are."""

    image: NDArray[np.uint8]
    """(H, W, 3) RGB."""
    points: dict[str, NDArray[np.float64]]
    """Name -> (x, y) in pixels."""

    @property
    def face_width(self) -> float:
        """Distance between the sides of the face at the height of the cheekbones, pixels."""
        return float(np.linalg.norm(self.points["face_right"] - self.points["face_left"]))

    @property
    def center(self) -> NDArray[np.float64]:
        """Middle between the eyes and the chin: (x, y)."""
        eyes = np.mean(
            [self.points[f"eye_{end}_{side}"] for end in ("outer", "inner") for side in ("left", "right")], 0
        )
        return np.asarray((eyes + self.points["chin"]) / 2)

    @property
    def roll(self) -> float:
        """Tilt of the line through the eyes, radians, positive clockwise on the screen."""
        line = self.points["eye_outer_right"] - self.points["eye_outer_left"]
        return float(np.arctan2(line[1], line[0]))

    def mirrored(self) -> Portrait:
        """Left-right mirror image, its points renamed."""
        swap = {"left": "right", "right": "left"}
        width = self.image.shape[1]
        points = {}
        for name, (x, y) in self.points.items():
            stem, _, side = name.rpartition("_")
            points[f"{stem}_{swap[side]}" if side in swap else name] = np.array([width - 1 - x, y])
        return Portrait(np.ascontiguousarray(self.image[:, ::-1]), points)

    def digest(self) -> str:
        """SHA-256 of the picture and its points."""
        text = repr([(name, *map(float, self.points[name])) for name in POINTS])
        return hashlib.sha256(self.image.tobytes() + text.encode()).hexdigest()


def astronaut_points() -> dict[str, NDArray[np.float64]]:
    """Points of skimage.data.astronaut (Eileen Collins, NASA, public domain), pixels of its 512 x 512, set by eye."""
    return _points(fact_file(ASTRONAUT))


def load_portraits(faces: Path | None = None) -> list[Portrait]:
    """The astronaut, or every picture of the folder `faces`, each with its points in `<name>.csv` (point,x,y).

    A folder without pictures, a picture without points and a point that is missing or outside are `MerError`s.
    """
    if faces is None:
        from skimage.data import astronaut  # reads a file: only when asked

        return [Portrait(astronaut(), astronaut_points())]
    if not Path(faces).is_dir():
        raise MerError(f"{faces}: no such folder of portraits")
    paths = image_files(Path(faces))
    if not paths:
        raise MerError(f"{faces}: holds no portrait (.png, .jpg, .bmp)")
    return [_load(path) for path in paths]


def _load(path: Path) -> Portrait:
    image = read_frame(path)
    sidecar = path.with_suffix(".csv")
    if not sidecar.exists():
        raise MerError(
            f"{path}: has no face points; write {sidecar.name} beside it with the columns point,x,y (pixels) and the "
            f"points {', '.join(POINTS)} (left and right of the image)"
        )
    points = _points(sidecar)
    limit = np.array([image.shape[1] - 1, image.shape[0] - 1])
    if outside := [name for name, xy in points.items() if (xy < 0).any() or (xy > limit).any()]:
        raise MerError(f"{sidecar}: outside the picture: {', '.join(outside)}")
    if points["face_left"][0] >= points["face_right"][0]:
        raise MerError(f"{sidecar}: face_left lies right of face_right; left and right are those of the image")
    return Portrait(image, points)


def _points(sidecar: Path) -> dict[str, NDArray[np.float64]]:
    mend = "it must have the columns point,x,y with numbers in x and y"
    table = read_table(sidecar, ("point", "x", "y"), mend).frame
    try:
        found = {r["point"]: np.array([float(r["x"]), float(r["y"])]) for r in table.to_dict("records")}
    except ValueError as error:
        raise MerError(f"{sidecar}: {error}; {mend}") from error
    missing = [name for name in POINTS if name not in found or not np.isfinite(found[name]).all()]
    if missing:
        raise MerError(f"{sidecar}: lacks the points {', '.join(missing)}")
    return {name: found[name] for name in POINTS}
