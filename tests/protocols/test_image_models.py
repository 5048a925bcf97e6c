"""The protocols on a model of images and flow trained in stages: folds, self-tests, nested choice, random windows."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from mer_tf.config import Clip, MerError, Preprocess, Search, Train
from mer_tf.inputs.images import image_store
from mer_tf.inputs.prepare import Encoded
from mer_tf.model import check_model
from mer_tf.models.cnn_lstm_fusion import CnnLstmFusion, Fusion
from mer_tf.protocols.cross_validation import cross_validate
from mer_tf.protocols.pictures.heatmaps import export_heatmaps, write_heatmaps
from mer_tf.protocols.pictures.view import View
from mer_tf.protocols.self_test import before_training
from mer_tf.protocols.summary import summarise
from mer_tf.protocols.workbench import Bench

SIDE = 16
FUSION = Fusion(channels=(8, 12, 12, 12, 8), stem_stride=1, fc_units=24, fc8_units=12, finetune_streams=False)


@pytest.fixture(scope="module")
def bench(make_bench, experiment):
    """Noise faces in which one place moves up, left or right by class, 36 clips of 6 subjects."""
    settings = replace(
        experiment,
        clip=Clip(frames=5, segments="center", test="windows", mirror=False, balance=False),
        model=CnnLstmFusion(lstm_units=12, fusion=FUSION),
        train=Train(epochs=8, stream_epochs=8, batch_size=3, learning_rate=3e-3, jit_compile=False),
        evaluation=replace(experiment.evaluation, folds=2),
    )
    _, clips = make_bench(settings)
    rng, items = np.random.default_rng(0), []
    for name, label in zip(clips.table["clip_id"], clips.table["label"], strict=True):
        flow = rng.normal(0, 0.1, (7, SIDE, SIDE, 2))
        flow[:, 3:13, 3:13] += np.array([(0, -3), (-3, 0), (3, 0)][label])
        frames = rng.integers(0, 256, (1, SIDE, SIDE, 3)).astype("uint8").repeat(8, axis=0)
        items.append((name, frames, flow.astype("float16")))
    resolved = {"encoder": "none", "weights": {"source": "none"}}
    store = image_store(items, settings.clip, "previous")
    return Bench(settings, clips, Encoded(store, None, None, resolved, ())), clips


@pytest.fixture(scope="module")
def finished(bench, tmp_path_factory, quick):
    held, clips = bench
    run = tmp_path_factory.mktemp("run")
    before_training(held.experiment, clips, held, run)
    cross_validate(held, run)
    summarise(held, clips, run)
    return run


@pytest.mark.slow
def test_folds_are_trained_in_stages_tested_and_pooled(finished):
    frame = pd.read_csv(finished / "predictions.csv")
    assert frame["clip_id"].is_unique
    assert len(frame) == 36
    assert (frame["y_true"] == frame["y_pred"]).mean() > 0.7
    history = pd.read_csv(finished / "fold-0" / "history.csv")
    assert history["stage"].value_counts().to_dict() == {"spatial": 8, "temporal": 8, "fusion": 8}


@pytest.mark.parametrize(("block", "side"), [("spatial_trunk/conv1", 16), ("temporal_trunk/conv3", 3)])
@pytest.mark.slow
def test_either_stream_shows_its_heat_on_the_frames(bench, finished, tmp_path, block, side):
    (name,) = bench[0].ids([0])
    table = export_heatmaps(bench[0], finished, tmp_path, view=View(layer=block), clips=[name])
    assert table["clip_id"].tolist() == [name]
    folder = tmp_path / name.replace("/", "_")
    with np.load(folder / "maps.npz", allow_pickle=False) as held:
        assert held["maps"].shape == (4, side, side)
    assert {p.name for p in folder.iterdir()} == {"maps.npz", "overlay.gif", "overlay.png", "strip.png"}


@pytest.mark.slow
def test_heat_maps_stand_in_the_report(bench, finished):
    write_heatmaps(bench[0], finished)
    pictures = pd.read_csv(finished / "pictures" / "pictures.csv")
    assert len(pictures) == 3
    assert all((finished / "pictures" / file).exists() for file in pictures["file"])


@pytest.mark.slow
def test_an_unknown_layer_is_told_from_those_there_are(bench, finished, tmp_path):
    with pytest.raises(MerError, match="has maps at spatial_trunk/conv1, .*temporal_trunk/conv5"):
        export_heatmaps(bench[0], finished, tmp_path, view=View(layer="conv5"))


@pytest.mark.slow
def test_epochs_of_the_fusion_are_chosen_on_inner_subjects(bench, quick, tmp_path):
    held, clips = bench
    search = replace(held.experiment, search=Search(epochs=(1, 6), folds=2))
    again = Bench(search, clips, held.encoded)
    again.trainers = held.trainers  # one compilation for all tests
    cross_validate(again, tmp_path, only=[1])
    choice = pd.read_csv(tmp_path / "fold-1" / "choice.csv")
    assert choice["epochs"].tolist() == [1, 6]
    stages = pd.read_csv(tmp_path / "fold-1" / "history.csv")["stage"]
    assert (stages == "fusion").sum() in (1, 6)


@pytest.mark.slow
def test_early_stopping_ends_every_stage(bench, quick, tmp_path):
    held, clips = bench
    train = replace(held.experiment.train, epochs=12, stream_epochs=12)
    again = Bench(replace(held.experiment, search=Search(patience=1, folds=2), train=train), clips, held.encoded)
    again.trainers = held.trainers  # one compilation for all tests
    cross_validate(again, tmp_path, only=[1])
    (choice,) = pd.read_csv(tmp_path / "fold-1" / "choice.csv").to_dict("records")
    assert choice["stream_epochs"] < 12  # frames show nothing; what shows the class goes on learning
    stages = pd.read_csv(tmp_path / "fold-1" / "history.csv")["stage"].value_counts()
    assert stages.to_dict() == dict.fromkeys(("spatial", "temporal"), choice["stream_epochs"]) | {
        "fusion": choice["epochs"]
    }


def test_a_model_of_images_has_no_encoder_to_look_into(bench):
    with pytest.raises(MerError, match="has no pretrained encoder"):
        bench[0].encoder()


@pytest.mark.parametrize(
    ("changes", "said"),
    [({"preprocess": Preprocess(flow="none")}, "takes flow"), ({"clip": Clip(test="whole")}, "clip.test=windows")],
)
def test_settings_it_cannot_have_are_refused(bench, changes, said):
    held, clips = bench
    with pytest.raises(MerError, match=said):
        check_model(replace(held.experiment, **changes), clips.of_images)
