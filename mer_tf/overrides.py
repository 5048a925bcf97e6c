"""Settings from the command line: `--data.root DIR --train.epochs 5`."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import tyro

from mer_tf.changes import field_names
from mer_tf.config import Experiment, MerError
from mer_tf.names import meant
from mer_tf.ranges import check_ranges


def override(experiment: Experiment, arguments: Sequence[str]) -> Experiment:
    """`experiment` with fields replaced as the arguments say, types checked.

    `MerError` for an unknown one, which lists the valid ones and the nearest.
    """
    parsed, unknown = tyro.cli(
        Experiment,
        default=experiment,
        args=list(arguments),
        return_unknown_args=True,
        config=(tyro.conf.FlagConversionOff,),  # --train.jit_compile False, as every other field
    )
    if unknown:
        valid = [f"--{name}" for name in field_names(Experiment)]
        listed = "\n  ".join(valid)
        raise MerError(f"unknown option {' '.join(unknown)}; valid ones:\n  {listed}{meant(unknown[0], valid)}")
    check_ranges(parsed, "--")
    return parsed


def read_changes(arguments: Sequence[str]) -> dict[str, Any]:
    """What the arguments change, by dotted names, for `changed`."""
    parsed = override(Experiment("changes"), arguments)
    return {name: operator.attrgetter(name)(parsed) for name in named(arguments)}


def read_words(words: Sequence[str]) -> dict[str, Any]:
    """The same of words such as train.epochs=5."""
    return read_changes([f"--{word}" for word in words])


def named(arguments: Sequence[str]) -> list[str]:
    """The settings that the arguments name, as --train.epochs or --train-epochs=5 do."""
    given = {a.removeprefix("--").partition("=")[0].replace("-", "_") for a in arguments if a.startswith("--")}
    return [name for name in field_names(Experiment) if name in given]
