"""Portraits with named face points: scikit-image's astronaut by default, or any folder of annotated portraits."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mer_tf.config import MerError
from mer_tf.preprocessing.frames import image_files, read_frame
from mer_tf.table_files import read_table

ASTRONAUT: dict[str, tuple[float, float]] = {
    "brow_outer_left": (191.0, 90.5),
    "brow_mid_left": (200.5, 89.0),
    "brow_inner_left": (212.5, 92.5),
    "brow_inner_right": (238.5, 93.5),
    "brow_mid_right": (250.0, 92.5),
    "brow_outer_right": (262.5, 96.0),
    "eye_outer_left": (192.5, 101.0),
    "eye_upper_left": (202.0, 97.5),
    "eye_lower_left": (202.5, 104.0),
    "eye_inner_left": (212.0, 102.5),
    "eye_inner_right": (237.0, 105.0),
    "eye_upper_right": (246.5, 100.0),
    "eye_lower_right": (246.5, 107.0),
    "eye_outer_right": (258.0, 104.0),
    "nose_tip": (224.0, 125.0),
    "nose_wing_left": (211.5, 128.5),
    "nose_wing_right": (236.5, 130.0),
    "mouth_corner_left": (203.0, 140.5),
    "mouth_corner_right": (245.0, 141.5),
    "mouth_top": (224.0, 140.5),
    "mouth_bottom": (224.0, 152.0),
    "cheek_left": (196.0, 121.0),
    "cheek_right": (255.0, 123.0),
    "chin_boss": (225.5, 166.0),
    "chin": (227.0, 178.5),
    "face_left": (181.5, 115.0),
    "face_right": (270.0, 117.0),
}
"""Points of skimage.data.astronaut (Eileen Collins, NASA, public domain), pixels of its 512 x 512, set by eye."""

POINTS = tuple(ASTRONAUT)
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


def load_portraits(faces: Path | None = None) -> list[Portrait]:
    """The astronaut, or every picture of the folder `faces`, each with its points in `<name>.csv` (point,x,y).

    A folder without pictures, a picture without points and a point that is missing or outside are `MerError`s.
    """
    if faces is None:
        from skimage.data import astronaut  # reads a file: only when asked

        return [Portrait(astronaut(), {name: np.array(xy) for name, xy in ASTRONAUT.items()})]
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
