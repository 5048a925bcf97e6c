"""Commands on finished runs, and those that make runs, as a user starts them; tiny clips."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

SCRIPT = Path(__file__).parents[2] / "experiments" / "exp2_vggface_lstm.py"
TINY = ["data.subjects=3", "data.clips_per_class=1", "evaluation.folds=2", "train.epochs=1", "clip.stride=12"]
TINY += ["clip.non_micro_stride=12", "model.lstm_units=8", "train.jit_compile=False", "model.encoder=mtcnn-onet"]


def mer_tf(*arguments, cwd):
    command = [sys.executable, "-c", "from mer_tf.cli import main; main()", *map(str, arguments)]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=800)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run whose retrained layer Grad-CAM chose."""
    folder = tmp_path_factory.mktemp("gradcam")
    options = [f"--{option}" for option in TINY]
    command = [sys.executable, str(SCRIPT), *options, "--model.retrain_from=gradcam"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=800)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder / done.stdout.strip().splitlines()[-1].removeprefix("run directory: ")


@pytest.mark.slow
def test_the_layer_is_chosen_in_each_fold_and_trained_from(run):
    for fold in ("fold-0", "fold-1"):
        table = pd.read_csv(run / fold / "layers.csv")
        assert table["chosen"].sum() == 1
        assert {"energy", "lift", "iou", "spill"} <= set(table.columns)
    shown = pd.read_csv(run / "pictures" / "pictures.csv")
    assert all((run / "pictures" / name).exists() for name in shown["file"])
    assert shown["title"].str.startswith("Layers, fold-").sum() == 2


@pytest.mark.slow
def test_heat_maps_of_chosen_clips_are_exported(run, tmp_path):
    clip = pd.read_csv(run / "predictions.csv")["clip_id"].iloc[0]
    mer_tf("gradcam", "--run", run, "--out", tmp_path, "--clips", clip, cwd=run.parents[2])
    folder = tmp_path / clip.replace("/", "_")
    with np.load(folder / "maps.npz", allow_pickle=False) as arrays:
        maps = arrays["maps"]
    assert maps.ndim == 3
    assert maps.min() >= 0
    with Image.open(folder / "overlay.gif") as animation:
        assert animation.n_frames == len(maps)
    assert {"strip.png", "overlay.png"} <= {p.name for p in folder.iterdir()}
    assert pd.read_csv(tmp_path / "regions.csv")["clip_id"].tolist() == [clip]


@pytest.mark.slow
def test_a_report_of_a_real_run_shows_its_pictures(run, tmp_path):
    mer_tf("report", run, "--out", tmp_path / "report.html", cwd=run.parents[2])
    page = (tmp_path / "report.html").read_text()
    assert page.count("data:image/") >= 6
    assert "cannot be shown" not in page


@pytest.mark.slow
def test_a_sensitivity_curve_keeps_finished_runs(tmp_path):
    command = ["sensitivity", SCRIPT, "--out", tmp_path / "curve", "--steps", "2", "--changes", *TINY, "--amplitudes"]
    mer_tf(*command, "0", cwd=tmp_path)
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.glob("curve/runs/*/*/*/predictions.csv")}
    mer_tf(*command, "0", "4", cwd=tmp_path)
    curve = pd.read_csv(tmp_path / "curve" / "curve.csv")
    assert curve[["amplitude", "fps"]].to_numpy().tolist() == [[0, 50], [4, 50]]
    assert (tmp_path / "curve" / "curve.png").exists()
    assert len(kept) == 1
    assert all(path.stat().st_mtime_ns == time for path, time in kept.items())


@pytest.mark.slow
def test_folds_trained_one_by_one_are_collected(tmp_path):
    """As on a cluster: prepare, a process a fold, collect; the predictions are those of one process."""
    options = [f"--{option}" for option in TINY]

    def start(*arguments):
        command = [sys.executable, str(SCRIPT), *map(str, arguments)]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=800)

    prepared = start(*options, "--folds", "none")
    assert prepared.returncode == 0, prepared.stderr[-3000:]
    apart = tmp_path / prepared.stdout.strip().splitlines()[-1].removeprefix("run directory: ")
    assert not (apart / "predictions.csv").exists()
    assert start("--resume", apart, "--folds", "1").returncode == 0
    done = subprocess.run(
        [sys.executable, "-c", "from mer_tf.cli import main; main()", "collect", str(apart)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "fold-0 have no predictions" in done.stderr
    assert start("--resume", apart, "--folds", "0").returncode == 0
    mer_tf("collect", apart, cwd=tmp_path)
    whole = start(*options)
    together = tmp_path / whole.stdout.strip().splitlines()[-1].removeprefix("run directory: ")
    assert (apart / "predictions.csv").read_bytes() == (together / "predictions.csv").read_bytes()
