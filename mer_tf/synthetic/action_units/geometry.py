"""Where the parts of a face lie in a square crop, as shares of its width and height, and which crop puts them there.

The facts are a table, data_manifests/face_geometry.csv: `tight` as the flow images of the MEGC 2019 composite are cut,
chosen on these very images, `loose` as a face detector's box is, `aligned` as `preprocess.face=align` lays faces, and
`published` by mean landmarks (mean_landmarks.csv) in the crop published for SMIC, by no image of the composite.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from mer_tf.config import MerError
from mer_tf.files import facts
from mer_tf.synthetic.action_units.table import SIDES

Points = Mapping[str, NDArray[np.float64]]
FITTED = ("brow_inner", "brow_outer", "eye_outer", "cheek", "mouth_corner", "chin_boss")
"""Points by which a crop is laid on a face."""


@dataclass(frozen=True)
class Geometry:
    """A face in its crop."""

    points: Points
    """Landmark name -> (x, y), 0 to 1 inside the crop."""
    face_width: NDArray[np.float64]
    """(2,): width of the face in widths of the crop, and in heights."""


@cache
def geometry(kind: str) -> Geometry:
    """The face of one kind of crop; `MerError` naming the kinds for an unknown one."""
    table = facts("face_geometry.csv")
    rows = table[table["kind"] == kind]
    if rows.empty:
        raise MerError(f"face_geometry.csv has no kind {kind!r}; it has {', '.join(table['kind'].unique())}")
    points: dict[str, NDArray[np.float64]] = {}
    for row in rows.to_dict("records"):
        offset, down = float(row["offset"]), float(row["row"])
        if row["mirrored"] == "yes":
            points |= {
                f"{row['point']}_{s}": np.array([0.5 + k * offset, down]) for s, k in zip(SIDES, (-1, 1), strict=True)
            }
        else:
            points[str(row["point"])] = np.array([0.5, down])
    width = float(points["face_right"][0] - points["face_left"][0])
    return Geometry(points, np.array([width, width]))


def crop_of(points: Points, kind: str) -> NDArray[np.float64]:
    """x, y, width, height in pixels of the crop that brings a face's points closest to those of `kind`.

    Width and height are fitted apart, as images squeezed to a square are.
    """
    wanted = geometry(kind).points
    names = [name for name in wanted if name.rsplit("_", 1)[0] in FITTED or name in FITTED]
    return _fitted(*(np.array([p[name] for name in names]) for p in (wanted, points)))


def crop_of_landmarks(landmarks: NDArray[np.float64], kind: str = "tight") -> NDArray[np.float64]:
    """The same from (5, 2) detected eyes, nose and mouth corners in pixels; the nose, which sticks out, is left out."""
    points = geometry(kind).points
    eyes = [(points[f"eye_upper_{side}"] + points[f"eye_lower_{side}"]) / 2 for side in SIDES]
    corners = [points[f"mouth_corner_{side}"] for side in SIDES]
    return _fitted(np.array([*eyes, *corners]), landmarks[[0, 1, 3, 4]])


def _fitted(target: NDArray[np.float64], found: NDArray[np.float64]) -> NDArray[np.float64]:
    """x, y, width, height that bring shares of the crop, `target` (N, 2), to `found`."""
    fits = [np.polyfit(target[:, axis], found[:, axis], 1) for axis in (0, 1)]
    return np.array([fits[0][1], fits[1][1], fits[0][0], fits[1][0]])


def geometry_of(points: Points, face_width: float, crop: NDArray[np.float64]) -> Geometry:
    """A face of known points, in pixels, as it lies in a crop (x, y, width, height)."""
    inside = {name: (place - crop[:2]) / crop[2:] for name, place in points.items()}
    return Geometry(inside, face_width / crop[2:])
