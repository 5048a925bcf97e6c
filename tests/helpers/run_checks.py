"""What holds of every finished run of an experiment on tiny clips."""

import json

import pandas as pd
import pytest

from helpers.running import CLIPS, printed, tiny

WITHOUT_ENCODER = ("exp4_cnn_lstm_fusion",)


def is_complete(run, name):
    """The run directory that the last line named holds all files of its folds and results."""
    assert run.parent.name == name
    names = {"config.json", "env.json", "metrics.json", "results.txt", "confusion.png", "confusion.csv", "manifest.csv"}
    assert names <= {p.name for p in run.iterdir()}
    for fold in ("fold-0", "fold-1"):
        assert {"history.csv", "model.keras", "confusion.png", "confusion.csv"} <= {
            p.name for p in (run / fold).iterdir()
        }


def predicts_every_clip_once(run):
    """Every clip of the manifest is predicted exactly once, and no subject stands in two folds."""
    pooled = pd.read_csv(run / "predictions.csv", keep_default_na=False)
    manifest = pd.read_csv(run / "manifest.csv", keep_default_na=False)
    assert sorted(pooled["clip_id"]) == sorted(manifest["clip_id"])
    assert (pooled.groupby("subject")["fold"].nunique() == 1).all()
    metrics = json.loads((run / "metrics.json").read_text())
    (name, result), (_, baseline), *_ = metrics["results"].items()
    assert (name, result["n"], baseline["n"]) == (run.parent.name, CLIPS, CLIPS)
    trained = run.parent.name in WITHOUT_ENCODER
    assert metrics["encoder"] == ("none, trained from the start" if trained else "mtcnn-onet")
    assert any(w["code"] == "synthetic" and "no evidence about people" in w["text"] for w in metrics["warnings"])


def goes_on_with_missing_folds(script, run, cwd):
    """A stopped run trains what is missing alone, and comes to the same predictions."""
    before = (run / "predictions.csv").read_bytes()
    kept = (run / "fold-0" / "model.keras").stat().st_mtime_ns
    (run / "fold-1" / "predictions.csv").unlink()
    printed(script, "--resume", run.relative_to(cwd), cwd=cwd)
    assert (run / "fold-0" / "model.keras").stat().st_mtime_ns == kept
    assert (run / "predictions.csv").read_bytes() == before


def refuses_other_settings(script, run, cwd, *options):
    """A run does not go on with other settings."""
    with pytest.raises(SystemExit, match="error: .*started with other settings"):
        printed(script, *tiny(script), *options, "--resume", run, "--train.epochs=3", cwd=cwd)
