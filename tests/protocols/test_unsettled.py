"""Whether batch normalisation had the steps that its moving statistics need."""

import pytest
from helpers.drawn_experiment import EXPERIMENT

from mer_tf.changes import changed
from mer_tf.protocols.summary import unsettled


@pytest.mark.parametrize(
    ("momentum", "epochs", "left"),
    [(0.9, 4, "12%"), (0.9, 24, ""), (0.99, 24, "30%"), (0.5, 4, "")],
)
def test_few_steps_are_told(make_bench, momentum, epochs, left):
    """A fold trains in five steps an epoch: .9^20 is .12, .99^120 is .30."""
    bench, _ = make_bench(changed(EXPERIMENT, {"model.bn_momentum": momentum, "train.epochs": epochs}))
    said = [str(one) for one in unsettled(bench)]
    assert [f"{left} of batch normalisation's first statistics" in one for one in said] == ([True] if left else [])


def test_a_model_without_batch_normalisation_has_none_to_settle(make_bench):
    bench, _ = make_bench(changed(EXPERIMENT, {"model.bn_momentum": 0.0, "train.epochs": 1}))
    assert unsettled(bench) == []
