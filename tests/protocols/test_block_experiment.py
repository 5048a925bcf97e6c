"""The declaration of paper D: every row and column is one that can be run, and what is claimed of them."""

import runpy
from pathlib import Path

import pytest

from mer_tf.changes import changed
from mer_tf.datasets import ADAPTERS
from mer_tf.datasets.labels import load_protocol
from mer_tf.preprocessing.face_blocks import load_blocks
from mer_tf.protocols.paper_tables import printed_rows

SCRIPT = Path(__file__).parents[2] / "experiments" / "exp6_gia_bia_bilstm.py"


@pytest.fixture(scope="module")
def declared():
    return runpy.run_path(str(SCRIPT))


def test_every_cell_of_the_tables_is_a_setting_of_its_own(declared):
    tables, seen = declared["TABLES"], {}
    for row, changes in tables.rows.items():
        blocks = changed(declared["EMBEDDED"], changes).model.blocks
        load_blocks(blocks.set)
        seen[row] = blocks
    assert len(set(seen.values())) == len(seen) == 6 * 3
    for column in tables.columns.values():
        settings = changed(declared["EXPERIMENT"], column)
        assert settings.data.dataset in ADAPTERS
        assert len(load_protocol(settings.data.label_protocol).classes) == int(settings.data.label_protocol[-1])


def test_no_figure_is_invented_and_the_claimed_orders_are_tested(declared):
    tables = declared["TABLES"]
    assert {row["printed"] for row in printed_rows(tables)} == {"unknown"}
    assert "without a number" in tables.unprinted
    assert {row for pair in tables.orderings for row in pair} <= set(tables.rows)
    assert ("D/Bi-LSTM/GIA+BIA10", "D/Bi-LSTM/GIA+none") in tables.orderings


def test_the_papers_settings_are_those_of_gacnn(declared):
    paper = declared["EXPERIMENT"]
    blocks, train = paper.model.blocks, paper.train
    assert (paper.model.features_at, blocks.gia_to, blocks.window, blocks.units) == ("conv4_2", "conv5_2", 6, 64)
    assert (blocks.filters, blocks.gate_filters, blocks.gia_units, blocks.reduce_units) == (512, 128, 512, 1024)
    assert (blocks.shared, blocks.psi, blocks.gate_cost, blocks.set) == (False, "flatten", 0.0, "10")
    assert (train.stream_optimizer, train.stream_batch_size, train.weight_decay) == ("sgd", 128, 5e-4)
    assert (paper.model.lstm_units, paper.clip.frames, paper.preprocess.interpolate) == (256, 10, 10)
