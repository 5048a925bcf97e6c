"""Commands on finished runs, and those that make runs; tiny clips of exp2."""

import shutil

import numpy as np
import pandas as pd
import pytest
from helpers.run_checks import goes_on_with_missing_folds, refuses_other_settings
from helpers.running import CLIPS, EXP2, SHALLOW, TINY, last_directory, mer_tf, printed, process
from PIL import Image

from mer_tf.explain.heat_change import SIDES


@pytest.fixture(scope="module")
def explained(one_cache, tmp_path_factory):
    """A run whose retrained layer Grad-CAM chose."""
    folder = tmp_path_factory.mktemp("gradcam")
    options = [*TINY, *SHALLOW, one_cache, "--model.retrain_from=gradcam"]
    return last_directory(printed(EXP2, *options, cwd=folder), folder)


@pytest.fixture(scope="module")
def whole(one_cache, tmp_path_factory):
    """The folder of a run, and the run: all folds in one process."""
    folder = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mer_tf.protocols.pictures.run.write_pictures", lambda *_: None)
        return folder, last_directory(printed(EXP2, *TINY, one_cache, cwd=folder), folder)


@pytest.mark.slow
def test_the_layer_is_chosen_in_each_fold_and_trained_from(explained):
    for fold in ("fold-0", "fold-1"):
        table = pd.read_csv(explained / fold / "layers.csv")
        assert table["chosen"].sum() == 1
        assert {"energy", "lift", "iou", "spill"} <= set(table.columns)
    shown = pd.read_csv(explained / "pictures" / "pictures.csv")
    assert all((explained / "pictures" / name).exists() for name in shown["file"])
    assert shown["title"].str.startswith("Layers, fold-").sum() == 2


@pytest.mark.slow
def test_heat_maps_of_chosen_clips_are_exported(explained, tmp_path):
    clip = pd.read_csv(explained / "predictions.csv")["clip_id"].iloc[0]
    mer_tf("gradcam", explained, "--out", tmp_path, "--clips", clip, "--change", cwd=explained.parents[2])
    folder = tmp_path / clip.replace("/", "_")
    with np.load(folder / "maps.npz", allow_pickle=False) as arrays:
        maps = arrays["maps"]
    assert maps.ndim == 3
    assert maps.min() >= 0
    with Image.open(folder / "overlay.gif") as animation:
        assert animation.n_frames == len(maps)
    assert {"strip.png", "overlay.png"} <= {p.name for p in folder.iterdir()}
    assert pd.read_csv(tmp_path / "regions.csv")["clip_id"].tolist() == [clip]
    change = pd.read_csv(tmp_path / "heat_change.csv")
    assert change["side"].value_counts().to_dict() == dict.fromkeys(SIDES, CLIPS)
    assert (tmp_path / "before_after.png").exists()


@pytest.mark.slow
def test_a_report_of_a_real_run_shows_its_pictures(explained, tmp_path):
    mer_tf("report", explained, "--out", tmp_path / "report.html", cwd=explained.parents[2])
    page = (tmp_path / "report.html").read_text()
    assert page.count("data:image/") >= 6
    assert "cannot be shown" not in page


@pytest.mark.slow
def test_a_sensitivity_curve_keeps_finished_runs(one_cache, no_pictures, tmp_path):
    changes = [option.removeprefix("--") for option in (*TINY, *SHALLOW, one_cache)]
    command = ["sensitivity", EXP2, "--out", tmp_path / "curve", "--steps", "2", "--changes", *changes, "--amplitudes"]
    mer_tf(*command, "0", cwd=tmp_path)
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.glob("curve/runs/*/*/*/predictions.csv")}
    mer_tf(*command, "0", "4", cwd=tmp_path)
    curve = pd.read_csv(tmp_path / "curve" / "curve.csv")
    assert curve[["amplitude", "fps"]].to_numpy().tolist() == [[0, 50], [4, 50]]
    assert (tmp_path / "curve" / "curve.png").exists()
    assert len(kept) == 1
    assert all(path.stat().st_mtime_ns == time for path, time in kept.items())


@pytest.mark.slow
def test_folds_trained_one_by_one_are_collected(one_cache, whole, no_pictures, tmp_path):
    """As on a cluster: prepare, a fold in a process of its own, collect; the predictions are those of one process."""
    apart = last_directory(printed(EXP2, *TINY, one_cache, "--folds", "none", cwd=tmp_path), tmp_path)
    assert not (apart / "predictions.csv").exists()
    done = process(EXP2, "--resume", apart, "--folds", "1", cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]
    with pytest.raises(SystemExit, match="error: .*fold-0 have no predictions"):
        mer_tf("collect", apart, cwd=tmp_path)
    printed(EXP2, "--resume", apart, "--folds", "0", cwd=tmp_path)
    mer_tf("collect", apart, cwd=tmp_path)
    assert (apart / "predictions.csv").read_bytes() == (whole[1] / "predictions.csv").read_bytes()


@pytest.mark.slow
def test_a_stopped_run_goes_on_with_its_missing_folds(whole, no_pictures, tmp_path):
    folder, run = whole
    copy = shutil.copytree(run, tmp_path / run.relative_to(folder))
    goes_on_with_missing_folds(EXP2, copy, tmp_path)


@pytest.mark.slow
def test_another_setting_is_refused_on_resume(whole):
    folder, run = whole
    refuses_other_settings(EXP2, run, folder)


@pytest.mark.slow
def test_manifests_of_two_trees_train_across_data_sets(no_pictures, tmp_path):
    """Two drawn trees, listed by `mer-tf manifest`; trained on one, tested on the other."""
    for camera, seed in (("hs", 1), ("vis", 2)):
        tree = tmp_path / camera
        command = ["synth", "--dataset", f"smic-{camera}", "--subjects", "2", "--clips-per-class", "1", "--out", tree]
        mer_tf(*command, "--seed", seed, cwd=tmp_path)
        listed = tmp_path / f"{camera}.csv"
        mer_tf("manifest", "--dataset", f"smic-{camera}", "--root", tree, "--out", listed, cwd=tmp_path)
    table = pd.read_csv(tmp_path / "vis.csv", keep_default_na=False)
    table.assign(subject="other/" + table["subject"]).to_csv(tmp_path / "vis.csv", index=False)  # drawn people differ
    options = [*TINY, *SHALLOW, "--preset", "embedded", "--data.manifests", "hs.csv", "vis.csv"]
    options += ["--evaluation.split", "cross-dataset"]
    run = last_directory(printed(EXP2, *options, "--evaluation.test_on", "smic-vis", cwd=tmp_path), tmp_path)
    assert set(pd.read_csv(run / "predictions.csv")["dataset"]) == {"smic-vis"}
