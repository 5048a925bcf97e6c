"""Grad-CAM of a finished run: what each test clip's prediction looked at, as pictures and numbers."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
from tqdm import tqdm

from mer_tf.config import MerError
from mer_tf.evaluation.predictions import read_predictions
from mer_tf.explain.figures.layers import before_after_png
from mer_tf.explain.figures.maps import maps_npz, overlay, overlay_gif, strip_png
from mer_tf.explain.gradcam import GradCam, Maps, find_layer, normalised
from mer_tf.explain.layer_selection import layer_maps
from mer_tf.explain.regions import region_masks
from mer_tf.explain.upsampling import upsample
from mer_tf.files import file_name, write_csv
from mer_tf.models.encoders.parts import block_outputs
from mer_tf.preprocessing.pictures import replace_picture
from mer_tf.protocols.cross_validation import fold_folder
from mer_tf.protocols.layer_choice import stored_landmarks
from mer_tf.protocols.pictures.checkpoints import Explained, Windows, explained
from mer_tf.protocols.workbench import Workbench

log = logging.getLogger("mer_tf")
PER_CLASS = 2
SHOWN = 8


def export_heatmaps(
    bench: Workbench,
    run: Path,
    out: Path,
    *,
    clips: Sequence[str] = (),
    block: str | None = None,
    per_class: int = PER_CLASS,
) -> pd.DataFrame:
    """Heat maps of test clips by the model of their own fold, which never saw them; one folder a clip under `out`.

    Each folder: strip.png (over time), overlay.png (the frame of most heat), overlay.gif, maps.npz (raw (T, h, w)).
    Maps are of the predicted class, of what changed since the onset, every cell by its own gradient (`Tapped.cam`:
    pooled weights cannot tell what a model of motion has learned from what moves), at `block`: one of the encoder
    (None: the middle one that has a map; conv4_1 of a ResNet-50, as in the released notebook of Bai & Goecke), or of a
    model of images a convolution of one of its networks, as temporal_trunk/conv5 (None: the last). Without `clips`,
    the best recognised `per_class` of each class. With an encoder before_after.png shows the frames of most heat
    beside the untrained encoder's own maps (their Figure 4). Returns and writes regions.csv: clip_id, y_true, y_pred,
    block, frame of most heat, and the lift of each facial region.
    """
    frame = read_predictions(run / "predictions.csv")
    frame = frame[frame["seed"] == frame["seed"].iloc[0]]
    chosen = _chosen(frame, clips, per_class)
    opened = explained(bench, run, chosen["clip_id"].tolist())
    names = list(opened.blocks)
    name = block or names[len(names) - 1 if isinstance(opened, Windows) else (len(names) - 1) // 2]
    if name not in names:
        raise MerError(f"--block {name}: {bench.experiment.model.name} has maps at {', '.join(names)}")
    rows, peaks = [], []
    for row, frames, maps in _maps(bench, opened, run, chosen, opened.blocks[name]):
        heat = upsample(maps, frames.shape[1], opened.grid(name))
        rows.append(_written(bench, row, frames, maps, heat, name, out / file_name(row["clip_id"])))
        peaks.append((frames[rows[-1]["frame"]], heat[rows[-1]["frame"]]))
    table = pd.DataFrame(rows)
    if bench.encoded.encoder is not None:
        _before_after(bench.encoder(), name, table, peaks[:SHOWN], out / "before_after.png")
    write_csv(table, out / "regions.csv")
    return table


def _before_after(
    encoder: keras.Model, block: str, table: pd.DataFrame, peaks: Sequence[tuple[np.ndarray, Maps]], path: Path
) -> None:
    frames, after = (np.stack(part) for part in zip(*peaks, strict=True))
    before = layer_maps(encoder, frames)[block]
    labels = [f"{true}\npredicted {pred}" for true, pred in zip(table["y_true"], table["y_pred"], strict=True)]
    title = f"{block}: the pretrained encoder's strongest unit, and the trained model's predicted class"
    before_after_png(frames, before, after, path, labels=labels[: len(frames)], title=title)


def _chosen(frame: pd.DataFrame, clips: Sequence[str], per_class: int) -> pd.DataFrame:
    if unknown := sorted(set(clips) - set(frame["clip_id"])):
        raise MerError(f"--clips {', '.join(unknown)}: the run predicted no such clip; see clip_id in predictions.csv")
    if clips:
        return frame[frame["clip_id"].isin(clips)].sort_values("fold")
    return best_recognised(frame, per_class)


def best_recognised(frame: pd.DataFrame, per_class: int) -> pd.DataFrame:
    """Of each true class the `per_class` clips of greatest probability, by fold."""
    sure = frame.assign(p_true=[float(row[f"p_{row['y_true']}"]) for _, row in frame.iterrows()])
    best = sure.sort_values("p_true", ascending=False).groupby("y_true").head(per_class)
    return best.drop(columns="p_true").sort_values("fold")


def _maps(
    bench: Workbench, opened: Explained, run: Path, chosen: pd.DataFrame, layer: str
) -> Iterator[tuple[Any, np.ndarray, Maps]]:
    """(row of predictions, frames, maps (T, h, w)) of each chosen clip."""
    with tqdm(total=len(chosen), desc="Grad-CAM", unit="clip") as bar:
        for fold, rows in chosen.groupby("fold", sort=False):
            folder = fold_folder(bench, run, int(rows["seed"].iloc[0]), int(str(fold)))
            model = opened.model(folder / "model.keras")
            cam, timed = GradCam(model, [layer]), find_layer(model, layer)[1]
            for row in rows.to_dict("records"):
                frames, inputs = opened.sample(row["clip_id"], model)
                tapped = cam(inputs, bench.classes.index(row["y_pred"]))[layer]
                maps = tapped.cam(minus_onset=timed, local=timed).reshape(-1, *tapped.activations.shape[1:3])
                yield row, frames, maps[: len(frames)]
                bar.update()


def _written(
    bench: Workbench, row: dict[Any, Any], frames: np.ndarray, maps: Maps, heat: Maps, block: str, folder: Path
) -> dict[str, Any]:
    title = f"{row['clip_id']}: true {row['y_true']}, predicted {row['y_pred']}, block {block}"
    strip_png(frames, heat, folder / "strip.png", title=title)
    overlay_gif(frames, heat, folder / "overlay.gif")
    maps_npz({"maps": maps}, folder / "maps.npz", {"clip_id": row["clip_id"], "block": block, "target": row["y_pred"]})
    peak = int(heat.sum(axis=(1, 2)).argmax())
    replace_picture(folder / "overlay.png", overlay(frames[peak], normalised(heat[None])[0][peak]))
    points = stored_landmarks(frames[:1], bench.experiment.preprocess)[0]
    masks, total = region_masks(points, frames.shape[1]), float(heat.sum()) or np.nan
    lift = {f"lift_{name}": heat[:, mask].sum() / total / max(mask.mean(), 1e-9) for name, mask in masks.items()}
    return {k: row[k] for k in ("clip_id", "y_true", "y_pred")} | {"block": block, "frame": peak} | lift


def write_heatmaps(bench: Workbench, run: Path) -> None:
    """pictures/ of a run, for its report: one heat map a class, and the choice of layers where Grad-CAM made one."""
    home = run / "pictures"
    encoder = bench.encoded.encoder
    if encoder is not None and not block_outputs(encoder):
        log.info("no heat maps: %s has no encoder layer that gives a map", encoder.name)
        return
    if encoder is None and bench.experiment.model.shows != "heat maps":
        log.info("no heat maps: %s has no layer whose map lies on a frame", bench.experiment.model.name)
        return
    table = export_heatmaps(bench, run, home / "gradcam", per_class=1)
    rows = [_entry("Before and after training", "", "gradcam/before_after.png")] if encoder else []
    for row in table.to_dict("records"):
        lift = ", ".join(f"{c.removeprefix('lift_')} {row[c]:.1f}" for c in table.columns if c.startswith("lift_"))
        caption = (
            f"true {row['y_true']}, predicted {row['y_pred']}; heat in a region over its share of the picture: {lift}"
        )
        rows.append(_entry(row["clip_id"], caption, f"gradcam/{file_name(row['clip_id'])}/strip.png"))
    for path in sorted(run.glob("**/layers.png")):
        name = f"layers-{path.parent.name}.png"
        shutil.copyfile(path, home / name)
        rows.append(_entry(f"Layers, {path.parent.name}", "chosen on training frames", name))
    write_csv(pd.DataFrame(rows), home / "pictures.csv")


def _entry(title: str, caption: str, file: str) -> dict[str, str]:
    return {"section": "gradcam", "title": title, "caption": caption, "file": file}
