"""Protocols on look-alikes of published size: the composite of MEGC 2019, and clip folds as paper C made them."""

import numpy as np
import pytest

from mer_tf.config import Evaluation
from mer_tf.datasets import dataset_listing
from mer_tf.datasets.labels import load_protocol
from mer_tf.evaluation.folds import make_folds
from mer_tf.synthetic.layouts.write import write_lookalike


def composite(tmp_path):
    root = write_lookalike("megc2019", tmp_path / "megc", counts="published")
    protocol = load_protocol("megc2019-3")
    rows = [(r, protocol.class_index(r)) for r in dataset_listing("megc2019", root).rows]
    kept = [(r, label) for r, label in rows if label is not None]
    return [r.subject for r, _ in kept], [label for _, label in kept], [r.dataset for r, _ in kept]


@pytest.mark.slow
def test_cde_is_loso_over_68_subjects_of_three_data_sets(tmp_path):
    people, labels, datasets = composite(tmp_path)
    folds = make_folds(people, labels, Evaluation(split="loso"), datasets)
    assert (len(people), len(folds), len(set(datasets))) == (442, 68, 3)
    assert all(len({datasets[i] for i in fold.train}) == 3 for fold in folds)
    across = make_folds(people, labels, Evaluation(split="cross-dataset"), datasets)
    assert sorted(f.held_out for f in across) == sorted(set(datasets))
    assert sum(len(f.test) for f in across) == 442


def test_clip_folds_of_328_clips_have_65_or_66_as_paper_c_scores_betray():
    people = [f"smic/s{k % 16:02d}" for k in range(328)]
    folds = make_folds(people, np.arange(328) % 4, Evaluation(split="clip", folds=5))
    assert sorted(len(f.test) for f in folds) == [65, 65, 66, 66, 66]
