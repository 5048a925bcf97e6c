"""A look-alike of the MEGC 2019 composite as flow images, 442 of 68 subjects, drawn without any face.

An image holds u, v and optical strain, onset to apex, on 28 x 28 pixels: the motion of the class's action units where a
face has them, shifted and scaled by subject, plus the head's motion and smooth errors of a flow method, each channel
stretched to 0..255. At amplitude 0 the class moves nothing. Nothing measured on it is evidence about people.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from mer_tf.arrays import evenly
from mer_tf.code_version import PIXELS
from mer_tf.datasets.adapters.flow_images import CLASSES
from mer_tf.datasets.manifest import MARKER
from mer_tf.errors import refuse
from mer_tf.files import write_json
from mer_tf.locks import whole_folder
from mer_tf.preprocessing.pictures import write_picture
from mer_tf.preprocessing.stacks import flow_stack, min_max
from mer_tf.synthetic.action_units.table import drawn_combination, drawn_sides, expression
from mer_tf.synthetic.faces.portraits import astronaut_points
from mer_tf.synthetic.layouts.files import finished
from mer_tf.synthetic.layouts.others import megc_names
from mer_tf.synthetic.trees.smic import MAX_AMPLITUDE

SIDE = 28
SUBJECTS = 68
SHOWN = 1.15
"""Side of the image in widths of the face."""
ERROR = 1.6
"""Standard deviation of the flow's error, pixels on a face 96 pixels wide, as the amplitude is."""
SMOOTH = 2.5
"""Reach of that error, pixels of the image."""
HEAD = (1.0, 0.015)
"""Of what the head does from onset to apex: shift, in pixels as above, and turn or zoom, a share."""


def write_flow_images(out: Path, *, amplitude: float = 3.0, subjects: int = SUBJECTS, seed: int = 0) -> Path:
    """Write `<subject>/u_test/<class>/<clip> .png` under `out` and return it; a finished tree of equal arguments stays.

    `amplitude`: greatest displacement, pixels on a face 96 pixels wide (a clip has .75 to 1.25 of it), at most 4.
    Fewer `subjects` than 68 are taken evenly from the three data sets. `MerError` for arguments out of range and for an
    `out` that holds anything else.
    """
    arguments = {"amplitude": float(amplitude), "subjects": subjects, "seed": seed, "version": PIXELS}
    _check(arguments)
    out = Path(out)
    if finished(out, arguments, MARKER):
        return out
    with whole_folder(out) as part:
        _draw_all(part, amplitude, subjects, seed)
        write_json(part / MARKER, arguments)
    return out


def draw_flow(label: str, amplitude: float, face: Points, rng: np.random.Generator) -> NDArray[np.float32]:
    """Flow (28, 28, 2), (dx, dy) in pixels of the image, of one clip with raw label negative, positive or surprise.

    What every class has comes from the first half of the random numbers, so that it does not depend on the class.
    """
    unit = SIDE / SHOWN / 96
    common, special = rng.spawn(2)
    chosen, sides = drawn_combination(label, special), drawn_sides(special)
    size = amplitude * float(special.uniform(0.75, 1.25)) * unit
    moved = expression(chosen.aus, face, SIDE / SHOWN, sides).scaled(size).grid(SIDE, SIDE)
    return np.asarray(moved + _head(unit, common) + _error(unit, common), np.float32)


Points = dict[str, NDArray[np.float64]]
"""Landmark name -> (x, y), pixels of the image."""


def draw_face(rng: np.random.Generator) -> Points:
    """Where one subject's face parts lie in its images, about as every face's."""
    points = astronaut_points()
    width = float(points["face_right"][0] - points["face_left"][0])
    center = (points["face_left"] + points["face_right"]) / 2 + [0, 0.12 * width]
    scale, shift = rng.normal(1, 0.05, 2), rng.normal(0, 0.8, 2)
    to_image = SIDE / SHOWN / width
    return {name: (p - center) * to_image * scale + SIDE / 2 + shift for name, p in points.items()}


def _draw_all(part: Path, amplitude: float, subjects: int, seed: int) -> None:
    clips = megc_names(False, np.random.default_rng([seed, 0]))
    names = list(dict.fromkeys(subject for subject, _, _ in clips))
    kept = {names[i] for i in evenly(len(names), subjects)}
    faces = {name: draw_face(np.random.default_rng([seed, 1, k])) for k, name in enumerate(names)}
    for number, (subject, name, label) in enumerate(clips):
        if subject not in kept:
            continue
        rng = np.random.default_rng([seed, 2, number])
        image = min_max(flow_stack(draw_flow(CLASSES[str(label)], amplitude, faces[subject], rng), "strain"))
        path = part / subject / "u_test" / str(label) / f"{subject}_{name} .png"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_picture(path, image)


def _head(unit: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Shift, turn and zoom of the whole head."""
    shift, (turn, zoom) = rng.normal(0, HEAD[0] * unit, 2), rng.normal(0, HEAD[1], 2)
    y, x = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    return np.stack([shift[0] + zoom * x - turn * y, shift[1] + turn * x + zoom * y], axis=-1)


def _error(unit: float, rng: np.random.Generator) -> NDArray[np.float64]:
    rough = rng.normal(size=(SIDE, SIDE, 2))
    smooth = cv2.GaussianBlur(rough, (0, 0), SMOOTH, borderType=cv2.BORDER_REFLECT)
    return np.asarray(smooth / smooth.std() * ERROR * unit)


def _check(arguments: dict[str, float]) -> None:
    amplitude, subjects = arguments["amplitude"], arguments["subjects"]
    faults = {
        f"amplitude must lie in 0 .. {MAX_AMPLITUDE:g} pixels, not {amplitude:g}": not 0 <= amplitude <= MAX_AMPLITUDE,
        f"subjects must lie in 2 .. {SUBJECTS}, not {subjects}": not 2 <= subjects <= SUBJECTS,
        f"seed must be 0 or more, not {arguments['seed']}": arguments["seed"] < 0,
    }
    refuse(f"synthetic flow images: {fault}" for fault, broken in faults.items() if broken)
