"""Command line of the scripts in experiments/: the commands of one study, `run` when none is named."""

from __future__ import annotations

import dataclasses
import operator
import sys
import typing
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import tyro

from mer_tf.au_flow.settings import Options
from mer_tf.changes import field_names
from mer_tf.check import check
from mer_tf.commands import overview, pick, summary
from mer_tf.config import Experiment
from mer_tf.errors import one_line_errors, refuse_addresses
from mer_tf.overrides import apart, named, with_model
from mer_tf.parallel import use_workers
from mer_tf.quiet import quiet_tensorflow
from mer_tf.ranges import check_ranges
from mer_tf.study import Baselines, Command, Composite, Counts, PaperTables, Run, Study, Sweep

if TYPE_CHECKING:
    from mer_tf.video.comparison import Options as SpottingOptions

Given = TypeVar("Given")
STOPPED = "stopped; the same command goes on with the records and features made so far, --resume RUN with the folds"


def main(study: Study, arguments: Sequence[str] | None = None) -> None:
    """Entry of the scripts in experiments/ that train on clips."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    prog, commands = f"python {sys.argv[0]}", commands_of(study)
    with plain_endings():
        refuse_addresses(given)
        name, rest = pick(prog, commands, as_words(given), default_command(study, given))
        if not name:
            print(help_text(study, prog))
            return
        command, changes = read_command(commands[name], f"{prog} {name}", rest, study.systems)
        if command.workers:
            use_workers(command.workers)
        print(command.start(study, changes))


def pretrain_main(options: Options, sequence: Experiment, arguments: Sequence[str] | None = None) -> None:
    """Entry of the script that pretrains: its command line changes `options`.

    `sequence`: the network over flow stacks and the look-alike on which --sequence measures it.
    """
    with plain_endings():
        given = _changed(options, arguments)
        if given.sequence:
            check(sequence)
        from mer_tf.au_flow.dictionaries import make_dictionaries  # brings Keras
        from mer_tf.au_flow.train import measure_saving, pretrain

        if given.patches:
            print(make_dictionaries(given))
            return
        print(measure_saving(given, sequence) if given.sequence else pretrain(given))


def spotting_main(options: SpottingOptions, arguments: Sequence[str] | None = None) -> None:
    """Entry of the script that compares spotters: its command line changes `options`."""
    with plain_endings():
        given = _changed(options, arguments, use_underscores=True)
        from mer_tf.video.side_by_side import compare

        print(compare(given))


def _changed(options: Given, arguments: Sequence[str] | None, *, use_underscores: bool = False) -> Given:
    """The options of a script that is no study, as its command line changes them; its docstring heads the help."""
    about = (sys.modules["__main__"].__doc__ or "").partition("\n\npython ")[0]  # tyro would join the examples
    given = tyro.cli(type(options), default=options, description=about, args=arguments, use_underscores=use_underscores)
    check_ranges(given, "--")
    return given


@contextmanager
def plain_endings() -> Iterator[None]:
    """Bad input ends with one clear line and exit status 1, Ctrl-C with what to do next."""
    quiet_tensorflow()
    with one_line_errors(STOPPED):
        yield


def read_command(
    command: Command, prog: str, words: Sequence[str], systems: Collection[str] = ()
) -> tuple[Command, dict[str, Any]]:
    """The command with its options as the words say, and the settings that they change.

    `systems`: models whose settings may be given too, where the command runs several.
    """
    others: dict[str, Any] = {}
    if isinstance(command, PaperTables | Composite):
        words, others = apart(words, command.settings, systems)
    read = tyro.cli(
        type(command),
        default=dataclasses.replace(command, settings=with_model(command.settings, words)),
        prog=prog,
        args=words,
        use_underscores=True,  # as config.json and the README write settings
        config=(tyro.conf.FlagConversionOff,),  # --train.jit_compile False, as every other setting
    )
    return read, {name: operator.attrgetter(name)(read.settings) for name in named(words, read.settings)} | others


def commands_of(study: Study) -> dict[str, Command]:
    """The commands that the study has, with their defaults."""
    found: dict[str, Command] = {"run": (Composite if study.methods else Run)(study.small)}
    if study.baselines:
        found["baselines"] = Baselines(study.small, root=dict.fromkeys(study.baselines["paper"].columns, ""))
    if study.sweep:
        found["sweep"] = Sweep(study.small)
    if study.counts:
        found["counts"] = Counts(study.small)
    if study.tables:
        found["tables"] = PaperTables(study.small, root=dict.fromkeys(study.tables.columns, ""))
    return found


def default_command(study: Study, given: Sequence[str]) -> str:
    """`run`; a script of many systems runs their table, unless one is chosen or a run resumed."""
    one = any(word.partition("=")[0] in ("--model.name", "--resume") for word in given)
    return "baselines" if study.baselines and not one else "run"


def as_words(given: Sequence[str]) -> list[str]:
    """The arguments, with --sweep and --tables, as these commands were once spelt, as the first word."""
    old = [word.removeprefix("--") for word in given if word in ("--sweep", "--tables")]
    return [*old[:1], *(word for word in given if word not in ("--sweep", "--tables"))]


def help_text(study: Study, prog: str) -> str:
    """What the script is, its commands, their options, and the names of its settings."""
    about = getattr(sys.modules["__main__"], "__doc__", None) or study.paper.name
    default, commands = default_command(study, []), commands_of(study)
    options = {name: text for command in commands.values() for name, text in _options(command).items()}
    settings: dict[str, str] = {}
    for name in field_names(study.small):
        group, _, last = name.rpartition(".")
        start = f"--{group}." if group else "--"
        settings[start] = f"{settings.get(start, '')} {last}".strip()
    groups = {
        f"commands ({default} when none is named; each has its own --help)": {
            name: f"{summary(type(command))} {' '.join(_options(command))}" for name, command in commands.items()
        },
        "options of these commands": options,
        f"settings, as --train.epochs 5 (`{prog} run --help` tells what each means)": settings
        | {"--model.name": "another model, which has other settings (`run --model.name NAME --help`)"},
    }
    return overview(f"{prog} [{'|'.join(commands)}] [--option value ...]", about, groups)


def _options(command: Command) -> dict[str, str]:
    """The options of a command beside settings, and what they are for."""
    hints, found = typing.get_type_hints(type(command), include_extras=True), {}
    for name in (field.name for field in dataclasses.fields(command) if field.name != "settings"):
        value = getattr(command, name)
        shown = f"--{name}.{'|'.join(value)}" if isinstance(value, dict) else f"--{name}"
        found[shown] = next(text for part in hints[name].__metadata__ if (text := getattr(part, "help", None)))
    return found
