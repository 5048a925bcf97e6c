"""Weights of face blocks as pictures: each block's window on the face, coloured by its weight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from mer_tf.arrays import evenly
from mer_tf.explain.figures.maps import DPI, HEAT, SHOWN, SMALL, picture, save


@dataclass(frozen=True, eq=False)
class Windows:
    """Where K blocks of a clip are, in pixels of its frames."""

    centres: NDArray[np.floating]
    """(K, 2): x and y."""
    side: float


def weights_png(
    frames: NDArray[Any], weights: NDArray[np.floating], windows: Windows, path: Path, *, title: str
) -> Path:
    """A clip over time: up to 6 frames evenly spread, on each the blocks in the colour of that frame's weight.

    frames: RGB 0..255 (T, S, S, 3); weights: (T, K). Colours reach from the least to the greatest weight of the clip.
    """
    times = evenly(len(frames), SHOWN)
    faces = {f"frame {t}": (frames[t], weights[t], windows) for t in times}
    return faces_png(faces, path, title=title)


def faces_png(
    faces: Mapping[str, tuple[NDArray[Any], NDArray[np.floating], Windows]], path: Path, *, title: str
) -> Path:
    """Faces in a row, one a caption: a frame RGB (S, S, 3), the weights (K,) of its blocks, and where they are."""
    every = np.concatenate([weights for _, weights, _ in faces.values()])
    colours = ScalarMappable(Normalize(float(every.min()), float(every.max()) + 1e-9), HEAT)
    figure = Figure(figsize=(0.9 + 1.6 * len(faces), 2.3), dpi=DPI, layout="constrained")
    axes = figure.subplots(1, len(faces), squeeze=False)
    for one, (caption, (frame, weights, windows)) in zip(axes.flat, faces.items(), strict=True):
        grey = np.repeat(frame.mean(axis=-1, keepdims=True), 3, axis=-1).astype(np.uint8)
        picture(one, grey, caption)
        _draw(one, weights, windows, colours)
    bar = figure.colorbar(colours, ax=axes, fraction=0.02, pad=0.01)
    bar.set_label("weight", fontsize=SMALL)
    bar.ax.tick_params(labelsize=SMALL)
    figure.suptitle(title, fontsize=9)
    return save(figure, path)


def _draw(axes: Axes, weights: NDArray[np.floating], windows: Windows, colours: ScalarMappable) -> None:
    """Frames of the windows, heaviest on top, and a dot at each centre: windows overlap, dots do not."""
    half, shades = windows.side / 2, colours.to_rgba(weights)
    for index in np.argsort(weights):
        (x, y), colour = windows.centres[index], shades[index]
        axes.add_patch(Rectangle((x - half, y - half), windows.side, windows.side, fill=False, ec=colour, lw=1.1))
        axes.plot(x, y, "o", ms=4, mfc=colour, mec="white", mew=0.5)
