"""Paper B's only claim, better than other methods, is a table of its own beside the parts of the attention."""

import runpy
from pathlib import Path

import pytest

from mer_tf.changes import changed
from mer_tf.check import check_all
from mer_tf.config import Tables
from mer_tf.descriptors import METHODS, TRIVIAL
from mer_tf.protocols.paper_tables import cell_settings

SCRIPT = runpy.run_path(str(Path(__file__).parents[2] / "experiments" / "exp5_attention_lstm.py"))
CLAIM = SCRIPT["CLAIM"]


def test_every_descriptor_is_compared_with_the_whole_model():
    others = [f"B/methods/{name}" for name in METHODS if name not in TRIVIAL]
    assert list(CLAIM.rows) == ["B/methods/attention_lstm", *others]
    assert CLAIM.orderings == tuple(("B/methods/attention_lstm", name) for name in others)
    assert CLAIM.rows["B/methods/attention_lstm"] == SCRIPT["TABLES"].rows["B/attention/both"]


@pytest.mark.parametrize("preset", [pytest.param("EXPERIMENT", marks=pytest.mark.slow), "EMBEDDED"])
def test_every_method_has_the_folds_of_the_model_and_can_be_run(preset, tmp_path):
    cells = cell_settings(SCRIPT[preset], CLAIM, tmp_path)
    assert len({one.evaluation for one in cells.values()}) == 1
    check_all(
        changed(one, {"model.weights": "random"}) if hasattr(one.model, "weights") else one for one in cells.values()
    )


def test_tables_are_joined_with_their_orders_and_small_settings():
    one = Tables(rows={"A/T1/a": {}}, columns={"SMIC": {}}, orderings=(("A/T1/a", "A/T1/a"),), unprinted="why")
    other = Tables(
        rows={"A/T2/b": {}}, columns={"SMIC": {}}, cells={"A/T2/b/SMIC": {"x": 1}}, small={"A/T2/b": {"y": 2}}
    )
    both = one | other
    assert list(both.rows) == ["A/T1/a", "A/T2/b"]
    assert (both.orderings, both.cells, both.small) == (one.orderings, other.cells, other.small)
    assert both.unprinted == "why"
