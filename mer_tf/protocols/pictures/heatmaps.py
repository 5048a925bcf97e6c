"""Grad-CAM of a finished run: what each test clip's prediction looked at, as pictures and numbers."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mer_tf.config import MerError
from mer_tf.evaluation.predictions import read_predictions
from mer_tf.explain.figures.maps import maps_npz, overlay, overlay_gif, strip_png
from mer_tf.explain.gradcam import normalised
from mer_tf.explain.regions import REGIONS, lift, region_masks
from mer_tf.explain.upsampling import upsample
from mer_tf.files import file_name, write_csv
from mer_tf.preprocessing.pictures import replace_picture
from mer_tf.protocols.layer_choice import face_landmarks
from mer_tf.protocols.pictures.before_after import write_change
from mer_tf.protocols.pictures.checkpoints import Explained, Opened, Wanted, explained
from mer_tf.protocols.pictures.view import READ, View, best_recognised, entry, first_seed, networks
from mer_tf.protocols.workbench import Workbench

log = logging.getLogger("mer_tf")
PER_CLASS = 2
DEFAULT = View()


def export_heatmaps(
    bench: Workbench,
    run: Path,
    out: Path,
    *,
    clips: Sequence[str] = (),
    per_class: int = PER_CLASS,
    view: View = DEFAULT,
    opened: Explained | None = None,
) -> pd.DataFrame:
    """Heat maps of test clips by the model of their own fold, which never saw them; one folder a clip under `out`.

    Each folder: strip.png (over time), overlay.png (the frame of most heat), overlay.gif, maps.npz (raw (T, h, w)).
    Without `clips`, the best recognised `per_class` of each class, of the run's first seed. Returns and writes
    regions.csv: clip_id, y_true, y_pred, method, reference, layer, target, frame of most heat, and the lift of each
    facial region, empty where there is no heat or no face was found. `MerError` for a model that has no map.
    `opened`: the run's networks, where they are open for these clips.
    """
    chosen = _chosen(first_seed(run), clips, per_class)
    opened = opened or explained(bench, chosen["clip_id"].tolist())
    view.check(opened)
    rows = []
    for group, network in networks(bench, opened, run, chosen):
        for row in group:
            rows.append(_exported(bench, opened, network, row, view, out))
    table = pd.DataFrame(rows)
    write_csv(table, out / "regions.csv")
    return table


def _exported(
    bench: Workbench, opened: Explained, network: Opened, row: Mapping[Any, Any], view: View, out: Path
) -> dict[str, Any]:
    """The pictures and numbers of a clip, and its row of regions.csv."""
    name, target, clip_id = view.map_of(network), view.class_of(row, bench.classes), row["clip_id"]
    frames = opened.sample(clip_id)[0]
    (maps,) = view.heats(opened, network, [Wanted(clip_id, range(len(frames)), bench.classes.index(target))])
    heat = upsample(maps, frames.shape[1], network.maps[name].grid)
    about = {k: row[k] for k in ("clip_id", "y_true", "y_pred")} | {"method": view.method}
    about |= {"reference": view.reference, "layer": name, "target": target}
    folder, places, peak = out / file_name(clip_id), opened.places(clip_id), int(heat.sum(axis=(1, 2)).argmax())
    title = f"{clip_id}: true {row['y_true']}, predicted {row['y_pred']}"
    title += f"\n{view.said(name)} ({network.maps[name]}), for {target}{'' if heat.any() else ': no heat anywhere'}"
    strip_png(frames, heat, folder / "strip.png", title=title, note=READ, places=places)
    overlay_gif(frames, heat, folder / "overlay.gif")
    maps_npz({"maps": maps}, folder / "maps.npz", about)
    replace_picture(folder / "overlay.png", overlay(frames[peak], normalised(heat[None])[0][peak]))
    points = None if bench.prepared.of_images else face_landmarks(bench, clip_id, frames[0])
    masks = {} if points is None else region_masks(points, frames.shape[1])
    lifts = {f"lift_{name}": lift(heat, masks[name]) if name in masks else np.nan for name in REGIONS}
    return about | {"frame": int(places[peak])} | lifts


def _chosen(frame: pd.DataFrame, clips: Sequence[str], per_class: int) -> pd.DataFrame:
    if unknown := sorted(set(clips) - set(frame["clip_id"])):
        raise MerError(f"--clips {', '.join(unknown)}: the run predicted no such clip; see clip_id in predictions.csv")
    if clips:
        return frame[frame["clip_id"].isin(clips)].sort_values("fold")
    return best_recognised(frame, per_class)


def write_heatmaps(bench: Workbench, run: Path) -> None:
    """pictures/ of a run, for its report: one heat map a class, before and after training, and the choice of layers.

    What cannot be drawn is said in the log.
    """
    home = run / "pictures"
    if bench.experiment.model.shows != "heat maps":
        log.info("no heat maps: %s has no layer whose map lies on a frame", bench.experiment.model.name)
        return
    try:
        change, opened = bench.encoded.encoder is not None, None
        if change:  # opened and traced once for both
            opened = explained(bench, read_predictions(run / "predictions.csv")["clip_id"].unique().tolist())
        table = export_heatmaps(bench, run, home / "gradcam", per_class=1, opened=opened)
        said = write_change(bench, run, home / "gradcam", opened=opened) if change else ""
    except MerError as error:
        log.warning("no heat maps: %s", error)
        return
    before = entry("gradcam", "Before and after training", said.removesuffix(READ).rstrip(), "gradcam/before_after.png")
    rows = [before] if said else []
    rows += [_strip(row) for row in table.to_dict("records")]
    for path in sorted(run.glob("**/layers.png")):
        name = f"layers-{path.parent.name}.png"
        shutil.copyfile(path, home / name)
        rows.append(entry("gradcam", f"Layers, {path.parent.name}", "chosen on training frames", name))
    write_csv(pd.DataFrame(rows), home / "pictures.csv")


def _strip(row: Mapping[Any, Any]) -> dict[str, str]:
    """Entry of a clip's strip, with what its map is and where its heat lies."""
    view = View(row["method"], row["reference"])
    known = [f"{name} {row[f'lift_{name}']:.1f}" for name in REGIONS if pd.notna(row[f"lift_{name}"])]
    lifts = f"; heat in a region over its share of the picture: {', '.join(known)}" if known else ""
    said = f"true {row['y_true']}, predicted {row['y_pred']}; {view.said(row['layer'])}, for {row['target']}{lifts}"
    return entry("gradcam", row["clip_id"], f"{said}.", f"gradcam/{file_name(row['clip_id'])}/strip.png")
