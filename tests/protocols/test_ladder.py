"""The leak ladder on drawn features: every rung scored, resumable, the leaky ones named."""

from dataclasses import replace

import pandas as pd
import pytest

from mer_tf.protocols.ladder import RUNGS, best_epoch, climb, ladder_text


@pytest.mark.slow
def test_every_rung_is_scored_and_kept(make_bench, experiment, tmp_path):
    bench, _ = make_bench(replace(experiment, train=replace(experiment.train, epochs=2)))
    table = climb(bench, tmp_path, inner_folds=2)
    assert table["rung"].tolist() == list(RUNGS)
    assert table["n"].tolist() == [36 * 3, 36, 36, 36, 36]  # 8 frames, windows of 4 from 0, 3 and the end
    assert (table["UAR_low"] <= table["UAR"]).all()
    assert (tmp_path / "ladder.png").stat().st_size > 10_000
    best, fixed, nested = (
        pd.read_csv(tmp_path / f"LOSO-{n}" / "predictions.csv") for n in ("best-epoch", "fixed-epochs", "nested")
    )
    hits = [(f["y_true"] == f["y_pred"]).mean() for f in (best, fixed, nested)]
    assert hits[0] >= max(hits)
    assert "epoch picked on the test subject" in ladder_text(table)
    kept = (tmp_path / "LOSO-epochs" / "fold-0.csv").stat().st_mtime_ns
    assert climb(bench, tmp_path, inner_folds=2).equals(table)
    assert (tmp_path / "LOSO-epochs" / "fold-0.csv").stat().st_mtime_ns == kept


def test_the_best_epoch_is_the_earliest_most_accurate():
    table = pd.DataFrame({"epoch": [1, 1, 2, 2, 3, 3], "y_true": list("ababab"), "y_pred": list("aaabab")})
    assert best_epoch(table) == 2
