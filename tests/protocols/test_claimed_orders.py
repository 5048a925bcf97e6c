"""What a table of a paper says of the orders that it claims: by accuracy and UAR, over seeds, for the whole table."""

import dataclasses
from pathlib import Path

import pytest
from helpers.made_up_runs import predictions

from mer_tf.code_version import CODE
from mer_tf.config import Tables
from mer_tf.evaluation.orderings import holm
from mer_tf.files import write_json
from mer_tf.models.cnn_lstm_fusion import CnnLstmFusion, Fusion
from mer_tf.protocols.paper_tables import paper_tables

TABLES = Tables(
    rows={
        "A/T1/trained": {"model.fusion.mode": "trained"},
        "A/T1/untrained": {"model.fusion.mode": "untrained"},
        "A/T2/FC7": {},
        "A/T2/FC6": {"model.fusion.after": "fc6"},
    },
    columns={"SMIC": {"data.dataset": "smic-hs"}},
    orderings=(("A/T1/trained", "A/T1/untrained"), ("A/T2/FC7", "A/T2/FC6"), ("A/T1/untrained", "A/T2/FC7")),
)


def stand_in(seeds):
    """Runs of which all but the untrained fusion are equally good."""

    def run(experiment):
        folder = Path(experiment.out) / experiment.name / f"run-{len(list(Path(experiment.out).rglob('env.json')))}"
        folder.mkdir(parents=True)
        fusion = getattr(experiment.model, "fusion", None)
        poor = fusion is not None and fusion.mode == "untrained"
        random = 2 if fusion is not None and fusion.after == "fc6" else 1
        frame = predictions(subjects=12, clips=4, seeds=range(seeds), skill=0.1 if poor else 0.7, random=random)
        frame.to_csv(folder / "predictions.csv", index=False)
        write_json(folder / "config.json", {"experiment": dataclasses.asdict(experiment)})
        write_json(folder / "env.json", {"code": CODE})
        write_json(folder / "metrics.json", {"warnings": []})
        return folder

    return run


@pytest.fixture
def fusion(experiment):
    return dataclasses.replace(experiment, model=CnnLstmFusion(fusion=Fusion()))


def test_orders_are_judged_over_seeds_and_for_each_table(fusion, tmp_path):
    _, orders = paper_tables(fusion, TABLES, tmp_path, stand_in(seeds=3))
    assert orders["seeds"].tolist() == [3, 3, 3]
    for name in ("accuracy", "UAR"):
        assert orders[f"{name}_so"].tolist() == ["holds", "not shown", "the other way round"]
        first, second = holm([orders.loc[k, f"{name}_p"] for k in (0, 2)])
        assert orders[f"{name}_p_holm"].tolist() == pytest.approx([first, orders.loc[1, f"{name}_p"], second])
        assert orders.loc[0, f"{name}_low"] > 0 > orders.loc[2, f"{name}_high"]
    text = (tmp_path / "tables.txt").read_text()
    assert "so (accuracy)" in text
    assert "Holm" in text


def test_two_seeds_show_no_order(fusion, tmp_path):
    _, orders = paper_tables(fusion, TABLES, tmp_path, stand_in(seeds=2))
    assert orders["accuracy_so"].unique().tolist() == orders["UAR_so"].unique().tolist() == ["not shown: 2 seeds"]
    assert orders.loc[0, "UAR_low"] > 0
