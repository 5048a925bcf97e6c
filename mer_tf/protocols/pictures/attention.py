"""Attention of a finished run: where and when each test clip was looked at, by the model that never saw it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd

from mer_tf.explain.figures.attention import attention_png, mean_attention_png
from mer_tf.explain.figures.maps import maps_npz
from mer_tf.explain.regions import region_masks
from mer_tf.explain.upsampling import Grid, cell_grid, upsample
from mer_tf.files import file_name, write_csv
from mer_tf.inputs.batches import fixed_batches, input_names
from mer_tf.models.attention_lstm import ALPHA, BETA, KEY_FRAMES, attention_maps
from mer_tf.models.encoders.parts import map_layer
from mer_tf.models.stored import FINISH, load_model
from mer_tf.protocols.cross_validation import fold_folder
from mer_tf.protocols.layer_choice import clip_landmarks
from mer_tf.protocols.pictures.view import best_recognised, entry, first_seed
from mer_tf.protocols.workbench import Workbench
from mer_tf.training.trainer import clip_windows

SHOWN = 2
"""Clips of each class that are drawn."""
BATCH = 32


@dataclass(frozen=True)
class Attention:
    """What a clip's model attended to over its T frames. None where the model has none of the kind."""

    alpha: np.ndarray | None
    """(T, h, w), or (T, D) where features are vectors; sums to 1 over the cells."""
    beta: np.ndarray | None
    """(T,)."""
    key_frames: np.ndarray | None
    """(T,) bool: learned key frames."""

    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays that the model has, by name."""
        return {name: value for name, value in vars(self).items() if value is not None}


def clip_attention(bench: Workbench, run: Path) -> dict[str, Attention]:
    """Attention of every test clip of the run's first seed, by the model of its own fold; of a clip's first window."""
    found: dict[str, Attention] = {}
    for fold in bench.folds():
        path = fold_folder(bench, run, bench.experiment.train.seed, fold.number) / "model.keras"
        model = load_model(path, FINISH)
        found |= model_attention(bench, model, bench.ids(fold.test))
    return found


def model_attention(bench: Workbench, model: keras.Model, ids: list[str]) -> dict[str, Attention]:
    config, store = bench.experiment.clip, bench.store
    windows = [clip_windows(name, store.length(name), config)[0] for name in ids]
    frames = store.longest if config.test == "whole" else config.frames
    maps, names = attention_maps(model), input_names(model)
    if maps is None:
        return {name: Attention(None, None, None) for name in ids}
    parts = [maps.predict_on_batch(x) for x in fixed_batches(store, windows, frames, BATCH, names)]
    values = {name: np.concatenate([np.asarray(part[name]) for part in parts]) for name in parts[0]}
    cells = tuple(store.shape[:-1]) or tuple(store.shape)
    return {name: _of_clip(values, k, store.length(name), cells) for k, name in enumerate(ids)}


def _of_clip(values: dict[str, np.ndarray], k: int, length: int, cells: tuple[int, ...]) -> Attention:
    alpha, beta, key = (values[name][k][:length] if name in values else None for name in (ALPHA, BETA, KEY_FRAMES))
    return Attention(None if alpha is None else alpha.reshape(-1, *cells), beta, key)


def write_attention(bench: Workbench, run: Path) -> None:
    """pictures/attention/ of a run: attention.csv, mean.png, a picture and the numbers (.npz) of some clips.

    attention.csv: a row a test clip, with y_true, y_pred, the frame of most weight (number within the stored clip) and
    for each region of the face the mean weight of its pixels over that of all, 1 where attention is even.
    """
    home = run / "pictures"
    table = first_seed(run)
    found, at = clip_attention(bench, run), bench.encoded.resolved.get("features_at")
    grid = cell_grid(bench.encoder(), map_layer(bench.encoder(), at)) if at else None
    if not any(a.arrays() for a in found.values()):
        return
    frames = bench.shown(table["clip_id"].tolist())
    rows = [_row(bench, row, frames[row["clip_id"]], found[row["clip_id"]], grid) for row in table.to_dict("records")]
    summary = pd.DataFrame(rows)
    write_csv(summary, home / "attention" / "attention.csv")
    listed = []
    if grid is not None and any(a.alpha is not None for a in found.values()):
        _mean(table, frames, found, grid, home / "attention" / "mean.png")
        listed.append(entry("attention", "Mean weight of cells by class", _lifts(summary), "attention/mean.png"))
    for row in best_recognised(table, SHOWN).to_dict("records"):
        folder = home / "attention" / file_name(row["clip_id"])
        _drawn(bench, row, frames[row["clip_id"]], found[row["clip_id"]], grid, folder)
        caption = f"true {row['y_true']}, predicted {row['y_pred']}"
        listed.append(entry("attention", row["clip_id"], caption, f"attention/{folder.name}/attention.png"))
    write_csv(pd.DataFrame(listed), home / "pictures.csv")


def _heat(alpha: np.ndarray | None, size: int, grid: Grid | None) -> np.ndarray | None:
    """Weights of cells (T, size, size), in multiples of the even weight; None for vectors."""
    if alpha is None or grid is None:
        return None
    return upsample(alpha * math.prod(alpha.shape[1:]), size, grid)


def _row(
    bench: Workbench, row: dict[Any, Any], frames: np.ndarray, attention: Attention, grid: Grid | None
) -> dict[str, Any]:
    """A line of attention.csv."""
    known = {name: row[name] for name in ("clip_id", "y_true", "y_pred")}
    if attention.beta is not None:
        places = bench.places(row["clip_id"])
        known["frame"] = int(places[int(attention.beta.argmax())])
    heat = _heat(attention.alpha, frames.shape[1], grid)
    if heat is None:
        return known
    points = clip_landmarks(bench, row["clip_id"], frames[0])
    masks = region_masks(points, frames.shape[1])
    return known | {f"lift_{name}": heat[:, mask].mean() / heat.mean() for name, mask in masks.items()}


def _mean(
    table: pd.DataFrame, frames: Mapping[str, np.ndarray], found: dict[str, Attention], grid: Grid, path: Path
) -> None:
    """Mean heat of every true class over the mean onset frame."""
    face = np.mean([shown[0] for shown in frames.values()], axis=0)
    size, maps = face.shape[0], {}
    for name, rows in [("all", table), *table.groupby("y_true")]:
        heats = [_heat(found[clip].alpha, size, grid) for clip in rows["clip_id"]]
        maps[str(name)] = np.mean([heat.mean(axis=0) for heat in heats if heat is not None], axis=0)
    mean_attention_png(face, maps, path, title="mean weight of cells over test clips and their frames, by true class")


def _lifts(summary: pd.DataFrame) -> str:
    means = summary.filter(like="lift_").mean()
    shown = ", ".join(f"{str(name).removeprefix('lift_')} {value:.2f}" for name, value in means.items())
    return f"weight in a region over the even one: {shown}"


def _drawn(
    bench: Workbench, row: dict[Any, Any], frames: np.ndarray, attention: Attention, grid: Grid | None, folder: Path
) -> None:
    clip_id = row["clip_id"]
    places = bench.places(clip_id)
    heat = _heat(attention.alpha, frames.shape[1], grid)
    title = f"{clip_id}: true {row['y_true']}, predicted {row['y_pred']}"
    attention_png(frames, places, heat, attention.beta, folder / "attention.png", title=title)
    about = {"clip_id": clip_id, "y_true": row["y_true"], "y_pred": row["y_pred"]}
    maps_npz(attention.arrays() | {"places": places}, folder / "attention.npz", about)
