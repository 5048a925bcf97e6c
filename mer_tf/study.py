"""What a script of experiments/ declares, and its commands: typed options, and what each command does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro
from tyro.constructors import PrimitiveConstructorSpec

from mer_tf.cached import cache_folder
from mer_tf.changes import NAME, changed, fitting, read_experiment
from mer_tf.check import check, check_all
from mer_tf.config import Data, Experiment, MerError, Preset, Tables, preset_of
from mer_tf.datasets import FLOW_IMAGES, FOLDERS
from mer_tf.datasets.labels import FROM_DATA
from mer_tf.locks import held
from mer_tf.model import models
from mer_tf.names import unknown
from mer_tf.ranges import Range
from mer_tf.runner import open_bench, run, run_alone

if TYPE_CHECKING:
    from mer_tf.datasets.adapters.listing import Listing

Grid = Mapping[str, Sequence[Any]]
Methods = Mapping[str, Mapping[str, Any]]
"""Name -> dotted settings."""


@dataclass(frozen=True)
class Study:
    """A published experiment, its small version for look-alikes, and what else is run with it."""

    paper: Experiment
    """With the settings that the paper prints, and full ones where it is silent."""
    small: Experiment
    sweep: Grid = field(default_factory=dict)
    """Dotted name of a setting -> its values; every combination is a run."""
    tables: Tables | None = None
    """The tables that the paper prints, or that test what it claims."""
    counts: Methods = field(default_factory=dict)
    """Printed numbers of frames and windows, by key (`mer_tf.protocols.training_counts`) -> settings."""
    baselines: Mapping[Preset, Tables] = field(default_factory=dict)
    """Systems, with full and with small settings, that go into one table."""
    methods: Mapping[Preset, Methods] = field(default_factory=dict)
    """Methods, again of both, on the same folds of one composite."""

    @property
    def systems(self) -> list[str]:
        """Names of the models in all tables and among the methods."""
        tables = [*self.baselines.values(), *filter(None, [self.tables])]
        rows = [row for many in (*self.methods.values(), *(one.rows for one in tables)) for row in many.values()]
        return list(dict.fromkeys(row[NAME] for row in rows if NAME in row))


def _words(made: Any, metavar: str) -> Any:
    """How tyro reads one word with commas."""
    return PrimitiveConstructorSpec(
        nargs=1,
        metavar=metavar,
        instance_from_str=lambda words: made(words[0]),
        is_instance=lambda value: value is None or isinstance(value, tuple),
        str_from_instance=lambda value: ["all" if value is None else ",".join(map(str, value)) or "none"],
    )


def _numbers(word: str) -> tuple[int, ...]:
    if word == "none":
        return ()
    if not all(part.isdigit() for part in word.split(",")):
        raise ValueError(f"{word}: give numbers, as 3 or 0,2, or none to prepare the data alone")
    return tuple(int(part) for part in word.split(","))


Names = Annotated[tuple[str, ...] | None, _words(lambda word: tuple(word.split(",")), "A,B")]
Folds = Annotated[tuple[int, ...] | None, _words(_numbers, "3|0,2|none")]

PRESET = """paper or embedded: settings after the paper (docs/papers.md) or small ones. By itself paper for real data
    (--data.root, --data.manifests, --root.COLUMN), else embedded."""
FOLDS = "Train these folds alone, as 3 or 0,2; none: prepare the data alone. `mer-tf collect RUN` joins them."
WORKERS = "Cores to keep busy, by drawing and preprocessing; without it all."
FINAL = "Also train final/, on all clips."
ROOT = "Folder of this column's data set; with any, the columns alone that have one are run."


def _help(text: str) -> Any:
    """What --help says of an option."""
    return tyro.conf.arg(help=" ".join(text.split()))


@dataclass(frozen=True)
class Command:
    """Options that every command has."""

    settings: Annotated[Experiment, tyro.conf.arg(name="")]
    preset: Annotated[Preset | None, _help(PRESET)] = None
    workers: Annotated[Annotated[int, Range(1, 1024)] | None, _help(WORKERS)] = None

    def chosen(self, study: Study, changes: Mapping[str, Any], real: Data | None = None) -> tuple[Experiment, Preset]:
        """The declaration that is asked for with the command line's changes, and which it is. `real`: data of columns.

        Settings of other systems' models are left out. A recipe (`--preprocess.recipe NAME`) stands for all its
        settings, which further changes change.
        """
        model = changes.get(NAME, study.paper.model.name)
        changes = own_data(fitting(changes, model) if model in models() else changes)
        preset = self.preset or preset_of(real or changed(study.paper, changes).data)
        base = study.paper if preset == "paper" else study.small
        if "preprocess.recipe" not in changes:
            return changed(base, changes), preset
        from mer_tf.preprocessing.recipes import load_recipe, named

        recipe = load_recipe(changes["preprocess.recipe"]).preprocess
        chosen = changed(replace(base, preprocess=recipe), changes)
        return replace(chosen, preprocess=named(chosen.preprocess)), preset

    def start(self, study: Study, changes: Mapping[str, Any]) -> str:
        """Do it; returns what is printed at the end."""
        raise NotImplementedError


@dataclass(frozen=True)
class Run(Command):
    """Train and test every fold; the last line names the run's directory."""

    resume: Annotated[Path | None, _help("Go on with this stopped run, by its own settings.")] = None
    folds: Annotated[Folds, _help(FOLDS)] = None
    final: Annotated[bool, _help(FINAL)] = False

    def start(self, study: Study, changes: Mapping[str, Any]) -> str:
        chosen = _resumed(self.resume, changes) if self.resume else self.chosen(study, changes)[0]
        directory = run(chosen, self.resume, self.folds, final=self.final)
        results = directory / "results.txt"
        said = results.read_text(encoding="utf-8") if results.exists() else None
        joins = f"`mer-tf collect {directory}` joins the folds when all are trained"
        return f"{said or joins}\nrun directory: {directory}"


@dataclass(frozen=True)
class Composite(Command):
    """Run every method on the same folds of one composite, into one table; the last line names the run's directory."""

    resume: Annotated[Path | None, _help("Go on with this stopped run, by its own settings.")] = None
    methods: Annotated[Names, _help("Run these methods alone, as STSTNet,HTNet.")] = None

    def start(self, study: Study, changes: Mapping[str, Any]) -> str:
        chosen, preset = self.chosen(study, changes)
        if self.resume:
            chosen = _resumed(self.resume, changes)
        declared = study.methods[preset]
        rows = among("--methods", self.methods, {**study.methods["paper"], **declared} if self.methods else declared)
        rows = {name: {**row, **fitting(changes, row.get(NAME, chosen.model.name))} for name, row in rows.items()}
        listings = check_all([chosen, *(changed(chosen, row) for row in rows.values())], composite=True)
        if self.methods:
            _refuse_unseen(rows, chosen.data, listings)
        from mer_tf.protocols.composite import composite  # brings Keras
        from mer_tf.protocols.self_test import before_training
        from mer_tf.run_directory import open_run, preparing

        directory = open_run(chosen, self.resume)
        with held(directory):
            with preparing(directory, resumed=self.resume is not None):
                bench, clips = open_bench(chosen, directory, listings[chosen.data])
            before_training(chosen, clips, bench, directory)
            text = composite(chosen, rows, clips, bench.encoded, directory)
        return f"{text}\nrun directory: {directory}"


@dataclass(frozen=True)
class Sweep(Command):
    """Run every combination of the declared grid, a search; finished runs are kept."""

    def start(self, study: Study, changes: Mapping[str, Any]) -> str:
        from mer_tf.protocols.sweep import combinations, sweep, sweep_text

        chosen, _ = self.chosen(study, changes)
        directory = Path(chosen.out) / f"{chosen.name}-sweep"
        check_all(one for _, one in combinations(chosen, study.sweep, directory))
        return f"{sweep_text(sweep(chosen, study.sweep, directory, run_alone))}\nsweep directory: {directory}"


@dataclass(frozen=True)
class Counts(Command):
    """Count frames and windows by class, before and after augmentation, beside those printed; trains nothing."""

    def start(self, study: Study, changes: Mapping[str, Any]) -> str:
        """The counts under the settings after the paper, of the data that are given or else of a look-alike."""
        chosen, _ = (replace(self, preset="paper") if self.preset is None else self).chosen(study, changes)
        weightless = {"model.weights": "random"} if hasattr(chosen.model, "weights") else {}  # none is asked for here
        listing = check(changed(chosen, weightless))
        from mer_tf.inputs.clips import data_rows
        from mer_tf.protocols.training_counts import training_counts

        return training_counts(chosen, study.counts, data_rows(chosen.data, cache_folder(chosen.data.cache), listing))


@dataclass(frozen=True)
class PaperTables(Command):
    """Run every row of the paper's tables, and print what was printed beside; finished runs are kept."""

    root: Annotated[dict[str, str], _help(ROOT)] = field(default_factory=dict)
    columns: Annotated[Names, _help("Run these columns alone, separated by commas.")] = None

    def start(self, study: Study, changes: Mapping[str, Any]) -> str:
        assert study.tables is not None
        chosen, preset = self.of_columns(study, changes)
        small = study.tables.small if preset == "embedded" else {}
        rows = given({key: {**row, **small.get(key, {})} for key, row in study.tables.rows.items()}, changes)
        tables = replace(study.tables, rows=rows, columns=self.wanted(study.tables.columns))
        directory = Path(chosen.out) / f"{chosen.name}-tables"
        _check_cells(chosen, tables, directory)
        from mer_tf.protocols.paper_tables import paper_tables

        paper_tables(chosen, tables, directory, run_alone)
        return f"{(directory / 'tables.txt').read_text(encoding='utf-8')}\ntables directory: {directory}"

    def of_columns(self, study: Study, changes: Mapping[str, Any]) -> tuple[Experiment, Preset]:
        """As `chosen`; folders of columns are real data."""
        given = next(filter(None, self.root.values()), None)
        return self.chosen(study, changes, Data(root=given) if given else None)

    def wanted(self, columns: Methods) -> Methods:
        """The columns whose data are given, or all; of them those that are named."""
        rooted = {name: {**columns[name], "data.root": root} for name, root in self.root.items() if root}
        return among("--columns", self.columns, rooted or columns)


@dataclass(frozen=True)
class Baselines(PaperTables):
    """Run every system in every data set, into one table; finished runs are kept."""

    systems: Annotated[Names, _help("Run these systems alone, as lbp_top,mdmo.")] = None

    def start(self, study: Study, changes: Mapping[str, Any]) -> str:
        chosen, preset = self.of_columns(study, changes)
        declared = study.baselines[preset]
        known = {row.rpartition("/")[2]: row for row in declared.rows}
        rows = {row: declared.rows[row] for row in among("--systems", self.systems, known).values()}
        tables = replace(declared, rows=given(rows, changes), columns=self.wanted(declared.columns))
        directory = Path(chosen.out) / f"{chosen.name}-table"
        _check_cells(chosen, tables, directory)
        from mer_tf.protocols.baseline_table import baseline_table

        baseline_table(chosen, tables, directory, run_alone)
        return f"{(directory / 'baselines.txt').read_text(encoding='utf-8')}\ntable directory: {directory}"


def own_data(changes: Mapping[str, Any]) -> dict[str, Any]:
    """The changes; of folders of your own each label is a class where no protocol is named, and nothing is printed."""
    own = {"data.label_protocol": FROM_DATA, "published": ()} if changes.get("data.dataset") == FOLDERS else {}
    return own | dict(changes)


def among(option: str, wanted: Sequence[str] | None, known: Mapping[str, Any]) -> dict[str, Any]:
    """Of `known` those named by an option, or all; `MerError` for a name that is not there."""
    for name in wanted or ():
        if name not in known:
            raise MerError(f"{option}: {unknown('name', name, known)}")
    return {name: known[name] for name in (wanted or known)}


def _refuse_unseen(rows: Methods, data: Data, listings: Mapping[Data, Listing | None]) -> None:
    """`MerError` for a row that was named and needs onset frames, where clips are ready-made flow images."""
    unseen = [name for name, row in rows.items() if row.get(NAME) == "onset_frame"]
    if not unseen:
        return
    listing = listings[data]
    if data.dataset == FLOW_IMAGES if listing is None else all(row.image for row in listing.rows):
        raise MerError(
            f"--methods {unseen[0]}: each clip here is one ready-made flow image, whose onset frame is not there; "
            "leave it out, or give the folders of frames with --data.dataset megc2019 --data.root DIR"
        )


def _resumed(directory: Path, changes: Mapping[str, Any]) -> Experiment:
    return changed(read_experiment(directory / "config.json"), changes)


def given(rows: Methods, changes: Mapping[str, Any]) -> Methods:
    """The rows of other models with what is given for these; what a row declares itself stays."""
    return {key: {**fitting(changes, row[NAME]), **row} if NAME in row else row for key, row in rows.items()}


def _check_cells(experiment: Experiment, tables: Tables, directory: Path) -> None:
    from mer_tf.protocols.paper_tables import cell_settings

    check_all(cell_settings(experiment, tables, directory).values())
