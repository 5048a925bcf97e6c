"""Grad-CAM of one layer in one call."""

from typing import Any

import keras

from mer_tf.explain.gradcam import GradCam, Maps, Target, normalised
from mer_tf.explain.upsampling import Grid, upsample


def grad_cam(
    model: keras.Model,
    inputs: Any,
    layer: str,
    target: Target,
    *,
    minus_onset: bool = False,
    local: bool = False,
    size: int | None = None,
    grid: Grid | None = None,
    normalise: bool = False,
) -> Maps:
    """Grad-CAM of one layer: (B, h, w), or (B, T, h, w) of a layer folded over time. See `GradCam` and `Tapped.cam`.

    size: bilinear upsampling to (..., size, size), cells placed by `grid` (`upsampling.cell_grid`).
    normalise: every sample's greatest value becomes 1 (a clip's over all its frames); a sample of zeros stays so.
    """
    maps = GradCam(model, [layer])(inputs, target)[layer].cam(minus_onset=minus_onset, local=local)
    maps = maps if size is None or grid is None else upsample(maps, size, grid)
    return normalised(maps) if normalise else maps
