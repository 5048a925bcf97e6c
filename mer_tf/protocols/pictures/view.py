"""How heat maps of a run are made and read: method, reference, map and class, the same for all that is drawn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from mer_tf.config import MerError
from mer_tf.evaluation.predictions import read_predictions
from mer_tf.explain.gradcam import Maps
from mer_tf.progress import Progress
from mer_tf.protocols.cross_validation import fold_folder
from mer_tf.protocols.pictures.checkpoints import Explained, Opened, Wanted
from mer_tf.protocols.workbench import Workbench

READ = "Bright: what the map shows there raises the score of the class. Heat on a part is no proof that it was learned."
"""How to read a heat map."""


@dataclass(frozen=True)
class View:
    """How maps are made."""

    method: Literal["gradcam", "hirescam"] = "gradcam"
    """gradcam: a channel weighs by the mean of its gradients (Selvaraju et al. 2017); hirescam: every cell by its own
    (Draelos & Carin 2020)."""
    reference: Literal["none", "onset"] = "none"
    """onset: activations less those of the onset frame; of a model that sees windows, of the window's first frame."""
    layer: str | None = None
    """Name of a map; None: the last map that training changed, of a frozen encoder the last that the head reads."""
    target: str = "predicted"
    """Class of the score: predicted, true, or the name of one."""

    def map_of(self, opened: Opened) -> str:
        """The map's name; `MerError` with those there are for an unknown one."""
        if self.layer and self.layer not in opened.maps:
            raise MerError(f"--layer {self.layer}: {opened.trained.name} has maps at {', '.join(opened.maps)}")
        return self.layer or opened.default

    def class_of(self, row: Mapping[Any, Any], classes: Sequence[str]) -> str:
        """The class of the score for a row of predictions; `MerError` for an unknown one."""
        named = {"predicted": row["y_pred"], "true": row["y_true"]}.get(self.target, self.target)
        if named not in classes:
            raise MerError(f"--target {self.target}: give predicted, true, or a class: {', '.join(classes)}")
        return str(named)

    def heats(self, opened: Explained, network: Opened, wanted: Sequence[Wanted]) -> Iterator[Maps]:
        """Maps (len(places), h, w) of pictures of each clip, by the weights that the network has now."""
        how = {"minus_onset": self.reference == "onset", "local": self.method == "hirescam"}
        return opened.heats(network, self.map_of(network), wanted, how)

    def check(self, opened: Explained) -> None:
        """`MerError` where there is no onset to compare with."""
        if self.reference == "onset" and opened.single:
            name = opened.bench.experiment.model.name
            raise MerError(f"--reference onset: {name} looks at single pictures and has no onset to compare with")

    def said(self, name: str) -> str:
        """Method, map and reference in words."""
        method = {"gradcam": "Grad-CAM", "hirescam": "HiResCAM"}[self.method]
        less = " less the onset frame's" if self.reference == "onset" else ""
        return f"{method} of map {name}{less}"


def networks(
    bench: Workbench, opened: Explained, run: Path, rows: pd.DataFrame
) -> Iterator[tuple[list[dict[Any, Any]], Opened]]:
    """The rows of predictions of each seed and fold, with its network."""
    with Progress(total=len(rows), desc="Grad-CAM", unit="clip") as bar:
        for (seed, fold), part in rows.groupby(["seed", "fold"], sort=False):
            path = fold_folder(bench, run, int(str(seed)), int(str(fold))) / "model.keras"
            yield part.to_dict("records"), opened.network(path)
            bar.update(len(part))


def first_seed(run: Path) -> pd.DataFrame:
    """The predictions of a run's first seed."""
    table = read_predictions(run / "predictions.csv")
    return table[table["seed"] == table["seed"].iloc[0]]


def entry(section: str, title: str, caption: str, file: str) -> dict[str, str]:
    """A row of pictures.csv."""
    return {"section": section, "title": title, "caption": caption, "file": file}


def best_recognised(frame: pd.DataFrame, per_class: int) -> pd.DataFrame:
    """Of each true class the `per_class` clips of greatest probability, by fold."""
    sure = frame.assign(p_true=[float(row[f"p_{row['y_true']}"]) for _, row in frame.iterrows()])
    best = sure.sort_values("p_true", ascending=False).groupby("y_true").head(per_class)
    return best.drop(columns="p_true").sort_values("fold")
