"""What a model attended to as pictures: a clip's frames with the weights of their cells, and the weights of frames."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mer_tf.explain.figures.maps import DPI, SMALL, overlay, picture, save, scale_bar
from mer_tf.explain.gradcam import Maps, normalised


def attention_png(
    frames: NDArray[Any],
    places: NDArray[np.integer],
    heat: Maps | None,
    beta: NDArray[np.floating] | None,
    path: Path,
    *,
    title: str,
) -> Path:
    """A clip's T frames, the same under the weights of cells (T, S, S) and, as bars, of frames (T,), where there are.

    frames: RGB 0..255 (T, S, S, 3); places: of these frames in the clip. Heat 1 is the clip's greatest weight, which is
    said as a multiple of the even one; `heat` is given in such multiples.
    """
    rows = 1 + (heat is not None) + (beta is not None)
    width = 1.0 + 1.05 * len(frames)
    figure = Figure(figsize=(width, 0.55 + 1.15 * rows), dpi=DPI, layout="constrained")
    axes = figure.subplots(rows, len(frames), squeeze=False)
    scaled = None if heat is None else normalised(heat[None])[0]
    for column, face in enumerate(frames):
        picture(axes[0, column], face.astype(np.uint8), f"frame {places[column]}")
        if scaled is not None:
            picture(axes[1, column], overlay(face, scaled[column]))
        if beta is not None:
            _bar(axes[-1, column], float(beta[column]), float(max(beta.max(), 1e-9)))
    if heat is not None:
        scale_bar(figure, axes, f"1 = greatest of the clip\n({heat.max():.2g} x even)")
    figure.suptitle(title, fontsize=8)
    return save(figure, path)


def mean_attention_png(face: NDArray[Any], maps: Mapping[str, Maps], path: Path, *, title: str) -> Path:
    """Mean weights of cells by name, in multiples of the even one, (S, S) each, over a face (S, S, 3); one scale."""
    figure = Figure(figsize=(1.2 + 1.7 * len(maps), 2.3), dpi=DPI, layout="constrained")
    axes = figure.subplots(1, len(maps), squeeze=False)
    most = max(float(one.max()) for one in maps.values())
    for column, (name, heat) in enumerate(maps.items()):
        picture(axes[0, column], overlay(face, heat / max(most, 1e-9)), f"{name}\nup to {heat.max():.2f} x even")
    scale_bar(figure, axes, f"1 = {most:.2f} x even")
    figure.suptitle(title, fontsize=8)
    return save(figure, path)


def _bar(axes: Any, value: float, most: float) -> None:
    axes.bar([0], [value], width=0.5, color="tab:orange")
    axes.set_xlim(-1, 1)
    axes.set_ylim(0, most * 1.25)
    axes.text(0, value, f"{value:.2f}", ha="center", va="bottom", fontsize=SMALL)
    axes.set_xticks([])
    axes.set_yticks([])
