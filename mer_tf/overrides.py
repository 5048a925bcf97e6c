"""Settings from the command line: `--data.root DIR --train.epochs 5`."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Iterable, Sequence
from typing import Any

import tyro

from mer_tf.changes import NAME, changed, field_names, no_setting
from mer_tf.config import Experiment, MerError
from mer_tf.errors import refuse
from mer_tf.model import models
from mer_tf.names import meant
from mer_tf.ranges import check_ranges


def override(experiment: Experiment, arguments: Sequence[str]) -> Experiment:
    """`experiment` with fields replaced as the arguments say, types checked.

    `MerError` for an unknown one, which lists the valid ones and the nearest.
    """
    start = with_model(experiment, arguments)
    parsed, unknown = tyro.cli(
        Experiment,
        default=start,
        args=list(arguments),
        return_unknown_args=True,
        config=(tyro.conf.FlagConversionOff,),  # --train.jit_compile False, as every other field
    )
    if unknown:
        valid = [f"--{name}" for name in field_names(start)]
        listed = "\n  ".join(valid)
        raise MerError(f"unknown option {' '.join(unknown)}; valid ones:\n  {listed}{meant(unknown[0], valid)}")
    check_ranges(parsed, "--")
    return parsed


def with_model(experiment: Experiment, arguments: Sequence[str]) -> Experiment:
    """`experiment` with the model that --model.name names; `MerError` for settings that it has not."""
    words = [part for word in arguments for part in word.split("=", 1)]
    named = [value for option, value in itertools.pairwise(words) if option == f"--{NAME}"]
    chosen = changed(experiment, {NAME: named[-1]} if named else {})
    given, there = _options(arguments), set(field_names(chosen))
    refuse(no_setting(chosen, name) for name in given if name.startswith("model.") and name not in there)
    return chosen


def apart(words: Sequence[str], experiment: Experiment, others: Iterable[str]) -> tuple[list[str], dict[str, Any]]:
    """The words, and, read, what among them are settings of `others`, models beside that of the experiment."""
    left: list[str] = []
    found: dict[str, Any] = {}
    starts = [k for k, word in enumerate(words) if word.startswith("--")]
    has = {other: set(field_names(models()[other](), "model.")) for other in others}
    for begin, end in itertools.pairwise([*starts, len(words)]):
        option = words[begin:end]
        (name,) = _options(option)
        owner = next((other for other, names in has.items() if name in names), None)
        if owner is None or name in field_names(experiment):
            left += option
        else:
            found |= read_changes(option, changed(experiment, {NAME: owner}))
    return [*words[: starts[0] if starts else None], *left], found


def read_changes(arguments: Sequence[str], experiment: Experiment | None = None) -> dict[str, Any]:
    """What the arguments change of an experiment, by dotted names, for `changed`."""
    parsed = override(experiment or Experiment("changes"), arguments)
    return {name: operator.attrgetter(name)(parsed) for name in named(arguments, parsed)}


def read_words(words: Sequence[str], experiment: Experiment | None = None) -> dict[str, Any]:
    """The same of words such as train.epochs=5."""
    return read_changes([f"--{word}" for word in words], experiment)


def named(arguments: Sequence[str], experiment: Experiment) -> list[str]:
    """The settings of the experiment that the arguments name, as --train.epochs or --train-epochs=5 do."""
    given = _options(arguments)
    return [name for name in field_names(experiment) if name in given]


def _options(arguments: Sequence[str]) -> list[str]:
    return [a.removeprefix("--").partition("=")[0].replace("-", "_") for a in arguments if a.startswith("--")]
