"""Paper C's tables of its data and results: counts that are known by hand, Exp-I as its own script declares it."""

import dataclasses
import runpy
from itertools import pairwise
from pathlib import Path

import pytest

from mer_tf.changes import changed
from mer_tf.check import check_all
from mer_tf.cli.script import main
from mer_tf.config import MerError
from mer_tf.datasets.manifest import ClipRow, write_manifest
from mer_tf.files import facts
from mer_tf.protocols.paper_tables import cell_settings
from mer_tf.protocols.training_counts import training_counts
from mer_tf.study import Study

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
EXP1, EXP2 = (runpy.run_path(str(EXPERIMENTS / f"{name}.py")) for name in ("exp1_vggface_frames", "exp2_vggface_lstm"))
LABELS = ("negative", "positive", "surprise", "non-micro")
TWO_FOLDS = changed(EXP2["EXPERIMENT"], {"evaluation.folds": 2})


@pytest.fixture
def rows(tmp_path):
    """Two subjects, a clip of each class: 20 frames of micro-expressions, 30 of others."""
    return [
        ClipRow(
            clip_id=f"smic-hs/s{subject}_{label}",
            dataset="smic-hs",
            subject=f"smic/s{subject}",
            session="",
            root=str(tmp_path),
            frames_dir="x",
            video="",
            onset=5,
            apex=None,
            offset=34 if label == "non-micro" else 24,
            fps=100,
            label_raw=label,
            aus="",
            sheet_sha="",
        )
        for subject in (1, 2)
        for label in LABELS
    ]


def test_frames_and_windows_are_counted_by_class_beside_the_printed_ones(rows):
    """Windows of 13: 8 a micro-expression at stride 1; 6 at stride 4 of others, which are filled up to as many."""
    lines = training_counts(TWO_FOLDS, EXP2["COUNTS"], rows).splitlines()
    cells = {line.split()[0]: [int(cell) for cell in line.split()[1:]] for line in lines[2:7]}
    assert cells == {
        "negative": [2, 2168, 40, 15000, 280, 1710, 16],
        "positive": [2, 1856, 40, 14736, 320, 1685, 16],
        "surprise": [2, 1408, 40, 15072, 440, 1661, 16],
        "non-micro": [2, 5016, 60, 14664, 180, 1674, 16],
        "sum": [8, 10448, 180, 59472, 1220, 6730, 64],
    }
    assert lines[-2].endswith("printed 11276, here 64 to 64")
    assert lines[-1].endswith(f"printed 9114, here {2 * 4 * 6} to {2 * 4 * 6}")


def test_counts_need_no_weights_and_no_pictures(rows, tmp_path, capsys):
    manifest = write_manifest(rows, tmp_path / "manifest.csv")
    study = Study(EXP2["EXPERIMENT"], EXP2["EMBEDDED"], counts=EXP2["COUNTS"])
    main(study, ["counts", "--data.manifests", str(manifest), "--evaluation.folds", "2"])
    assert "printed 11276, here 64 to 64" in capsys.readouterr().out


def test_what_was_never_printed_is_refused(rows):
    with pytest.raises(MerError, match="C/T1/sum"):
        training_counts(TWO_FOLDS, {"C/T1/sum": {}}, rows)
    with pytest.raises(MerError, match="printed for 4 classes"):
        training_counts(changed(TWO_FOLDS, {"data.label_protocol": "smic-3"}), EXP2["COUNTS"], rows)


def test_the_frames_of_table_4_are_those_of_experiment_1():
    row = changed(EXP2["EXPERIMENT"], EXP2["TABLES"].rows["C/T4/VGGFace2"])
    theirs = EXP1["EXPERIMENT"]
    assert row == dataclasses.replace(theirs, name=row.name, published=row.published)


def test_table_4_is_whole_and_its_orders_are_those_of_the_printed_figures():
    tables, printed = EXP2["TABLES"], facts("published_results.csv").set_index("key")["printed"]
    assert set(tables.rows) == {key for key in printed.index if key.startswith("C/T4/")}
    figures = {key: float(printed[key]) for key in tables.rows}
    chain = sorted(figures, key=lambda key: -figures[key])
    assert tables.orderings == (*pairwise(chain), ("C/T4/BiLSTM", "C/T4/LSTM"))


@pytest.mark.parametrize("preset", ["EXPERIMENT", "EMBEDDED"])
def test_every_row_of_table_4_can_be_run(preset, tmp_path):
    tables, small = EXP2["TABLES"], EXP2["TABLES"].small if preset == "EMBEDDED" else {}
    rows = {key: {**row, **small.get(key, {})} for key, row in tables.rows.items()}
    cells = cell_settings(EXP2[preset], dataclasses.replace(tables, rows=rows), tmp_path).values()
    check_all(changed(one, {"model.weights": "random"}) if hasattr(one.model, "weights") else one for one in cells)
