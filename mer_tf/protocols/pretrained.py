"""A network that ships with the package, on clips of a bench: as it is, and as features beside a linear model."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from mer_tf.config import MerError
from mer_tf.descriptors import FlowLogistic
from mer_tf.descriptors.classifiers import class_shares, classifier, fitted
from mer_tf.errors import refuse
from mer_tf.evaluation.sealed import SealedLabels
from mer_tf.models import load_pretrained
from mer_tf.models.au_flow import features_of
from mer_tf.models.pretrained import probabilities
from mer_tf.protocols.workbench import Bench, Workbench

ByFold = dict[int, dict[int, NDArray[np.float64]]]
"""Fold -> 0, since nothing has epochs -> probabilities (test clips, classes)."""


def as_given(bench: Bench, seal: SealedLabels) -> ByFold:
    """What the shipped network says of every fold's test clips; no label is looked at."""
    refuse(bench.network.check_classes(bench.classes))
    shares = probabilities(_network(bench), _small_images(bench))
    return {fold.number: {0: shares[list(fold.test)]} for fold in bench.folds()}


def on_features(bench: Bench, seal: SealedLabels) -> ByFold:
    """Logistic regression on pixels and features, of equal weight as groups."""
    pixels = _small_images(bench)
    deep = features_of(_network(bench)).predict_on_batch({"flow_image": pixels.astype("float32")})
    flat = pixels.reshape(len(pixels), -1).astype(float)
    found: ByFold = {}
    for fold in bench.folds():
        both = np.hstack([_balanced(flat, fold.train), _balanced(keras.ops.convert_to_numpy(deep), fold.train)])
        model = classifier(FlowLogistic())
        model.set_params(standardscaler="passthrough")  # each group was scaled, the smaller one more
        model = fitted(model, both[list(fold.train)], seal.training(fold))
        found[fold.number] = {0: class_shares(model, both[list(fold.test)], len(bench.classes))}
    return found


def _balanced(group: NDArray[Any], train: Any) -> NDArray[np.float64]:
    """Columns standardised by the training clips, and the group scaled to the variance of 2352 pixels together."""
    rows = group[list(train)]
    spread = rows.std(axis=0)
    scaled = (group - rows.mean(axis=0)) / np.where(spread > 1e-6, spread, 1)
    return np.asarray(scaled * np.sqrt(2352 / group.shape[1]))


def _network(bench: Bench) -> keras.Model:
    return load_pretrained(getattr(bench.network, "weights", None) or "")


def images_of(bench: Workbench) -> NDArray[np.uint8]:
    """Flow images (N, S, S, 3) in the order of the clips."""
    return np.stack([bench.store.images[name] for name in bench.clips["clip_id"]])  # type: ignore[attr-defined]


def _small_images(bench: Bench) -> NDArray[np.uint8]:
    if (images := images_of(bench)).shape[1:] != (28, 28, 3):
        raise MerError(f"flow images of {images.shape[1:]}: shipped networks take 28 x 28 x 3; set clip.side 28")
    return images
