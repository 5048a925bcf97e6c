"""The table of clips saved on a tiny look-alike: who is trained on, who is tested on, and from which weights."""

import pytest

from mer_tf.au_flow.label_savings import DrawnClips, clips_saved
from mer_tf.config import Clip, Data, Experiment, Preprocess, Train
from mer_tf.models.cnn_lstm_fusion import CnnLstmFusion, Fusion

FUSION = Fusion(streams="temporal", channels=(2, 2, 2, 2, 2), stem_stride=2, fc_units=4, fc8_units=4)


@pytest.mark.slow
def test_rows_are_counted_by_labelled_clips_and_tested_on_the_same_people(tmp_path):
    experiment = Experiment(
        name="tiny",
        data=Data(label_protocol="smic-3", subjects=3, clips_per_class=1, cache=str(tmp_path)),
        preprocess=Preprocess(face="align", size=64, flow="dis"),
        clip=Clip(frames=6, segments="center", test="windows", balance=False, side=32),
        model=CnnLstmFusion(lstm_units=4, fusion=FUSION),
        train=Train(epochs=1, jit_compile=False),
    )
    table = clips_saved(experiment, DrawnClips(rounds=1, clips=12, subjects=(1, 2), seeds=1), tmp_path)
    assert table[["start", "clips"]].to_numpy().tolist() == [
        ["drawn", 0],
        ["new", 3],
        ["drawn", 3],
        ["new", 6],
        ["drawn", 6],
    ]
    assert (table["test_clips"] == 3).all()
    assert table["UAR"].between(0, 1).all()
    assert (tmp_path / "clips_saved.csv").exists()
