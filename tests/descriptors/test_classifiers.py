"""Methods by name: descriptors in pipelines, grid search by subjects, shares that agree with predictions."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from mer_tf.changes import changed
from mer_tf.config import Experiment, MerError
from mer_tf.descriptors import METHODS, LbpTop, Majority
from mer_tf.descriptors.classifiers import class_shares, classifier
from mer_tf.descriptors.lbp_sip import LbpSip

DESCRIBED = sorted(name for name, method in METHODS.items() if method.described_by)


def moving_clips(number=18, side=48):
    """Clips of different length whose class is the direction in which a texture moves."""
    rng, clips = np.random.default_rng(0), []
    for k in range(number):
        texture = rng.integers(0, 256, (side, side), dtype=np.uint8)
        move = [(0, 1), (1, 0), (0, 0)][k % 3]
        clips.append(np.stack([np.roll(texture, (t * move[0], t * move[1]), (0, 1)) for t in range(8 + k % 5)]))
    return clips, np.arange(number) % 3, np.arange(number) // 3


@pytest.mark.parametrize("name", DESCRIBED)
def test_every_descriptor_can_be_cloned_and_gives_finite_vectors_of_one_length(name):
    descriptor = clone(METHODS[name]().descriptor())
    rng = np.random.default_rng(1)
    frames = [rng.integers(0, 256, (n, 64, 64), dtype=np.uint8) for n in (7, 12)]
    flow = [rng.normal(size=(n - 1, 64, 64, 2)).astype(np.float16) for n in (7, 12)]
    found = descriptor.transform(frames if descriptor.takes == "frames" else flow)
    assert (len(found), found.dtype) == (2, np.float32)
    assert np.isfinite(found).all()
    assert (found[0] != found[1]).any()


def test_a_descriptor_stands_in_a_grid_search_over_subjects():
    clips, labels, subjects = moving_clips()
    pipeline = make_pipeline(LbpSip(blocks=(2, 2, 1), frames=0, radii=(1, 1, 1)), SVC(kernel="linear"))
    grid = {"lbpsip__blocks": [(1, 1, 1), (2, 2, 1)], "svc__C": [1, 10]}
    search = GridSearchCV(pipeline, grid, cv=StratifiedGroupKFold(3)).fit(clips, labels, groups=subjects)
    assert search.best_score_ > 0.6
    assert search.predict(clips[:2]).shape == (2,)


@pytest.mark.parametrize("kernel", ["linear", "rbf", "poly", "chi2"])
@pytest.mark.parametrize("classes", [2, 3])
def test_the_largest_share_is_the_predicted_class(kernel, classes):
    rng = np.random.default_rng(0)
    labels = np.arange(30) % classes + 1  # class 0 has no clip
    features = rng.random((30, 6)) + np.eye(4, 6)[labels]
    model = classifier(LbpTop(kernel=kernel)).fit(features, labels)
    shares = class_shares(model, features, 4)
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    assert (shares[:, 0] == 0).all()
    np.testing.assert_array_equal(shares.argmax(axis=1), model.predict(features))


def test_settings_reach_the_descriptor_and_foreign_ones_are_refused():
    descriptor = LbpTop(blocks=(5, 5, 1), points=4, frames=0).descriptor()
    assert (descriptor.blocks, descriptor.points, descriptor.radii) == ((5, 5, 1), 4, (3, 3, 3))
    demo = Experiment("demo", model=LbpTop())
    with pytest.raises(MerError, match=r"model.blocks: mdmo has no such setting; .* model.kernel, model.C;"):
        changed(demo, {"model.name": "mdmo", "model.blocks": (5, 5, 1)})
    with pytest.raises(MerError, match=r"unknown model 'lbp'; known: .*lbp_top.*majority"):
        changed(demo, {"model.name": "lbp"})
    with pytest.raises(MerError, match="kernel: 'cubic'"):
        classifier(LbpTop(kernel="cubic"))


def test_the_majority_method_gives_the_shares_of_the_training_classes():
    model = classifier(Majority()).fit(np.zeros((10, 1)), np.array([0] * 7 + [2] * 3))
    np.testing.assert_allclose(class_shares(model, np.zeros((1, 1)), 3), [[0.7, 0, 0.3]])
