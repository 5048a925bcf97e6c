"""Figures of many maps: every candidate layer with its numbers, and a layer before and after training."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mer_tf.explain.figures.maps import DPI, overlay, picture, save, scale_bar
from mer_tf.explain.gradcam import Maps, normalised

_COLUMNS = 6


def layers_png(
    frames: NDArray[Any], maps: Mapping[str, Maps], table: pd.DataFrame, chosen: str, path: Path, *, title: str
) -> Path:
    """Every candidate layer on the same example frames, with its row of `layer_selection.layer_table`.

    frames: RGB 0..255 (M, S, S, 3), two or three of them; maps: layer -> (M, S, S), as `layer_maps` gives them.
    """
    rows = -(-len(maps) // _COLUMNS)
    across = min(_COLUMNS, len(maps))
    figure = Figure(
        figsize=(0.8 + 2.1 * across, 0.5 + rows * (0.42 + 2.0 / len(frames))), dpi=DPI, layout="constrained"
    )
    axes = figure.subplots(rows, across, squeeze=False)
    numbers = table.set_index("layer").to_dict("index")
    for one in axes.flat:
        one.set_axis_off()
    for one, (layer, heat) in zip(axes.flat, maps.items(), strict=False):
        tiles = [overlay(*pair) for pair in zip(frames, normalised(heat), strict=True)]
        marked = {"fontweight": "bold", "color": "tab:red"} if layer == chosen else {}
        picture(one, np.hstack(tiles), _caption(layer, numbers[layer]), **marked)
    scale_bar(figure, axes, "1 = greatest of the frame")
    figure.suptitle(f"{title}; chosen: {chosen}", fontsize=9)
    return save(figure, path)


def _caption(layer: str, row: Mapping[Any, Any]) -> str:
    size = f"{row['height']} x {row['width']} x {row['channels']}"
    return f"{layer}  {size}\nlift {row['lift']:.2f}  energy {row['energy']:.2f}  IoU {row['iou']:.2f}"


def before_after_png(
    frames: NDArray[Any], before: Maps, after: Maps, path: Path, *, labels: list[str], title: str
) -> Path:
    """Maps of one layer before and after training (Figure 4 of Bai & Goecke 2020): frame, before, after, a column each.

    frames: RGB 0..255 (M, S, S, 3); before, after: (M, S, S); labels: a short text a frame, e.g. its true class.
    """
    figure = Figure(figsize=(1.5 + 1.3 * len(frames), 4.4), dpi=DPI, layout="constrained")
    axes = figure.subplots(3, len(frames), squeeze=False)
    rows = (None, normalised(before), normalised(after))
    for index, (face, label) in enumerate(zip(frames, labels, strict=True)):
        for row, heat in enumerate(rows):
            image = face.astype(np.uint8) if heat is None else overlay(face, heat[index])
            picture(axes[row, index], image, label if row == 0 else "")
    for row, name in enumerate(("frame", "before training", "after training")):
        axes[row, 0].text(
            -0.06, 0.5, name, transform=axes[row, 0].transAxes, rotation=90, ha="right", va="center", fontsize=8
        )
    scale_bar(figure, axes, "1 = greatest of the picture")
    figure.suptitle(title, fontsize=9)
    return save(figure, path)
