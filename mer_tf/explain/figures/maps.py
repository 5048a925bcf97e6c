"""Maps as pictures: heat over a grey face, a clip's strip and animation, and the numbers themselves.

One scale throughout: 0 keeps the grey face, 1 is the brightest colour; every writer says what 1 stands for.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from mer_tf.arrays import evenly
from mer_tf.config import MerError
from mer_tf.explain.gradcam import Maps, normalised
from mer_tf.files import atomic
from mer_tf.preprocessing.pictures import INNER

Frames = NDArray[np.uint8]

HEAT = colormaps["inferno"]
"""Perceptually uniform: equal steps of heat look equal, in grey print too."""
STRENGTH = 0.75
"""Opacity of heat 1."""
DPI = 120
SHOWN = 6
"""Frames of a clip that a strip shows."""
SMALL = 9
"""Points of captions: read on a page that shows the figure a fifth smaller."""


def overlay(face: NDArray[Any], heat: Maps) -> Frames:
    """Heat over a grey face: RGB uint8 (S, S, 3). face: RGB 0..255 (S, S, 3); heat: (S, S), 0..1, clipped."""
    if face.shape[:2] != heat.shape:
        raise MerError(f"overlay: a face of {face.shape[:2]} and a map of {heat.shape}; upsample the map first")
    grey = cv2.cvtColor(np.asarray(face).astype(np.uint8), cv2.COLOR_RGB2GRAY).astype(float) / 255
    return _blended(grey, np.clip(heat, 0, 1))


def strip_png(
    frames: NDArray[Any],
    maps: Maps,
    path: Path,
    *,
    title: str,
    note: str = "",
    places: Sequence[int] | NDArray[np.integer] = (),
) -> Path:
    """A clip over time: its frames, and below the same with heat, six of them evenly spread; first and last too.

    frames: RGB 0..255 (T, S, S, 3); maps: (T, S, S), scaled so that the clip's greatest value is 1; `note` says how to
    read it, and `places` which of the clip's frames these are.
    """
    heat = normalised(maps[None])[0]
    times = evenly(len(frames), SHOWN)
    figure = Figure(figsize=(max(0.9 + 1.5 * len(times), 6.5), 4.1), dpi=DPI, layout="constrained")
    # One frame alone has its heat beside it.
    axes = figure.subplots(2, len(times), squeeze=False) if len(times) > 1 else figure.subplots(1, 2, squeeze=False).T
    for column, time in enumerate(times):
        picture(axes[0, column], frames[time].astype(np.uint8), f"frame {places[time] if len(places) else time}")
        picture(axes[1, column], overlay(frames[time], heat[time]))
    scale_bar(figure, axes, "1 = greatest of the clip")
    figure.suptitle(title, fontsize=10)
    figure.supxlabel(note, fontsize=SMALL)
    return save(figure, path)


def overlay_gif(frames: NDArray[Any], maps: Maps, path: Path, *, fps: float = 8.0, zoom: int = 2) -> Path:
    """The clip with heat, slow and endless: an animated GIF of `zoom` times the size. Scale as `strip_png`."""
    heat = normalised(maps[None])[0]
    # One palette for all pictures, of 16 greys under each of 16 heats: a palette a picture would flicker.
    grey, warm = np.meshgrid(np.linspace(0, 1, 16), np.linspace(0, 1, 16))
    palette = Image.new("P", (1, 1))
    palette.putpalette([int(value) for value in _blended(grey.ravel(), warm.ravel()).ravel()])
    pictures = [
        Image.fromarray(np.repeat(np.repeat(overlay(*one), zoom, 0), zoom, 1)).quantize(
            palette=palette, dither=Image.Dither.NONE
        )
        for one in zip(frames, heat, strict=True)
    ]
    with atomic(path) as part:
        pictures[0].save(
            part, save_all=True, append_images=pictures[1:], duration=round(1000 / fps), loop=0, optimize=False
        )
    return path


def maps_npz(maps: Mapping[str, Maps], path: Path, about: Mapping[str, str]) -> Path:
    """Raw maps by name, as they are, and texts about them (clip, layer, target); no pickle inside."""
    with atomic(path) as part:
        arrays = {name: np.asarray(value) for name, value in {**about, **maps}.items()}
        np.savez_compressed(part, allow_pickle=False, **arrays)
    return path


def picture(axes: Axes, image: Frames, title: str = "", **text: Any) -> None:
    """An image without ticks."""
    axes.imshow(image, interpolation="bilinear")
    axes.set(xticks=[], yticks=[])  # the layout would measure hidden ones
    axes.set_axis_off()
    axes.set_title(title, **{"fontsize": SMALL, "pad": 2, "y": 1.0, **text})


def scale_bar(figure: Figure, axes: Any, label: str) -> None:
    """The colours as they stand over mid grey, with what 1 means."""
    shades = _blended(np.full(256, 0.5), np.linspace(0, 1, 256)) / 255
    # The layout measures the bar once for each picture it belongs to: it belongs to the last column alone.
    held = {"ax": axes[:, -1], "fraction": 0.02 * axes.shape[1], "pad": 0.01 * axes.shape[1]}
    bar = figure.colorbar(ScalarMappable(cmap=ListedColormap(list(shades))), **held)
    bar.set_label(label, fontsize=SMALL)
    bar.ax.tick_params(labelsize=SMALL)


def save(figure: Figure, path: Path) -> Path:
    """Write a figure atomically, and in it where its pictures are (`INNER`)."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    drawn = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    about = PngInfo()
    shown = [axes for axes in figure.axes if axes.images or axes.get_label() == "<colorbar>"]  # images, and scales
    about.add_text(INNER, json.dumps([_box(axes, drawn.height) for axes in shown]))
    with atomic(path) as part:
        drawn.save(part, "PNG", pnginfo=about)
    return path


def _box(axes: Axes, height: int) -> list[int]:
    """Left, top, right, bottom in pixels of the figure: those that are the picture's alone."""
    (left, low), (right, high) = axes.get_window_extent().get_points()
    return [math.ceil(left), math.ceil(height - high), math.floor(right), math.floor(height - low)]


def _blended(grey: NDArray[np.floating], heat: NDArray[np.floating]) -> Frames:
    """Grey values 0..1 (...) under heat 0..1 (...): RGB uint8 (..., 3)."""
    opacity = STRENGTH * np.minimum(1.0, 2 * heat)[..., None]
    mixed = (1 - opacity) * grey[..., None] + opacity * HEAT(0.15 + 0.85 * heat)[..., :3]
    return np.asarray(np.round(255 * mixed), np.uint8)
