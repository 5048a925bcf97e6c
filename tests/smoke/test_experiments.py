"""Every experiment end to end on tiny clips, as a user starts it: a process of its own, in an empty folder."""

import json
import runpy
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]
SCRIPTS = sorted((ROOT / "experiments").glob("exp*.py"))
COMPOSITE = ROOT / "experiments" / "exp8_megc2019.py"
PRETRAINING = ROOT / "experiments" / "exp9_au_pretraining.py"
EXPERIMENTS = [path for path in SCRIPTS if path not in (COMPOSITE, PRETRAINING)]
TINY = ["--data.subjects=3", "--data.clips_per_class=1", "--evaluation.folds=2", "--train.epochs=1", "--clip.stride=12"]
TINY += [
    "--clip.non_micro_stride=12",
    "--model.lstm_units=8",
    "--train.jit_compile=False",
    "--model.encoder=mtcnn-onet",
    "--train.stream_epochs=1",
    "--data.label_protocol=smic-4",
]
WITHOUT_ENCODER = ("exp4_cnn_lstm_fusion",)
OF_MANY = ("exp7_baselines",)
"""Scripts that run many systems into one table."""


def start(script, *arguments, cwd):
    command = [sys.executable, str(script), *TINY, *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=800)


@pytest.fixture(scope="module", params=[e for e in EXPERIMENTS if e.stem not in OF_MANY], ids=lambda p: p.stem)
def finished(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param.stem)
    done = start(request.param, cwd=folder)
    assert done.returncode == 0, done.stderr[-3000:]
    return request.param, folder, done


@pytest.mark.slow
def test_last_line_names_a_complete_run_directory(finished):
    script, folder, done = finished
    last = done.stdout.strip().splitlines()[-1]
    run = folder / last.removeprefix("run directory: ")
    assert run.parent.name == script.stem
    names = {"config.json", "env.json", "metrics.json", "results.txt", "confusion.png", "confusion.csv", "manifest.csv"}
    assert names <= {p.name for p in run.iterdir()}
    for fold in ("fold-0", "fold-1"):
        assert {"history.csv", "model.keras", "confusion.png", "confusion.csv"} <= {
            p.name for p in (run / fold).iterdir()
        }


@pytest.mark.slow
def test_every_clip_is_predicted_exactly_once_and_subjects_stay_apart(finished):
    _, folder, _ = finished
    (run,) = folder.glob("runs/*/*")
    pooled = pd.read_csv(run / "predictions.csv", keep_default_na=False)
    manifest = pd.read_csv(run / "manifest.csv", keep_default_na=False)
    assert sorted(pooled["clip_id"]) == sorted(manifest["clip_id"])
    assert (pooled.groupby("subject")["fold"].nunique() == 1).all()
    metrics = json.loads((run / "metrics.json").read_text())
    (name, result), (_, baseline), *_ = metrics["results"].items()
    assert (name, result["n"], baseline["n"]) == (run.parent.name, 12, 12)
    trained = run.parent.name in WITHOUT_ENCODER
    assert metrics["encoder"] == ("none, trained from the start" if trained else "mtcnn-onet")
    assert any("no evidence about people" in w for w in metrics["warnings"])


@pytest.mark.slow
def test_a_stopped_run_goes_on_with_its_missing_folds(finished):
    script, folder, _ = finished
    (run,) = folder.glob("runs/*/*")
    before = (run / "predictions.csv").read_bytes()
    kept = (run / "fold-0" / "model.keras").stat().st_mtime_ns
    (run / "fold-1" / "predictions.csv").unlink()
    command = [sys.executable, str(script), "--resume", str(run.relative_to(folder))]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=800)
    assert done.returncode == 0, done.stderr[-3000:]
    assert (run / "fold-0" / "model.keras").stat().st_mtime_ns == kept
    assert (run / "predictions.csv").read_bytes() == before


@pytest.mark.slow
def test_another_setting_is_refused_on_resume(finished):
    script, folder, _ = finished
    (run,) = folder.glob("runs/*/*")
    done = start(script, "--resume", str(run), "--train.epochs=3", cwd=folder)
    assert done.returncode == 1
    assert "started with other settings" in done.stderr


@pytest.mark.slow
def test_baselines_end_in_one_table_and_leave_predictions_without_models(tmp_path):
    """Trivial, of frames, of flow and with a codebook, on all drawn data sets."""
    script = ROOT / "experiments" / "exp7_baselines.py"
    options = ["--data.subjects=3", "--data.clips_per_class=1", "--evaluation.folds=2", "--evaluation.bootstrap=50"]
    systems = ["majority", "flow_logistic", "stclqp", "mdmo"]
    command = [sys.executable, str(script), *options, "--systems", ",".join(systems)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=800)
    assert done.returncode == 0, done.stderr[-3000:]
    home = tmp_path / done.stdout.strip().splitlines()[-1].removeprefix("table directory: ")
    table = pd.read_csv(home / "baselines.csv")
    assert table[["column", "system"]].to_numpy().tolist() == [
        [c, s] for c in ("SMIC", "CASMEII", "SAMM") for s in systems
    ]
    assert (table["n"] == 9).all()
    assert not list(tmp_path.glob("runs/**/*.keras"))
    for path in table["predictions"]:
        assert {"y_true", "y_pred", "subject", "fold"} <= set(pd.read_csv(tmp_path / path).columns)


def test_every_experiment_is_a_declaration():
    for script in SCRIPTS:
        text = script.read_text()
        assert ("PRETRAINING = Options(" if script == PRETRAINING else "EXPERIMENT = Experiment(") in text, script
        assert "def " not in text, f"{script}: logic belongs in mer_tf"


def test_methods_of_the_composite_can_be_named_on_the_command_line():
    """`--methods` separates them by commas."""
    names = runpy.run_path(str(COMPOSITE))
    assert not any("," in name for name in (*names["METHODS"], *names["EMBEDDED_METHODS"]))


@pytest.mark.slow
def test_the_composite_ends_with_a_table_of_its_methods(tmp_path):
    options = ["--data.subjects=5", "--train.epochs=2", "--model.width=0.1", "--evaluation.bootstrap=50"]
    options += ["--train.jit_compile=False", "--evaluation.permutations=50"]
    command = [sys.executable, str(COMPOSITE), *options]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=800)
    assert done.returncode == 0, done.stderr[-3000:]
    (run,) = tmp_path.glob("runs/exp8_megc2019/*")
    assert done.stdout.strip().splitlines()[-1] == f"run directory: {run.relative_to(tmp_path)}"
    methods = set(pd.read_csv(run / "composite.csv")["method"])
    assert {"majority", "logistic regression", "STSTNet", "OFF-ApexNet", "RCN-A"} < methods
    assert {f"au-flow-3 {how}" for how in ("zero-shot", "fine-tuned", "features + linear")} < methods
    metrics = json.loads((run / "metrics.json").read_text())
    assert any(w.startswith("PEEKING: STSTNet") for w in metrics["warnings"])


@pytest.mark.slow
def test_pretraining_ends_with_weights_and_their_card(tmp_path):
    options = ["--train.epochs=1", "--train.direct=60", "--train.rendered=24", "--train.tested=24"]
    command = [sys.executable, str(PRETRAINING), *options, "--train.width=0.2", "--train.kept-out-epochs=1"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=800)
    assert done.returncode == 0, done.stderr[-3000:]
    (run,) = tmp_path.glob("runs/exp9_au_pretraining/*")
    assert {"au-flow-3.keras", "au-flow-3.json", "kept_out.csv", "action_units.png", "env.json"} <= {
        p.name for p in run.iterdir()
    }
    assert len(pd.read_csv(run / "kept_out.csv")["left_out"].unique()) == 5
    assert "It was trained on drawn action units alone" in done.stdout


@pytest.mark.slow
def test_manifests_of_two_trees_train_across_data_sets(tmp_path):
    """Two drawn trees, listed by `mer-tf manifest`; trained on one, tested on the other."""
    for camera, seed in (("hs", 1), ("vis", 2)):
        tree = tmp_path / camera
        command = ["synth", "--dataset", f"smic-{camera}", "--subjects", "2", "--clips-per-class", "1", "--out", tree]
        mer_tf(*command, "--seed", seed, cwd=tmp_path)
        listed = tmp_path / f"{camera}.csv"
        mer_tf("manifest", "--dataset", f"smic-{camera}", "--root", tree, "--out", listed, cwd=tmp_path)
    table = pd.read_csv(tmp_path / "vis.csv", keep_default_na=False)
    table.assign(subject="other/" + table["subject"]).to_csv(tmp_path / "vis.csv", index=False)  # drawn people differ
    script = ROOT / "experiments" / "exp2_vggface_lstm.py"
    options = ["--data.manifests", "hs.csv", "vis.csv", "--evaluation.split", "cross-dataset", "--preset", "embedded"]
    done = start(script, *options, "--evaluation.test_on", "smic-vis", cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]
    (run,) = tmp_path.glob("runs/*/*")
    assert set(pd.read_csv(run / "predictions.csv")["dataset"]) == {"smic-vis"}


def mer_tf(*arguments, cwd):
    code = "from mer_tf.cli import main; main()"
    command = [sys.executable, "-c", code, *map(str, arguments)]
    subprocess.run(command, cwd=cwd, check=True, capture_output=True, text=True, timeout=800)
