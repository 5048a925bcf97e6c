"""Run directories as a run leaves them, small and made up, for the report to read."""

import dataclasses
import json
from functools import cache
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from mer_tf.config import Evaluation, Experiment
from mer_tf.preprocessing.pictures import INNER

CLASSES = ("negative", "positive", "surprise")
SYNTHETIC = "synthetic look-alike, 3 px at the apex: no evidence about people"
DRAWS = Evaluation(folds=3, bootstrap=200, permutations=199)


def predictions(classes=CLASSES, subjects=6, clips=2, seeds=(0,), folds=3, skill=0.7, prefix="c", random=0):
    """A predictions table: a clip is right with probability `skill`."""
    rng = np.random.default_rng(random)
    rows = []
    for seed in seeds:
        for subject in range(subjects):
            for k, true in enumerate(classes):
                for clip in range(clips):
                    chosen = k if rng.random() < skill else int(rng.integers(len(classes)))
                    shares = rng.dirichlet(np.ones(len(classes)))
                    shares[[chosen, int(shares.argmax())]] = shares[[int(shares.argmax()), chosen]]
                    rows.append(
                        {
                            "clip_id": f"smic-hs/s{subject:02}_{prefix}{k}{clip}",
                            "dataset": "smic-hs",
                            "subject": f"smic/s{subject:02}",
                            "fold": subject % folds,
                            "seed": seed,
                            "window": "whole",
                            "y_true": true,
                            "y_pred": classes[chosen],
                            **{f"p_{name}": share for name, share in zip(classes, shares, strict=True)},
                        }
                    )
    return pd.DataFrame(rows)


def write_run(
    directory: Path, experiment: Experiment | None = None, frame: pd.DataFrame | None = None, warnings=(SYNTHETIC,)
):
    """A finished run without pictures; gives its directory."""
    experiment = experiment or Experiment("exp_made_up", evaluation=DRAWS, published=("C/T4/LSTM",))
    frame = predictions() if frame is None else frame
    directory.mkdir(parents=True)
    weights = {"source": "mtcnn 1.0.0", "sha256": "00"}
    resolved = {"encoder": "mtcnn-onet", "weights": weights, "records": "data/records/x"}
    command = [f"experiments/{experiment.name}.py", "--train.epochs", "4"]
    config = {"experiment": dataclasses.asdict(experiment), "resolved": resolved, "command": command}
    environment = {"mer_tf": "0.1.0", "git_commit": "0" * 40, "git_dirty": False, "packages": {"numpy": "2"}}
    checks = [{"check": "an oracle scores 1", "passed": True, "detail": "accuracy 1"}]
    for name, value in (
        ("config", config), ("env", environment), ("metrics", {"warnings": list(warnings)}), ("self_test", checks),
    ):  # fmt: skip
        (directory / f"{name}.json").write_text(json.dumps(value))
    frame.to_csv(directory / "predictions.csv", index=False)
    first = frame[frame["seed"] == frame["seed"].iloc[0]]
    first.assign(y_pred=first["y_true"].iloc[0]).to_csv(directory / "baseline_onset.csv", index=False)
    listed = first[["clip_id", "dataset", "subject"]].assign(label_raw=first["y_true"])
    spare = pd.DataFrame(
        [{"clip_id": "smic-hs/lost", "dataset": "smic-hs", "subject": "smic/s00", "label_raw": "happy"}]
    )
    pd.concat([listed, spare]).to_csv(directory / "manifest.csv", index=False)
    write_histories(directory, frame)
    return directory


def write_histories(directory: Path, frame: pd.DataFrame, epochs: int = 4) -> None:
    """history.csv of every fold, below seed-<s>/ where there are several seeds."""
    several = frame["seed"].nunique() > 1
    for k, (seed, fold) in enumerate(frame[["seed", "fold"]].drop_duplicates().itertuples(index=False)):
        folder = directory / (f"seed-{seed}/fold-{fold}" if several else f"fold-{fold}")
        folder.mkdir(parents=True)
        loss = 1.3 / (np.arange(epochs) + 1 + 0.2 * k)
        table = pd.DataFrame({"epoch": range(epochs), "loss": loss, "accuracy": 1 - loss / 2})
        table.to_csv(folder / "history.csv", index=False)


def write_figure(path: Path, box=(4, 3, 12, 8), boxes: str | None = None, size=(20, 10)) -> Path:
    """White paper with a black stroke and a grey picture at `box`, which the file names unless it names `boxes`."""
    pixels = np.full((size[1], size[0], 3), 255, np.uint8)
    pixels[0, :5] = 0
    pixels[box[1] : box[3], box[0] : box[2]] = 200
    about = PngInfo()
    about.add_text(INNER, json.dumps([box]) if boxes is None else boxes)
    Image.fromarray(pixels).save(path, pnginfo=about)
    return path


@cache
def _noise(size):
    """A picture, which is encoded once for all runs."""
    pixels = np.random.default_rng(0).integers(0, 255, (*size, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(file := BytesIO(), "PNG")
    return file.getvalue()


def write_pictures(directory: Path) -> None:
    """Two Grad-CAM pictures (one missing) and one worst clip."""
    for folder, name, size in (("pictures", "cam.png", (300, 2000)), ("worst", "strip.png", (60, 300))):
        (directory / folder).mkdir()
        (directory / folder / name).write_bytes(_noise(size))
    pd.DataFrame(
        [("gradcam", "conv4", "Onset to offset.", "cam.png"), ("gradcam", "conv5", "Gone.", "gone.png")],
        columns=["section", "title", "caption", "file"],
    ).to_csv(directory / "pictures" / "pictures.csv", index=False)
    pd.DataFrame(
        [("smic-hs/s00_c00", "smic/s00", "negative", "positive", "0.02", "strip.png")],
        columns=["clip_id", "subject", "y_true", "y_pred", "p_true", "file"],
    ).to_csv(directory / "worst" / "worst.csv", index=False)
