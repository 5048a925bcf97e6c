"""Rows of a table, one run each: several at once, and what goes wrong in one is told with its row."""

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from mer_tf.errors import MerError
from mer_tf.protocols.variants import run_variants
from mer_tf.runner import declared, run_alone
from mer_tf.runner import run as run_here

SCRIPT = Path(__file__).parents[2] / "experiments" / "exp2_vggface_lstm.py"


@pytest.mark.parametrize(("key", "named"), [(("E/mdmo", "SMIC"), "tables, E/mdmo, SMIC: "), (3, "tables, 3: ")])
def test_the_error_of_a_run_names_its_row(key, named, experiment, tmp_path):
    def run(_):
        raise MerError("s01.bmp: cannot be read; make it again")

    one = replace(experiment, out=str(tmp_path))
    with pytest.raises(MerError, match=f"^{named}s01.bmp: cannot be read; make it again$"):
        run_variants({key: one}, run, "tables")


def test_equal_rows_run_once_where_the_run_is_kept(experiment, tmp_path, monkeypatch):
    made = []
    monkeypatch.setattr("mer_tf.protocols.variants.finished_run", lambda _: made[0] if made else None)
    one = replace(experiment, out=str(tmp_path))
    runs = run_variants({"a": one, "b": one}, lambda _: made.append(tmp_path / "run") or made[0], "tables")
    assert runs == dict.fromkeys("ab", tmp_path / "run")
    assert len(made) == 1


def test_rows_run_at_once_and_each_gets_its_run(experiment, tmp_path, monkeypatch):
    both = threading.Barrier(2)
    monkeypatch.setattr("mer_tf.parallel.processes_at_once", lambda memory: 2)

    def run(one):
        both.wait(20)  # passes only when two are in hand
        return tmp_path / f"{one.train.epochs}"

    rows = {k: replace(experiment, out=str(tmp_path), train=replace(experiment.train, epochs=k)) for k in (1, 2, 3, 4)}
    assert run_variants(rows, run, "tables") == {k: tmp_path / f"{k}" for k in rows}


@pytest.mark.slow
def test_rows_in_processes_at_once_predict_what_they_do_here_in_turn(tmp_path, monkeypatch):
    """They need the same drawn clips, records and features, which one makes while the other waits."""
    small = {"data.subjects": 2, "data.clips_per_class": 1, "evaluation.folds": 2, "train.epochs": 1}
    small |= {"clip.stride": 12, "clip.non_micro_stride": 12, "model.lstm_units": 8, "model.lstm_layers": 1}
    small |= {"train.jit_compile": False, "model.embedding": (8,), "model.encoder": "mtcnn-onet"}
    predicted = []
    for number, run in enumerate((run_here, run_alone), 1):
        home = {"data.cache": str(tmp_path / f"data-{number}"), "out": str(tmp_path / f"runs-{number}")}
        rows = {seed: declared(SCRIPT, "embedded", {**small, **home, "train.seed": seed}) for seed in (0, 1)}
        with monkeypatch.context() as patch:
            patch.setattr("mer_tf.parallel.processes_at_once", lambda _, number=number: number)
            runs = run_variants(rows, run, "tables")
        predicted.append([(path / "predictions.csv").read_bytes() for path in runs.values()])
        assert "machine: " in (runs[0] / "run.log").read_text()
    assert predicted[0] == predicted[1]
    assert predicted[0][0] != predicted[0][1]
