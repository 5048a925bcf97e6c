"""Command line of the scripts in experiments/: one experiment, or its sweep, tables, baselines or methods."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from mer_tf.config import Experiment, MerError, Tables
from mer_tf.errors import one_line_errors
from mer_tf.overrides import override, read_experiment
from mer_tf.runner import open_bench, run

log = logging.getLogger("mer_tf")
Grid = Mapping[str, Sequence[Any]]
Methods = Mapping[str, Mapping[str, Any]]
"""Name -> dotted settings."""
STOPPED = "stopped; the same command goes on with the records and features made so far, --resume RUN with the folds"


def main(
    experiment: Experiment,
    embedded: Experiment | None = None,
    grid: Grid | None = None,
    arguments: Sequence[str] | None = None,
    tables: Tables | None = None,
    baselines: tuple[Tables, Tables] | None = None,
    composite: tuple[Methods, Methods] | None = None,
) -> None:
    """Entry of every script in experiments/. `embedded` is used instead when no data root is given.

    `--preset paper|embedded` chooses between the two declarations, `--resume RUN` goes on with a stopped run,
    `--sweep` runs every combination of `grid`, a field's dotted name -> its values, and `--tables` the paper's tables,
    on look-alikes or on the data sets given as `--root.COLUMN DIR`; `--columns SMIC,SAMM` runs some. `--folds 3` trains
    that fold alone. `baselines` are the systems, of the paper's preset and of the embedded one, that a script of many
    runs one after the other unless `--model.name` chooses one of them; `--systems lbp_top,mdmo` runs some. `composite`
    are methods, again of both presets, on the same folds of one composite; `--methods STSTNet,HTNet` runs some.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with one_line_errors(STOPPED):
        given = list(sys.argv[1:] if arguments is None else arguments)
        if "--tables" in given:
            _tables(experiment, embedded, tables, [a for a in given if a != "--tables"])
            return
        if baselines and not any(a.split("=")[0] in ("--model.name", "--resume") for a in given):
            _baselines(experiment, embedded, baselines, given)
            return
        if composite:
            _composite(experiment, embedded, composite, given)
            return
        folds = _fold_numbers(_take(given, "--folds"))
        sweeping = "--sweep" in given
        chosen, resume = _choose(experiment, embedded, [a for a in given if a != "--sweep"])
        if sweeping:
            _sweep(chosen, grid)
            return
        directory = run(chosen, resume, folds)
        print(_outcome(directory))
        print(f"run directory: {directory}")


def _sweep(experiment: Experiment, grid: Grid | None) -> None:
    from mer_tf.protocols.sweep import sweep, sweep_text

    if not grid:
        raise MerError(f"{experiment.name} declares no grid to sweep")
    directory = Path(experiment.out) / f"{experiment.name}-sweep"
    print(sweep_text(sweep(experiment, grid, directory, run)))
    print(f"sweep directory: {directory}")


def _tables(experiment: Experiment, embedded: Experiment | None, tables: Tables | None, arguments: list[str]) -> None:
    """Tables of the columns whose data are given, by the paper's settings; of all columns on look-alikes if none is."""
    from mer_tf.protocols.paper_tables import paper_tables

    if tables is None:
        raise MerError(f"{experiment.name} declares no tables")
    tables = _wanted_columns(tables, arguments)
    chosen, _ = _choose(experiment, embedded, arguments)
    directory = Path(chosen.out) / f"{chosen.name}-tables"
    paper_tables(chosen, tables, directory, run)
    print((directory / "tables.txt").read_text(encoding="utf-8"))
    print(f"tables directory: {directory}")


def _baselines(
    experiment: Experiment, embedded: Experiment | None, declared: tuple[Tables, Tables], arguments: list[str]
) -> None:
    """The table of all systems, or of `--systems`, on the data sets that are given or else on look-alikes."""
    from mer_tf.protocols.baseline_table import baseline_table, chosen_systems

    wanted, columns = _take(arguments, "--systems"), _wanted_columns(declared[0], arguments).columns
    preset = _take(arguments, "--preset") or "embedded"
    chosen, _ = _choose(experiment, embedded, [f"--preset={preset}", *arguments])
    tables = replace(declared[1 if preset == "embedded" else 0], columns=columns)
    directory = Path(chosen.out) / f"{chosen.name}-table"
    baseline_table(chosen, chosen_systems(tables, wanted), directory, run)
    print((directory / "baselines.txt").read_text(encoding="utf-8"))
    print(f"table directory: {directory}")


def _composite(
    experiment: Experiment, embedded: Experiment | None, methods: tuple[Methods, Methods], arguments: list[str]
) -> None:
    """The methods of the paper's preset or of the embedded one, or those named by `--methods`, on one set of folds."""
    from mer_tf.protocols.composite import chosen_methods, composite
    from mer_tf.protocols.self_test import before_training
    from mer_tf.run_directory import open_run

    wanted = _take(arguments, "--methods")
    chosen, resume = _choose(experiment, embedded, arguments)
    declared = methods[0 if chosen.data.root else 1]
    directory = open_run(chosen, resume)
    bench, clips = open_bench(chosen, directory)
    before_training(chosen, clips, bench, directory)
    rows = chosen_methods(methods[0], declared, wanted)
    print(composite(chosen, rows, clips, bench.encoded, directory, arguments))
    print(f"run directory: {directory}")


def _wanted_columns(tables: Tables, arguments: list[str]) -> Tables:
    """`tables` with the columns whose data are given, with those named by `--columns`, or with all."""
    named, rooted = _take(arguments, "--columns"), _rooted(tables, arguments)
    columns = rooted or dict(tables.columns)
    wanted = named.split(",") if named else list(columns)
    if unknown := [name for name in wanted if name not in columns]:
        raise MerError(f"--columns {','.join(unknown)}: choose from {', '.join(columns)}")
    return replace(tables, columns={name: columns[name] for name in wanted})


def _rooted(tables: Tables, arguments: list[str]) -> dict[str, Mapping[str, Any]]:
    """The columns whose data are given as `--root.COLUMN DIR`, which imply the paper's settings; the options go."""
    roots = {name: root for name in tables.columns if (root := _take(arguments, f"--root.{name}"))}
    if roots and not any(a.startswith("--preset") for a in arguments):
        arguments.insert(0, "--preset=paper")
    return {name: {**tables.columns[name], "data.root": root} for name, root in roots.items()}


def _choose(
    experiment: Experiment, embedded: Experiment | None, arguments: list[str]
) -> tuple[Experiment, Path | None]:
    """Declaration, with the command line's changes, and the run to resume."""
    resume, preset = _take(arguments, "--resume"), _take(arguments, "--preset")
    if resume is not None:
        return override(read_experiment(Path(resume) / "config.json"), arguments), Path(resume)
    presets = {"paper": experiment, "embedded": embedded or experiment}
    if preset is None:
        preset = "paper" if any(a.split("=")[0] == "--data.root" for a in arguments) else "embedded"
    if preset not in presets:
        raise MerError(f"--preset {preset}: choose paper or embedded")
    return _with_recipe(presets[preset], arguments), None


def _with_recipe(experiment: Experiment, arguments: Sequence[str]) -> Experiment:
    """The experiment with what the arguments say; `--preprocess.recipe NAME` stands for all settings of a recipe."""
    name = _take(list(arguments), "--preprocess.recipe")
    if name is None:
        return override(experiment, arguments)
    from mer_tf.preprocessing.recipes import load_recipe, named

    chosen = override(replace(experiment, preprocess=load_recipe(name).preprocess), arguments)
    return replace(chosen, preprocess=named(chosen.preprocess))


def _take(arguments: list[str], name: str) -> str | None:
    """Remove `--name VALUE` or `--name=VALUE` from the arguments; return VALUE."""
    for position, argument in enumerate(arguments):
        if argument == name:
            if position + 1 == len(arguments):
                raise MerError(f"{name} needs a value")
            del arguments[position]
            return arguments.pop(position)
        if argument.startswith(f"{name}="):
            return arguments.pop(position).partition("=")[2]
    return None


def _outcome(directory: Path) -> str:
    results = directory / "results.txt"
    if results.exists():
        return results.read_text(encoding="utf-8")
    return f"`mer-tf collect {directory}` joins the folds when all are trained"


def _fold_numbers(text: str | None) -> list[int] | None:
    """Folds of `--folds 3`, `--folds 0,2` or `--folds none`; None where the option was not given."""
    if text is None or text == "none":
        return None if text is None else []
    if not all(part.isdigit() for part in text.split(",")):
        raise MerError(f"--folds {text}: give numbers, as 3 or 0,2, or none to prepare the data alone")
    return [int(part) for part in text.split(",")]
