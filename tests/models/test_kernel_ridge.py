"""Kernel ridge regression on flow images: mirror images, a subject left out in closed form, probabilities."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score

from mer_tf.au_flow.drawn_training import kept_out_groups
from mer_tf.config import MerError
from mer_tf.models import patch_codes
from mer_tf.models.kernel_ridge import _kept_out, fit_ridge, kernel, shares, standardised
from mer_tf.models.patch_codes import card_of, load_dictionaries
from mer_tf.models.patch_kernel import PatchKernel
from mer_tf.models.pixel_kernel import PixelKernel
from mer_tf.preprocessing.augment import mirrored_flow_image
from mer_tf.synthetic.action_units.fields import draw_images
from mer_tf.synthetic.action_units.geometry import geometry

MODELS = [PixelKernel(), PatchKernel()]


@pytest.fixture(scope="module")
def drawn():
    return draw_images(90, np.random.default_rng(0), face=geometry("published"))


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
def test_an_image_and_its_mirror_image_are_the_same(model, drawn):
    views, turned = model.described(drawn.images[:6]), model.described(mirrored_flow_image(drawn.images[:6]))
    gram = kernel(views, views)
    np.testing.assert_allclose(kernel(turned, views), gram, atol=1e-5)
    np.testing.assert_allclose(gram, gram.T, atol=1e-6)
    assert np.linalg.eigvalsh(gram).min() > -1e-6


def test_each_channel_of_each_image_is_standardised(drawn):
    once = standardised(drawn.images[:3], 0.7)
    np.testing.assert_allclose(once.mean(axis=(1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(once.std(axis=(1, 2)), 1, atol=1e-4)
    assert np.abs(standardised(np.full((1, 28, 28, 3), 7, np.uint8), 0.7)).max() < 0.01


def test_what_a_subject_left_out_gets_is_what_a_regression_without_it_says(drawn):
    """The closed form against regressions that are fitted anew, weights of classes held fixed."""
    rng, labels = np.random.default_rng(1), drawn.labels[:40]
    subjects = rng.integers(0, 7, 40)
    views = PixelKernel().described(drawn.images[:40])
    gram, wanted = kernel(views, views), np.eye(3)[labels] - 1 / 3
    penalty = np.diag(0.3 * (0.5 + rng.uniform(size=40)))
    inverse = np.linalg.inv(gram + penalty)
    found = _kept_out(inverse, inverse @ wanted, wanted, subjects)
    for subject in range(7):
        test, train = np.flatnonzero(subjects == subject), np.flatnonzero(subjects != subject)
        own = np.ix_(train, train)
        again = gram[np.ix_(test, train)] @ np.linalg.solve(gram[own] + penalty[own], wanted[train])
        np.testing.assert_allclose(found[test], again, atol=1e-8)


def scored(model, drawn, labels):
    """UF1 on the last 45 images, and their probabilities, of a regression on the first 45."""
    views = model.described(drawn.images)
    gram = kernel(views, views)
    ridge = fit_ridge(gram[:45, :45], labels[:45], range(45), 3, model.penalties)
    found = ridge.probabilities(gram[45:, :45])
    return f1_score(drawn.labels[45:], found.argmax(axis=1), average="macro"), found


@pytest.mark.parametrize(
    "model", [pytest.param(m, id=m.name, marks=[pytest.mark.slow] * (m.name == "patch_kernel")) for m in MODELS]
)
def test_it_learns_from_labels_and_says_how_sure_it_is(model, drawn):
    score, found = scored(model, drawn, drawn.labels)
    assert score > 0.5
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-9)
    shuffled, unsure = scored(model, drawn, np.random.default_rng(3).permutation(drawn.labels))
    assert shuffled < 0.5
    assert unsure.max(axis=1).mean() < found.max(axis=1).mean(), "of shuffled labels it is not as sure"


def test_a_class_without_clip_gets_nothing(drawn):
    views = PixelKernel().described(drawn.images[:30])
    gram, labels = kernel(views, views), drawn.labels[:30] % 2
    ridge = fit_ridge(gram, labels, range(30), 3, (0.3,))
    assert (ridge.probabilities(gram)[:, 2] == 0).all()


def test_a_temperature_changes_no_order():
    values = np.random.default_rng(0).normal(size=(5, 3))
    assert (shares(values, 0.1).argsort() == shares(values, 3).argsort()).all()


def test_dictionaries_are_those_of_their_card_and_read_without_pickle(monkeypatch):
    assert len(load_dictionaries("flow-patches-1")) == 3
    card = card_of("flow-patches-1")
    assert card["command"] == "python experiments/exp9_au_pretraining.py --patches"
    assert "442 flow images" in card["tuned_on"]
    kept_out = pd.DataFrame(card["UF1_kept_out"])
    assert set(kept_out["left_out"]) == set(kept_out_groups())
    assert kept_out[kept_out["trained_on"] == "disturbed"]["UF1"].min() > 0.8
    load_dictionaries.cache_clear()
    monkeypatch.setattr(patch_codes, "card_of", lambda name: {"sha256": "0" * 64})
    with pytest.raises(MerError, match="SHA-256 is .* its card says 000000000000"):
        load_dictionaries("flow-patches-1")
    load_dictionaries.cache_clear()
    with pytest.raises(MerError, match="set clip.side 28"):
        PatchKernel().described(np.zeros((1, 56, 56, 3), np.uint8))


def test_equal_images_give_equal_bytes(drawn):
    one, other = (PatchKernel().described(drawn.images[:4]) for _ in range(2))
    assert all((a == b).all() for a, b in zip(one, other, strict=True))
