"""Figures of many maps: every candidate layer with its numbers, and one map of several networks beside each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mer_tf.explain.figures.maps import DPI, SMALL, overlay, picture, save, scale_bar
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
        row = numbers[layer]
        size = f"{row['height']} x {row['width']} x {row['channels']}"
        said = f"lift {row['lift']:.2f}  energy {row['energy']:.2f}  IoU {row['iou']:.2f}"
        picture(one, np.hstack(tiles), f"{layer}  {size}\n{said}", fontsize=7, **marked)
    scale_bar(figure, axes, "1 = greatest of the frame")
    figure.suptitle(f"{title}; chosen: {chosen}", fontsize=9)
    return save(figure, path)


def sides_png(
    shown: Sequence[tuple[str, NDArray[Any], Mapping[str, Maps]]],
    names: Mapping[str, str],
    path: Path,
    *,
    title: str,
    note: str = "",
) -> Path:
    """A row a frame: the frame, then a column for each side's map, e.g. before and after training.

    shown: label, RGB 0..255 (S, S, 3) and side -> map (S, S) of each frame; names: side -> what stands above its
    column. Every picture has its own scale.
    """
    figure = Figure(figsize=(1.1 + 1.5 * (1 + len(names)), 1.2 + 1.55 * len(shown)), dpi=DPI, layout="constrained")
    axes = figure.subplots(len(shown), 1 + len(names), squeeze=False)
    for row, (label, face, heats) in enumerate(shown):
        picture(axes[row, 0], face.astype(np.uint8), label)
        for column, (side, name) in enumerate(names.items(), start=1):
            empty = "" if heats[side].any() else "no heat"
            heading = name if row == 0 else ""
            picture(axes[row, column], overlay(face, normalised(heats[side][None])[0]), f"{heading}\n{empty}".strip())
    scale_bar(figure, axes, "1 = greatest of the picture")
    figure.suptitle(title, fontsize=9)
    figure.supxlabel(note, fontsize=SMALL)
    return save(figure, path)
