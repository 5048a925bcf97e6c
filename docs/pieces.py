"""Every result that README.md and docs/ show: the lines that make it, what they declare, and what of it is stored."""

from __future__ import annotations

import dataclasses
import runpy
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd

from mer_tf.changes import flat
from mer_tf.code_version import CODE
from mer_tf.config import Experiment, MerError, Preset, Tables
from mer_tf.evaluation.curve import halfways
from mer_tf.evaluation.metrics import SCORES, by_seed, class_names, confusion, scores
from mer_tf.evaluation.predictions import read_predictions
from mer_tf.files import read_json, write_csv
from mer_tf.reporting.made import NAME, Settings
from mer_tf.reporting.plots import ladder_png, sensitivity_png
from mer_tf.reporting.readme import RESULTS, store
from mer_tf.reporting.run_files import read_run
from mer_tf.run_directory import finished_run
from mer_tf.runner import declared

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
Published = tuple[Sequence[Path], Sequence[Path]]
"""Files of docs/ that now hold a result, and env.json of the runs that it is made of."""
Changes = Mapping[str, Any]
"""Dotted setting -> value."""
ONEDNN = "TF_ENABLE_ONEDNN_OPTS="


@dataclass(frozen=True)
class Piece:
    """A shown result."""

    name: str
    record: Path
    """Its record (`mer_tf.reporting.made`)."""
    lines: tuple[str, ...]
    """Commands that make it; WORK is the work folder."""
    publish: Callable[[Piece, Path], Published]
    """Store in docs/ what was made in the work folder."""
    minutes: int
    """On two cores, about."""
    scripts: tuple[str, ...] = ()
    """Experiments that are run, all with these `changes`."""
    changes: Changes = field(default_factory=dict)
    rows: Settings = field(default_factory=dict)
    """What rows of a table change in turn; of what is no experiment, its settings."""
    counts: tuple[str, ...] = tuple(CODE)
    """Code versions that it depends on."""

    def settings(self) -> Settings:
        """All that is declared now."""
        whole = {name: flat(dataclasses.asdict(self.experiment(name))) for name in self.scripts}
        return {**whole, **self.rows}

    def experiment(self, script: str, home: Path | None = None) -> Experiment:
        """One of its experiments, with its runs and its cache in `home`."""
        places = {"out": str(home / "runs"), "data.cache": str(home / "data")} if home else {}
        return _declared(script, "embedded", {**self.changes, **places})


def home(line: str, work: Path) -> Path:
    """Where a line has its runs and its cache: apart where it sets oneDNN, which computes faces and features too."""
    return work / "variation" / f"onednn-{line[len(ONEDNN)]}" if line.startswith(ONEDNN) else work


def _declared(script: str, preset: Preset | None, changes: Changes = MappingProxyType({})) -> Experiment:
    return declared(ROOT / "experiments" / f"{script}.py", preset, changes)


def _line(script: str, changes: Changes, options: str = "") -> str:
    return " ".join([f"python experiments/{script}.py{options}", *(f"--{k} {v}" for k, v in changes.items())])


def _words(changes: Changes) -> str:
    return " ".join(f"{k}={v}" for k, v in changes.items())


def _finished(piece: Piece, home: Path) -> Path:
    """The finished run of a piece of one experiment."""
    experiment = piece.experiment(piece.scripts[0], home)
    found = finished_run(experiment)
    if found is None:
        raise MerError(f"{experiment.out}: has no finished run of {experiment.name}; make the piece again")
    return found


def _copied(source: Path, name: str) -> Path:
    target = DOCS / name
    target.parent.mkdir(exist_ok=True)
    shutil.copyfile(source, target)
    return target


def run_piece(script: str, minutes: int, changes: Changes = MappingProxyType({})) -> Piece:
    """A row of the results table."""
    name = "-".join([script, *(f"{k}-{v}" for k, v in changes.items())])
    record = DOCS / "results" / name / NAME
    return Piece(name, record, (_line(script, changes),), _publish_run, minutes, (script,), changes)


def _publish_run(piece: Piece, work: Path) -> Published:
    directory = _finished(piece, work)
    folder = store(read_run(directory), ROOT / RESULTS, _declared)
    files = sorted(path for path in folder.iterdir() if path.name != NAME)
    if piece.name == "exp2_vggface_lstm":
        files.append(_copied(directory / "confusion.png", "confusion.png"))
    return files, [directory / "env.json"]


def _contact_sheet() -> Piece:
    line = "mer-tf synth --out WORK/contact_sheet --subjects 1 --preview WORK/contact_sheet.jpg"
    rows = {"mer-tf synth": {"data.subjects": 1, "data.seed": 0}}
    record = DOCS / f"contact_sheet.{NAME}"
    return Piece("contact_sheet", record, (line,), _publish_sheet, 1, rows=rows, counts=("pixels",))


def _publish_sheet(piece: Piece, work: Path) -> Published:
    return [_copied(work / "contact_sheet.jpg", "contact_sheet.jpg")], []


def _ladder() -> Piece:
    script, changes = "exp2_vggface_lstm", {"clip.stride": 5, "clip.non_micro_stride": 5}
    options = f"--inner-folds 2 --out WORK/ladder --changes data.cache=WORK/data {_words(changes)}"
    line = f"mer-tf ladder experiments/{script}.py {options}"
    return Piece("ladder", DOCS / f"ladder.{NAME}", (line,), _publish_ladder, 20, (script,), changes)


def _publish_ladder(piece: Piece, work: Path) -> Published:
    table = _copied(work / "ladder" / "ladder.csv", "ladder.csv")
    return [table, draw_ladder(table)], [work / "ladder" / "env.json"]


def draw_ladder(table: Path) -> Path:
    """ladder.png from ladder.csv beside it."""
    rungs = pd.read_csv(table, keep_default_na=False)
    return ladder_png(rungs, "exp2_vggface_lstm: what each leak buys", table.with_suffix(".png"))


def _sensitivity() -> Piece:
    scripts, changes = ("exp1_vggface_frames", "exp2_vggface_lstm"), {"data.subjects": 8, "evaluation.folds": 4}
    named = " ".join(f"experiments/{script}.py" for script in scripts)
    options = f"--amplitudes 0 1 2 3 4 --steps 1 4 --changes data.cache=WORK/data {_words(changes)}"
    line = f"mer-tf sensitivity {named} --out WORK/sensitivity {options}"
    return Piece("sensitivity", DOCS / f"sensitivity.{NAME}", (line,), _publish_sensitivity, 30, scripts, changes)


def _publish_sensitivity(piece: Piece, work: Path) -> Published:
    table = _copied(work / "sensitivity" / "curve.csv", "sensitivity.csv")
    return [table, draw_sensitivity(table)], sorted((work / "sensitivity").rglob("env.json"))


def draw_sensitivity(table: Path) -> Path:
    """sensitivity.png from sensitivity.csv beside it."""
    curve = pd.read_csv(table)
    return sensitivity_png(curve, halfways(curve), table.with_suffix(".png"))


def variation() -> Piece:
    script, changes = "exp2_vggface_lstm", {"evaluation.seeds": 5}
    lines = tuple(f"{ONEDNN}{on} {_line(script, changes)}" for on in (0, 1))
    return Piece("variation", DOCS / f"variation.{NAME}", lines, _publish_variation, 30, (script,), changes)


def _publish_variation(piece: Piece, work: Path) -> Published:
    """A row for each training seed and setting of oneDNN."""
    rows: list[dict[str, Any]] = []
    runs = [_finished(piece, home(line, work)) for line in piece.lines]
    for run in runs:
        machine = read_json(run / "env.json")
        for seed, frame in by_seed(read_predictions(run / "predictions.csv")):
            values = scores(confusion(frame, class_names(frame)))
            told = {"processor": machine["processor"], "onednn": machine["onednn"], "seed": seed}
            rows.append(told | dict(zip(SCORES, values.round(4), strict=True)))
    table = write_csv(pd.DataFrame(rows), DOCS / "variation.csv")
    return [table], [run / "env.json" for run in runs]


def _exp7(
    name: str, minutes: int, columns: str = "", systems: str = "", changes: Changes = MappingProxyType({})
) -> Piece:
    """A table of exp7: all of it, or some columns and systems."""
    script, options = "exp7_baselines", ""
    declares = runpy.run_path(str(ROOT / "experiments" / f"{script}.py"))["DRAWN"]
    rows = {**declares.columns, **declares.rows}
    rows = {name: row for name, row in rows.items() if name.removeprefix("E/") not in JOINED}
    if columns:
        options = f" --columns {columns} --systems {systems}"
        rows = {name: rows[name] for name in (*columns.split(","), *(f"E/{s}" for s in systems.split(",")))}
    rows |= {k: v for k, v in declares.cells.items() if {k.rpartition("/")[0], k.rpartition("/")[2]} <= rows.keys()}
    lines = (_line(script, changes, options),)
    return Piece(name, DOCS / "tables" / f"{name}.{NAME}", lines, _publish_exp7, minutes, (script,), changes, rows)


def _publish_exp7(piece: Piece, work: Path) -> Published:
    folder = work / "runs" / "exp7_baselines-table"
    table = _copied(folder / "baselines.txt", f"tables/{piece.name}.txt")
    return [table], sorted(folder.rglob("env.json"))


def _paper(name: str, script: str, minutes: int, seeds: int, columns: str = "") -> Piece:
    """Tables of a paper on look-alikes of 8 subjects, by 4 folds and several seeds; of all or some columns."""
    declares: Tables = runpy.run_path(str(ROOT / "experiments" / f"{script}.py"))["TABLES"]
    wanted = columns.split(",") if columns else list(declares.columns)
    rows: dict[str, Changes] = {key: {**row, **declares.small.get(key, {})} for key, row in declares.rows.items()}
    rows |= {column: declares.columns[column] for column in wanted}
    rows |= {key: cell for key, cell in declares.cells.items() if key.rpartition("/")[2] in wanted}
    changes = {"data.subjects": 8, "evaluation.folds": 4, "evaluation.seeds": seeds}
    lines = (_line(script, changes, " tables" + (f" --columns {columns}" if columns else "")),)
    return Piece(name, DOCS / "tables" / f"{name}.{NAME}", lines, _publish_paper, minutes, (script,), changes, rows)


def _publish_paper(piece: Piece, work: Path) -> Published:
    folder = work / "runs" / f"{piece.scripts[0]}-tables"
    written = [folder / name for name in ("tables.txt", "tables.csv", "orderings.csv", "heat.csv")]
    files = [_copied(path, f"tables/{piece.name}{_end(path)}") for path in written if path.exists()]
    return files, sorted(folder.rglob("env.json"))


def _end(path: Path) -> str:
    return path.suffix if path.stem == "tables" else f"_{path.name}"


def _exp8(name: str, minutes: int, methods: Sequence[str], changes: Changes) -> Piece:
    """Rows of the composite in one table."""
    script = "exp8_megc2019"
    declares = runpy.run_path(str(ROOT / "experiments" / f"{script}.py"))["EMBEDDED_METHODS"]
    rows = {method: declares[method] for method in methods}
    lines = (_line(script, changes, f" --methods '{','.join(methods)}'"),)
    return Piece(name, DOCS / "tables" / f"{name}.{NAME}", lines, _publish_exp8, minutes, (script,), changes, rows)


def _publish_exp8(piece: Piece, work: Path) -> Published:
    run = _finished(piece, work)
    return [_copied(run / "results.txt", f"tables/{piece.name}.txt")], [run / "env.json"]


JOINED: tuple[str, ...] = ("higo", "gaussian_jet_lbp", "emm_lbp_top", "emm_higo", "strcn_g", "strcn_a", "frame_cnn")
JOINED += ("cnn_lstm_states",)
"""Systems of exp7 that came after its table was stored: none, once it is made again."""
SMALL_SYSTEMS = (
    "majority,subject_identity,onset_frame,flow_logistic,lbp_top,lbp_sip,lbp_mop,stlbp_ip,stclqp,fdm,mdmo,hoof,bi_woof,"
    "off_apexnet,ststnet,rcn"
)
STILL = {"data.amplitude": 0}
AUTHORS_OF_STSTNET = {
    "data.subjects": 68,
    "train.epochs": 800,
    "train.batch_size": 256,
    "train.learning_rate": 5e-5,
}
ALL_OF_EXP8 = (
    "majority",
    "subject identity",
    "logistic regression",
    "recommended",
    "pixel kernel",
    "au-flow-3 zero-shot",
    "au-flow-4 zero-shot",
    "au-flow-4 fine-tuned",
    "STSTNet",
    "OFF-ApexNet",
    "RCN-A",
)
"""The rows of flow images that are ready-made, but HTNet's, which wants a GPU."""
PIECES = {
    piece.name: piece
    for piece in (
        _contact_sheet(),
        run_piece("exp2_vggface_lstm", 4),
        run_piece("exp2_vggface_lstm", 5, STILL),
        run_piece("exp1_vggface_frames", 2),
        run_piece("exp3_vggface_bilstm", 3),
        run_piece("exp4_cnn_lstm_fusion", 6),
        run_piece("exp4_cnn_lstm_fusion", 8, STILL),
        run_piece("exp5_attention_lstm", 4),
        run_piece("exp5_attention_lstm", 5, STILL),
        run_piece("exp6_gia_bia_bilstm", 3),
        run_piece("exp6_gia_bia_bilstm", 4, STILL),
        variation(),
        _ladder(),
        _sensitivity(),
        _paper("paper_a", "exp4_cnn_lstm_fusion", 90, 3),
        _paper("paper_b", "exp5_attention_lstm", 40, 3, "CASMEII5,SMIC"),
        _paper("paper_c", "exp2_vggface_lstm", 20, 5),
        _paper("paper_d", "exp6_gia_bia_bilstm", 60, 3, "CASMEII5"),
        _exp7("exp7_five_folds", 70),
        _exp7("exp7_loso_smic", 40, "SMIC", SMALL_SYSTEMS, {"evaluation.split": "loso"}),
        _exp8("exp8_68_subjects_800_epochs", 45, ("majority", "logistic regression", "STSTNet"), AUTHORS_OF_STSTNET),
        _exp8("exp8_all_rows", 10, ALL_OF_EXP8, {"data.subjects": 16}),
    )
}
