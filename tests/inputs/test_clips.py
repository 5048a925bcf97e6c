"""Records of an experiment hold flow where its model reads it."""

from dataclasses import replace
from pathlib import Path

import pytest

from mer_tf.config import Clip, Data, Experiment, Preprocess
from mer_tf.descriptors import Hoof
from mer_tf.inputs.clips import prepare_clips
from mer_tf.models.vggface_lstm import VggFaceLstm
from mer_tf.records.index import read_index

OF_FEATURES = Experiment(
    "e", Data(subjects=1, clips_per_class=1), Preprocess(face="none", size=16, flow_from="onset"), Clip(frames=4)
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def records_of(experiment: Experiment, home: Path) -> Path:
    return prepare_clips(replace(experiment, data=replace(experiment.data, cache=str(home))), home).records


@pytest.mark.slow
def test_flow_is_stored_for_models_that_read_it_alone(home: Path) -> None:
    assert not VggFaceLstm.flow
    without = read_index(records_of(OF_FEATURES, home)).config
    assert (without.flow, without.flow_from) == ("none", "previous")
    of_flow = replace(OF_FEATURES, model=Hoof())
    stored = records_of(of_flow, home)
    assert read_index(stored).config == of_flow.preprocess
    assert records_of(OF_FEATURES, home) == stored, "records with flow that are there are read"


@pytest.mark.slow
def test_frames_and_contents_are_the_same_without_flow(home: Path) -> None:
    digests = {
        tuple((clip.clip_id, clip.content_sha256) for clip in read_index(path.parent).clips)
        for path in (home / "records").glob("*/index.json")
    }
    assert len(digests) == 1
