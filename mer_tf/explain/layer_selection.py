"""Which encoder block to retrain from: the layer whose Grad-CAM is closest to the facial features, measured.

Bai & Goecke (ICMI'20 Companion, section 4.3) call it l_s and name no measure. Here, for every block's output, with the
map H upsampled to the image, F the mask of the features and P all pixels:

    energy = sum_F H / sum H     lift = energy / (|F| / |P|)     iou = IoU(the |F| greatest pixels of H, F)
    spill  = share of H outside the face box

each a mean over frames of the training fold. l_s has the greatest lift; within 2 % of it the deepest layer is taken,
which leaves the fewest weights to retrain.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mer_tf.config import MerError
from mer_tf.explain.gradcam import GradCam, Maps
from mer_tf.explain.regions import Mask, face_mask, features_mask
from mer_tf.explain.upsampling import cell_grid, upsample
from mer_tf.models.encoders.parts import block_outputs

COLUMNS = ("layer", "height", "width", "channels", "energy", "lift", "iou", "spill", "frames")
TIE = 0.02
"""Relative difference of lift below which two layers are as good."""


def layer_maps(encoder: keras.Model, frames: NDArray[Any], *, batch: int = 8) -> dict[str, Maps]:
    """Grad-CAM of every block's output, upsampled: block -> float32 (M, S, S) for frames (M, S, S, 3), RGB 0..255.

    Of the strongest unit of the encoder's output, since there is no emotion head yet.
    """
    blocks, size = block_outputs(encoder), frames.shape[1]
    cam = GradCam(encoder, list(blocks.values()))
    grids = {block: cell_grid(encoder, layer) for block, layer in blocks.items()}
    parts: dict[str, list[Maps]] = {block: [] for block in blocks}
    for start in range(0, len(frames), batch):
        images = np.asarray(frames[start : start + batch], np.float32)
        found = cam(images, "max")
        for block, layer in blocks.items():
            parts[block].append(upsample(found[layer].cam(), size, grids[block]))
    return {block: np.concatenate(part) for block, part in parts.items()}


def layer_table(encoder: keras.Model, maps: Mapping[str, Maps], landmarks: NDArray[np.floating]) -> pd.DataFrame:
    """One row a block, in order: layer (block name), height, width, channels, energy, lift, iou, spill, frames.

    maps: of `layer_maps`. landmarks: (M, 68, 2) pixels of the frames. `frames` counts those whose map is not zero; the
    means are over them.
    """
    size = next(iter(maps.values())).shape[-1]
    masks = [(features_mask(points, size), face_mask(points, size)) for points in landmarks]
    outputs, rows = block_outputs(encoder), []
    for block, heat in maps.items():
        shape = encoder.get_layer(outputs[block]).output.shape[1:]
        measured = [measure(one, *mask) for one, mask in zip(heat, masks, strict=True) if one.any()]
        means = np.mean(measured, axis=0) if measured else np.full(4, np.nan)
        rows.append((block, *shape, *means, len(measured)))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def measure(heat: Maps, features: Mask, face: Mask) -> tuple[float, float, float, float]:
    """energy, lift, iou and spill of one map (S, S) that is not all zero."""
    area, total = int(features.sum()), float(heat.sum())
    energy = float(heat[features].sum()) / total
    top = np.zeros(heat.size, bool)
    top[np.argsort(-heat, axis=None, kind="stable")[:area]] = True
    shared = int((top.reshape(heat.shape) & features).sum())
    spill = float(heat[~face].sum()) / total
    return energy, energy * features.size / area, shared / (2 * area - shared), spill


def choose_layer(table: pd.DataFrame) -> str:
    """l_s: the layer of greatest lift; of those within 2 % of it the deepest. `MerError` when no layer has a map."""
    known = table.dropna(subset="lift")
    if known.empty:
        raise MerError("layer selection: every Grad-CAM map is zero; are the encoder's weights loaded?")
    good = known[known["lift"] >= (1 - TIE) * known["lift"].max()]
    return str(good["layer"].iloc[-1])
