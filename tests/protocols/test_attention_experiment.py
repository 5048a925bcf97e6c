"""The declaration of paper B: settings that exist, the ablation as tables, orders that follow from its claim."""

import dataclasses
import runpy
from pathlib import Path

import numpy as np
import pytest

from mer_tf.descriptors import TRIVIAL
from mer_tf.files import write_json
from mer_tf.models.attention_lstm import AttentionLstm
from mer_tf.preprocessing.keyframes import select_keyframes
from mer_tf.protocols.paper_tables import paper_tables
from mer_tf.runner import declared

SCRIPT = Path(__file__).parents[2] / "experiments" / "exp5_attention_lstm.py"


@pytest.fixture(scope="module")
def script():
    return runpy.run_path(str(SCRIPT))


def test_the_paper_preset_is_our_reading_of_the_abstract():
    paper = declared(SCRIPT, "paper")
    assert (paper.data.dataset, paper.model.encoder, paper.model.features_at) == ("casme2", "vggface-vgg16", "pool5")
    assert (paper.clip.keyframes, paper.clip.frames, paper.evaluation.split) == ("cumdiff", 10, "loso")
    assert (paper.model.lstm_units, paper.model.lstm_layers, paper.model.attention.use) == (256, 1, "both")
    assert paper.train.class_weights


@pytest.mark.slow
def test_the_ablation_runs_in_every_column_and_says_that_nothing_was_printed(script, frame, tmp_path):
    asked = []

    def run(experiment):
        """Right everywhere, but for a third of the clips without attention."""
        asked.append(experiment)
        folder = Path(experiment.out) / experiment.name / f"run-{len(asked)}"
        folder.mkdir(parents=True)
        plain = isinstance(experiment.model, AttentionLstm) and experiment.model.attention.use == "plain"
        guess = np.where(np.arange(36) % 3 == 0, np.roll(frame["y_true"], 1), frame["y_true"])
        frame.assign(y_pred=guess if plain else frame["y_true"]).to_csv(folder / "predictions.csv", index=False)
        write_json(folder / "config.json", {"experiment": dataclasses.asdict(experiment)})
        write_json(folder / "metrics.json", {"warnings": []})
        return folder

    small = dataclasses.replace(
        script["EMBEDDED"],
        evaluation=dataclasses.replace(script["EMBEDDED"].evaluation, bootstrap=20, permutations=20),
    )
    table, orders = paper_tables(small, script["TABLES"], tmp_path, run)
    own = [e for e in asked if e.model.name == "attention_lstm"]
    assert len(own) == 4 * 4
    assert len(table) == len(asked) == 4 * 4 + 4 * len(TRIVIAL)
    assert {e.model.attention.use for e in own} == {"plain", "spatial", "temporal", "both"}
    found = {(e.data.dataset, e.data.label_protocol) for e in asked}
    assert found == {("casme2", "casme2-5"), ("casme2", "megc2019-3"), ("smic-hs", "smic-3"), ("samm", "samm-5")}
    assert len(orders) == 4 * 4
    assert orders.set_index(["better", "worse"])["UAR_difference"].gt(0).groupby(level=1).all().to_dict() == {
        "B/attention/plain": True,
        "B/attention/spatial": False,
        "B/attention/temporal": False,
    }
    assert "none that could be read" in (tmp_path / "tables.txt").read_text()


def test_the_sweep_knows_its_rules(script):
    frames = np.random.default_rng(0).integers(0, 256, (30, 4, 4))
    for rule in script["SWEEP"]["clip.keyframes"]:
        for wanted in script["SWEEP"]["clip.frames"]:
            assert len(select_keyframes(frames, 0, 9, 29, wanted, rule)) == wanted


@pytest.mark.parametrize(("changes", "expected"), [({}, 0), ({"model.attention.staged": True}, 2)])
def test_a_staged_training_is_a_setting(changes, expected):
    assert declared(SCRIPT, "embedded", changes).model.first_stages == expected
