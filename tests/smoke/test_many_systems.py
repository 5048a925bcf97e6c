"""Experiments that run many systems into one table, and the one that trains what is shipped; on tiny clips."""

import json
import runpy

import pandas as pd
import pytest
from helpers.running import EXPERIMENTS, FEW, last_directory, printed

from mer_tf.au_flow.drawn_training import kept_out_groups

COMPOSITE = EXPERIMENTS / "exp8_megc2019.py"


@pytest.mark.slow
def test_baselines_end_in_one_table_and_leave_predictions_without_models(one_cache, quick, tmp_path):
    """Trivial, of frames, of flow and with a codebook, on all drawn data sets."""
    systems = ["majority", "flow_logistic", "stclqp", "mdmo"]
    options = [*FEW, one_cache, "--evaluation.bootstrap=50", "--systems", ",".join(systems)]
    home = last_directory(printed(EXPERIMENTS / "exp7_baselines.py", *options, cwd=tmp_path), tmp_path, "table")
    table = pd.read_csv(home / "baselines.csv")
    assert table[["column", "system"]].to_numpy().tolist() == [
        [c, s] for c in ("SMIC", "CASMEII", "SAMM") for s in systems
    ]
    assert (table["n"] == 2 * 3).all()
    assert not list(tmp_path.glob("runs/**/*.keras"))
    for path in table["predictions"]:
        assert {"y_true", "y_pred", "subject", "fold"} <= set(pd.read_csv(tmp_path / path).columns)


def test_methods_of_the_composite_can_be_named_on_the_command_line():
    """`--methods` separates them by commas."""
    names = runpy.run_path(str(COMPOSITE))
    assert not any("," in name for name in (*names["METHODS"], *names["EMBEDDED_METHODS"]))


@pytest.mark.slow
def test_the_composite_ends_with_a_table_of_its_methods(quick, tmp_path):
    options = ["--data.subjects=3", "--train.epochs=2", "--model.width=0.1", "--evaluation.bootstrap=50"]
    options += ["--train.jit_compile=False", "--evaluation.permutations=50"]
    shown = printed(COMPOSITE, *options, cwd=tmp_path)
    (run,) = tmp_path.glob("runs/exp8_megc2019/*")
    assert shown.strip().splitlines()[-1] == f"run directory: {run.relative_to(tmp_path)}"
    methods = set(pd.read_csv(run / "composite.csv")["method"])
    assert {"majority", "logistic regression", "STSTNet", "OFF-ApexNet", "RCN-A"} < methods
    assert {"recommended", "pixel kernel", "au-flow-3 zero-shot", "au-flow-4 fine-tuned"} < methods
    metrics = json.loads((run / "metrics.json").read_text())
    assert any(w["code"] == "peeking" and w["text"].startswith("STSTNet") for w in metrics["warnings"])


@pytest.mark.slow
def test_pretraining_ends_with_weights_and_their_card(tmp_path, monkeypatch):
    two = dict(list(kept_out_groups().items())[:2])
    monkeypatch.setattr("mer_tf.au_flow.drawn_training.kept_out_groups", lambda: two)
    options = ["--train.epochs=1", "--train.direct=60", "--train.rendered=24", "--train.tested=24"]
    options += ["--train.width=0.2", "--train.kept-out-epochs=1"]
    shown = printed(EXPERIMENTS / "exp9_au_pretraining.py", *options, cwd=tmp_path)
    (run,) = tmp_path.glob("runs/exp9_au_pretraining/*")
    assert {"au-flow-3.keras", "au-flow-3.json", "kept_out.csv", "action_units.png", "env.json"} <= {
        p.name for p in run.iterdir()
    }
    kept_out = pd.read_csv(run / "kept_out.csv")
    assert kept_out[["left_out", "kind"]].to_numpy().tolist() == [
        [g, kind] for g, names in two.items() for kind in names
    ]
    assert "It was trained on drawn action units alone" in shown
