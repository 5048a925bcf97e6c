"""What a run directory can predict with, and what is said where it cannot."""

from dataclasses import asdict
from pathlib import Path

import pandas as pd
import pytest

from mer_tf.config import Experiment, MerError
from mer_tf.datasets import dataset_listing
from mer_tf.files import write_json
from mer_tf.models.patch_kernel import PatchKernel
from mer_tf.models.ststnet import StstNet
from mer_tf.serving.sources import rows_of
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


def test_a_path_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(MerError, match="nowhere: no such run or bundle"):
        load_run(tmp_path / "nowhere")


def test_a_run_of_several_methods_names_them_and_how_one_is_trained_alone(tmp_path: Path) -> None:
    write_json(tmp_path / "config.json", {"experiment": asdict(Experiment("e", model=StstNet())), "resolved": {}})
    write_json(tmp_path / "methods.json", {"STSTNet": {}, "RCN-A": {}})
    with pytest.raises(MerError, match=r"several methods \(STSTNet, RCN-A\), which keeps no network; train one"):
        load_run(tmp_path)


def test_a_folder_of_another_program_s_configuration_is_not_called_unfinished(tmp_path: Path) -> None:
    write_json(tmp_path / "config.json", {"options": {}})
    with pytest.raises(MerError, match="trained no recogniser of clips"):
        load_run(tmp_path)


def test_what_is_no_video_is_told_once(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("hello")
    with pytest.raises(MerError) as told:
        rows_of([tmp_path / "text.mp4"])
    assert str(told.value).count("text.mp4") == 1
    (tmp_path / "happy").mkdir()
    (tmp_path / "text.mp4").rename(tmp_path / "happy" / "text.mp4")
    with pytest.raises(MerError, match="OpenCV cannot open") as told:
        dataset_listing("folders", tmp_path)
    assert str(told.value).count("text.mp4") == 1
