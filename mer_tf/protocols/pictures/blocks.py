"""Weights of face blocks in a finished run: how much each test clip's own fold's model counted each block.

A gate is free: a small weight is made good by a large vector behind it. What weights may be read as was measured on
drawn clips: docs/report.md, "What a map may be read as".
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import pandas as pd

from mer_tf.config import MerError
from mer_tf.datasets.windows import Window
from mer_tf.explain.figures.blocks import Windows, faces_png, weights_png
from mer_tf.files import file_name, write_csv
from mer_tf.inputs.batches import fixed_batches, input_names
from mer_tf.inputs.blocks import BlockStore
from mer_tf.models.gia_bia_bilstm import Blocks, GiaBiaBiLstm, block_weights
from mer_tf.models.stored import FINISH, load_model
from mer_tf.preprocessing.face_blocks import load_blocks
from mer_tf.protocols.cross_validation import fold_folder
from mer_tf.protocols.pictures.view import best_recognised, entry, first_seed
from mer_tf.protocols.workbench import Workbench

FILE = "pictures/attention/block_weights.csv"
FACE = "whole face"
BATCH = 32


def write_block_weights(bench: Workbench, run: Path) -> pd.DataFrame:
    """pictures/attention/block_weights.csv of a run, and its pictures.

    Columns: clip_id, y_true, y_pred, fold, frame, block, region, weight; of every test clip by the model of its fold,
    first seed. The whole face's weight stands beside those of the blocks. Drawn are the best recognised clip of each
    class over time, and each class's mean weights.
    """
    frame = first_seed(run)
    table = pd.concat(_of_folds(bench, run, frame), ignore_index=True)
    write_csv(table, run / FILE)
    entries = list(_pictures(bench, frame, table, run / "pictures"))
    if entries:
        write_csv(pd.DataFrame(entries), run / "pictures" / "pictures.csv")
    return table


def clip_weights(bench: Workbench, model: keras.Model, ids: list[str]) -> dict[str, np.ndarray]:
    """Weights (T, K) of each clip's frames and blocks by a trained model; the whole face's last, where it has one."""
    probe, longest = block_weights(model), bench.store.longest
    parts = [
        {name: np.asarray(value) for name, value in probe.predict_on_batch(x).items()}
        for x in fixed_batches(bench.store, [Window(name, 0) for name in ids], longest, BATCH, input_names(probe))
    ]
    joined = [np.concatenate([p[name][..., 0] for p in parts]) for name in ("blocks", "face") if name in parts[0]]
    values = np.concatenate(joined, axis=1).reshape(-1, longest, sum(j.shape[1] for j in joined))
    return {name: value[: bench.store.length(name)] for name, value in zip(ids, values, strict=False)}


def _of_folds(bench: Workbench, run: Path, frame: pd.DataFrame) -> Iterator[pd.DataFrame]:
    settings = _settings(bench)
    blocks = load_blocks(settings.set)
    names, regions = list(blocks.names), list(blocks.regions)
    if not names and settings.none_mode == "whole_map":
        names, regions = ["whole map"], ["face"]
    names, regions = [*names, *[FACE] * settings.gia], [*regions, *["face"] * settings.gia]
    for fold, rows in frame.groupby("fold"):
        path = fold_folder(bench, run, int(rows["seed"].iloc[0]), int(str(fold))) / "model.keras"
        model = load_model(path, FINISH)
        for name, weights in clip_weights(bench, model, rows["clip_id"].tolist()).items():
            row = rows[rows["clip_id"] == name].iloc[0]
            about = {k: row[k] for k in ("clip_id", "y_true", "y_pred")} | {"fold": int(str(fold))}
            count = len(weights)
            yield pd.DataFrame(
                about
                | {"frame": np.repeat(np.arange(count), len(names)), "block": names * count}
                | {"region": regions * count, "weight": weights.ravel()}
            )


def _pictures(bench: Workbench, frame: pd.DataFrame, table: pd.DataFrame, home: Path) -> Iterator[dict[str, str]]:
    """Entries of pictures.csv, the pictures drawn; none where the model has no blocks."""
    names = load_blocks(_settings(bench).set).names
    if not names:
        return
    best = best_recognised(frame, 1).to_dict("records")
    shown, faces = bench.shown([row["clip_id"] for row in best]), {}
    weights = table[table["block"] != FACE]
    for row in best:
        clip, folder = row["clip_id"], f"attention/{file_name(row['clip_id'])}.png"
        windows = _windows(bench, clip)
        own = weights[weights["clip_id"] == clip]["weight"].to_numpy().reshape(-1, len(names))
        said = f"true {row['y_true']}, predicted {row['y_pred']}"
        weights_png(shown[clip], own, windows, home / folder, title=f"{clip}: {said}")
        yield entry("attention", clip, f"{said}; block weights over time", folder)
        mean = weights[weights["y_true"] == row["y_true"]].groupby("block")["weight"].mean()
        faces[str(row["y_true"])] = (shown[clip][0], mean[list(names)].to_numpy(), windows)
    faces_png(faces, home / "attention/classes.png", title="mean weight of each block over the test clips of a class")
    yield entry("attention", "Mean block weights", _heaviest(weights), "attention/classes.png")


def _settings(bench: Workbench) -> Blocks:
    if not isinstance(bench.experiment.model, GiaBiaBiLstm):
        raise MerError(f"{bench.experiment.model.name} has no face blocks to draw")
    return bench.experiment.model.blocks


def _windows(bench: Workbench, clip: str) -> Windows:
    """A clip's windows in pixels of its stored frames."""
    if not isinstance(bench.store, BlockStore):
        raise MerError(f"{bench.experiment.model.name} has no face blocks to draw")
    first, step = bench.store.cell
    centres = bench.store.inputs([Window(clip, 0)], 1, ("blocks",))["blocks"][0]
    return Windows((centres - 0.5) * step + first, _settings(bench).window * step)


def _heaviest(weights: pd.DataFrame) -> str:
    """Each class's three heaviest blocks, as text."""
    mean = weights.groupby(["y_true", "block"])["weight"].mean()
    said = []
    for label in weights["y_true"].unique():
        top = mean[label].nlargest(3)
        said.append(f"{label}: " + ", ".join(f"{block} {value:.2f}" for block, value in top.items()))
    return "; ".join(said)
