"""A picture of each answer: the clip's frames, where its networks looked, and the probabilities."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from mer_tf.arrays import evenly
from mer_tf.config import MerError
from mer_tf.explain.figures.maps import DPI, overlay, picture, save
from mer_tf.explain.gradcam import Maps, normalised
from mer_tf.explain.upsampling import upsample
from mer_tf.protocols.pictures.checkpoints import Explained, Wanted, explained
from mer_tf.protocols.pictures.view import View
from mer_tf.serving.new_clips import NewClips
from mer_tf.serving.trained import Trained, believed, how_believed

SHOWN = 8
VIEW = View()


@dataclass
class Heat:
    """Pictures of a clip with the heat of its networks."""

    frames: np.ndarray
    places: np.ndarray
    """Which of the clip's stored frames they are."""
    maps: Maps
    """(T, S, S), 0..1: the mean over the networks, each scaled to its own greatest value."""


def clip_heat(trained: Trained, clips: NewClips, table: pd.DataFrame) -> tuple[dict[str, Heat], str]:
    """Grad-CAM of each clip for its answer, the mean over the networks; and what it is, or why there is none."""
    found: dict[str, list[Maps]] = {}
    shown: dict[str, Heat] = {}
    answers = {row["clip_id"]: trained.classes.index(row["answer"]) for row in table.to_dict("records")}
    said = ""
    try:
        opened: dict[str | None, Explained] = {}
        for member in trained.members:
            bench = clips.bench_for(member)
            if member.block not in opened:
                opened[member.block] = explained(bench, list(answers))
            network = opened[member.block].network(member.path)
            name = VIEW.map_of(network)
            said = f"Grad-CAM of map {name}, mean of {len(trained.members)} model(s), for the answer"
            for clip_id, target in answers.items():
                frames = opened[member.block].sample(clip_id)[0]
                (maps,) = VIEW.heats(opened[member.block], network, [Wanted(clip_id, range(len(frames)), target)])
                heat = upsample(maps, frames.shape[1], network.maps[name].grid)
                found.setdefault(clip_id, []).append(normalised(heat[None])[0])
                shown[clip_id] = Heat(frames, opened[member.block].places(clip_id), heat)
    except MerError as error:
        return {}, f"no heat map: {error}"
    for clip_id, maps_of in found.items():
        shown[clip_id].maps = np.mean(maps_of, axis=0)
    return shown, said or "no heat map: a classical method has no layers"


def clip_picture(
    trained: Trained, row: Mapping[Any, Any], frames: np.ndarray, heat: Heat | None, said: str, path: Path
) -> Path:
    """Frames above, the same with heat below, probabilities beside them, and what the run's record says."""
    shown, places = (frames, np.arange(len(frames))) if heat is None else (heat.frames, heat.places)
    times = evenly(len(shown), SHOWN)
    figure = Figure(figsize=(max(1.15 * len(times), 3.0) + 3.2, 3.6), dpi=DPI, layout="constrained")
    grid = figure.add_gridspec(2, len(times) + 3)
    for column, time in enumerate(times):
        picture(figure.add_subplot(grid[0, column]), shown[time].astype(np.uint8), f"frame {places[time]}")
        if heat is not None:
            picture(figure.add_subplot(grid[1, column]), overlay(shown[time], heat.maps[time]))
    bars = figure.add_subplot(grid[:, len(times) :])
    shares = list(believed(trained, row).values())
    colours = ["tab:blue" if name == row["answer"] else "0.7" for name in trained.classes]
    bars.barh(trained.classes, shares, color=colours)
    bars.set(xlim=(0, 1), xlabel=f"probability, {how_believed(trained)}")
    bars.invert_yaxis()
    bars.tick_params(labelsize=7)
    bars.xaxis.label.set_fontsize(7)
    figure.suptitle(f"{row['clip_id']}: {row['answer']}, {trained.said}", fontsize=9)
    note = [row["record"], *filter(None, [row["seen"]]), said]
    figure.supxlabel("\n".join(line for text in note for line in textwrap.wrap(text, 120)), fontsize=7)
    return save(figure, path)
