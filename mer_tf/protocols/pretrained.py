"""A network that ships with the package, as it is, on clips of a bench."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mer_tf.config import MerError
from mer_tf.errors import refuse
from mer_tf.evaluation.sealed import SealedLabels
from mer_tf.models import load_pretrained
from mer_tf.models.pretrained import probabilities
from mer_tf.protocols.workbench import Bench, Workbench

ByFold = dict[int, dict[int, NDArray[np.float64]]]
"""Fold -> 0, since nothing has epochs -> probabilities (test clips, classes)."""


def as_given(bench: Bench, seal: SealedLabels) -> ByFold:
    """What the shipped network says of every fold's test clips; no label is looked at."""
    refuse(bench.network.check_classes(bench.classes))
    if (images := images_of(bench)).shape[1:] != (28, 28, 3):
        raise MerError(f"flow images of {images.shape[1:]}: shipped networks take 28 x 28 x 3; set clip.side 28")
    shares = probabilities(load_pretrained(getattr(bench.network, "weights", None) or ""), images)
    return {fold.number: {0: shares[list(fold.test)]} for fold in bench.folds()}


def images_of(bench: Workbench) -> NDArray[np.uint8]:
    """Flow images (N, S, S, 3) in the order of the clips."""
    return np.stack([bench.store.images[name] for name in bench.clips["clip_id"]])  # type: ignore[attr-defined]
