"""What a run directory can predict with, and what is said where it cannot."""

from dataclasses import asdict
from pathlib import Path

import pandas as pd
import pytest

from mer_tf.config import Experiment, MerError
from mer_tf.files import write_json
from mer_tf.models.patch_kernel import PatchKernel
from mer_tf.models.ststnet import StstNet
from mer_tf.serving.trained import load_run


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (PatchKernel(), "of patch_kernel nothing fitted is stored, .*; use a run of a network, or `mer-tf classify`"),
        (StstNet(), "holds no fold-./model.keras; copy the whole run directory, or run it again"),
    ],
)
def test_a_run_that_holds_no_network_says_why(tmp_path: Path, model, said: str) -> None:
    write_json(tmp_path / "config.json", {"experiment": asdict(Experiment("e", model=model)), "resolved": {}})
    row = {"clip_id": "toy/c", "subject": "toy/s", "fold": 0, "y_true": "a", "y_pred": "b", "p_a": 0.4, "p_b": 0.6}
    pd.DataFrame([row]).to_csv(tmp_path / "predictions.csv", index=False)
    with pytest.raises(MerError, match=said):
        load_run(tmp_path)
