"""Every kind of model answers on new clips as it did on its own; where there is a graph, it is one graph.

Each is trained on a tree of a user's own, in the least size.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from helpers.own_folders import small_experiment, write_encoder, write_tree

import mer_tf
from mer_tf.changes import changed
from mer_tf.config import MerError
from mer_tf.runner import run
from mer_tf.serving.answers import predict_paths
from mer_tf.serving.chain import random_inputs, whole_chain
from mer_tf.serving.trained import Trained, load_run

pytestmark = pytest.mark.slow
SINGLE = {"clip.frames": 1, "clip.mirror": False, "clip.test": "windows", "clip.stride": 2}
FLOW = {"preprocess.flow": "farneback", "preprocess.size": 32}
IMAGE = FLOW | {"preprocess.flow_from": "onset", "clip.frames": 1, "clip.test": "windows", "clip.mirror": False}
KINDS = {
    "vggface_frames": SINGLE,
    "attention_lstm": {
        "clip.frames": 3,
        "clip.keyframes": "phases",
        "clip.mirror": False,
        "model.features_at": "conv1",
    },
    "elrcn_te": FLOW | {"clip.segments": "center", "clip.test": "windows", "clip.frames": 4},
    "ststnet": IMAGE,
    "lbp_top": FLOW,
    "vggface_lstm": {"model.retrain_from": "gradcam"},
}


@pytest.mark.parametrize("name", KINDS)
def test_a_model_of_each_kind_says_of_a_clip_what_it_said_when_it_was_tested(name, tmp_path, monkeypatch):
    monkeypatch.setattr("mer_tf.protocols.pictures.run.write_pictures", lambda *_: None)
    monkeypatch.setattr("mer_tf.protocols.pictures.worst.write_worst", lambda *_: None)
    tree = write_tree(tmp_path / "tree", subjects=("s01", "s02"), frames=6)
    experiment = changed(small_experiment(tree, write_encoder(tmp_path / "e.keras"), tmp_path), {"model.name": name})
    experiment = replace(experiment, model=experiment.model.small())
    if name == "vggface_lstm":
        monkeypatch.setattr("mer_tf.protocols.layer_choice.stored_landmarks", _everywhere)
    directory = run(changed(experiment, KINDS[name]))
    tested = pd.read_csv(directory / "predictions.csv").set_index("clip_id").loc["folders/s01/positive/positive_1"]
    trained = load_run(directory)
    found = predict_paths(_of_fold(trained, int(tested["fold"])), [tree / "s01" / "positive"], tmp_path / "out")
    shares = [f"p_{label}" for label in trained.classes]
    if trained.members:
        np.testing.assert_allclose(found[shares].to_numpy()[0], tested[shares].to_numpy(float), atol=2e-5)
        _one_graph(trained)
    else:
        np.testing.assert_allclose(found[shares].sum(axis=1), 1, atol=1e-5)
        with pytest.raises(MerError, match="nothing fitted is stored"):
            whole_chain(trained)
    assert len(list((tmp_path / "out" / "pictures").glob("*.png"))) == 1


def _of_fold(trained: Trained, fold: int) -> Trained:
    """The network that never saw the clip; all of them where none is stored."""
    members = tuple(m for m in trained.members if m.name == f"fold-{fold}")
    return Trained(**{**vars(trained), "members": members})


def _one_graph(trained: Trained) -> None:
    """The graph of all folds gives probabilities; a bundle of it is read again."""
    chain = whole_chain(trained)
    shares = chain.predict_on_batch(random_inputs(chain, 4))
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-5)
    from mer_tf.serving.bundle import write_bundle

    path = write_bundle(trained, trained.home / "model.mertf")
    assert mer_tf.load(path).classes == trained.classes


def _everywhere(frames, config):
    """Landmarks of textures, which have no face."""
    from mer_tf.explain.regions import aligned_landmarks

    return np.repeat(aligned_landmarks(frames.shape[1])[None], len(frames), axis=0)
