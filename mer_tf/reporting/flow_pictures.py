"""Flow fields in colour: u, v and optical strain side by side, red and blue for the two directions, white for rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from mer_tf.config import MerError
from mer_tf.preprocessing.strain import optical_strain
from mer_tf.reporting.plots import save

ACROSS = 3
"""Fields in a row of a contact sheet."""
MARKED = ("brow", "eye", "nose", "mouth")


def sheet_png(
    fields: Mapping[str, NDArray[np.floating]], points: Mapping[str, NDArray[np.float64]], path: Path, title: str
) -> Path:
    """Contact sheet of flow fields (S, S, 2) by name, parts of the face (shares of the crop) marked by dots.

    One scale for u and v of all fields, symmetric about rest; one for strain, from 0.
    """
    if not fields:
        raise MerError(f"{path}: a contact sheet needs at least one flow field")
    rows = -(-len(fields) // ACROSS)
    figure = Figure(figsize=(3.9 * ACROSS, 1.7 * rows + 0.5), dpi=110, layout="constrained")
    axes = figure.subplots(rows, 3 * ACROSS, squeeze=False).ravel()
    limit = max(float(np.abs(f).max()) for f in fields.values())
    strains = max(float(optical_strain(f).max()) for f in fields.values())
    for place, (name, field) in enumerate(fields.items()):
        trio = axes[3 * place : 3 * place + 3]
        flow_axes(list(trio), field, name, limit, strains)
        for one in trio:
            marks = np.array([p for n, p in points.items() if n.startswith(MARKED)])
            one.plot(*(marks.T * field.shape[0] - 0.5), ".", color="0.45", markersize=1.2)
    for unused in axes[3 * len(fields) :]:
        unused.set_axis_off()
    figure.suptitle(title, fontsize=9)
    return save(figure, path)


def clip_png(
    onset: NDArray[np.uint8],
    apex: NDArray[np.uint8],
    box: NDArray[np.float64],
    field: NDArray[np.floating],
    lines: Sequence[str],
    path: Path,
) -> Path:
    """Onset and apex (H, W, 3) with the crop (x, y, width, height), its flow (S, S, 2), and `lines` of text below."""
    figure = Figure(figsize=(10, 2.9 + 0.17 * len(lines)), dpi=110)
    axes = figure.subplots(1, 5, gridspec_kw={"bottom": 0.1 + 0.05 * len(lines), "left": 0.01, "right": 0.99})
    for one, frame, name in zip(axes, (onset, apex), ("onset", "apex"), strict=False):
        one.imshow(frame)
        one.add_patch(Rectangle(tuple(box[:2]), *box[2:], fill=False, color="yellow"))
        one.set_axis_off()
        one.set_title(name, fontsize=8)
    flow_axes(axes[2:], field, "", float(np.abs(field).max()) or 1.0, float(optical_strain(field).max()) or 1.0)
    figure.text(0.02, 0.02, "\n".join(lines), fontsize=8, va="bottom")
    return save(figure, path)


def flow_axes(axes: Sequence[Axes], field: NDArray[np.floating], name: str, limit: float, strains: float) -> None:
    """u, v and strain of one field (S, S, 2) on three axes; u and v from -limit to limit."""
    planes = (field[..., 0], field[..., 1], optical_strain(field))
    for one, plane, what in zip(axes, planes, ("u (right)", "v (down)", "strain"), strict=True):
        scale = {"cmap": "magma", "vmin": 0, "vmax": strains} if what == "strain" else {"cmap": "RdBu_r"}
        scale = scale if what == "strain" else {**scale, "vmin": -limit, "vmax": limit}
        one.imshow(plane, interpolation="nearest", **scale)
        one.set_axis_off()
        # The name stands once, over the middle.
        one.set_title(f"{name}\n{what}" if name and what[0] == "v" else what, fontsize=7)
