"""An experiment from its declaration and the command line: `--data.root DIR --train.epochs 5`."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import tyro

from mer_tf.config import Experiment, MerError
from mer_tf.files import read_mapping
from mer_tf.ranges import check_ranges

T = TypeVar("T")


def override(experiment: Experiment, arguments: Sequence[str], description: str | None = None) -> Experiment:
    """`experiment` with fields replaced as the arguments say, types checked; an unknown one lists the valid ones."""
    parsed, unknown = tyro.cli(
        Experiment,
        default=experiment,
        args=list(arguments),
        description=description,
        return_unknown_args=True,
        config=(tyro.conf.FlagConversionOff,),  # --train.jit_compile False, as every other field
    )
    if unknown:
        valid = "\n  ".join(f"--{name}" for name in field_names(Experiment))
        raise MerError(f"unknown option {' '.join(unknown)}; valid ones:\n  --preset\n  --resume\n  {valid}")
    check_ranges(parsed, "--")
    return parsed


def field_names(kind: type, prefix: str = "") -> Iterator[str]:
    """Dotted names of all fields of nested dataclasses."""
    hints = typing.get_type_hints(kind)
    for field in dataclasses.fields(kind):
        if dataclasses.is_dataclass(hints[field.name]):
            yield from field_names(typing.cast(type, hints[field.name]), f"{prefix}{field.name}.")
        else:
            yield prefix + field.name


def read_experiment(path: Path) -> Experiment:
    """The experiment stored in a run's config.json."""
    try:
        return _from_dict(Experiment, read_mapping(path)["experiment"])
    except (KeyError, TypeError, AttributeError) as error:
        raise MerError(f"{path}: not the configuration of a run of this version ({error})") from error


def _from_dict(kind: type[T], values: dict[str, Any]) -> T:
    hints = typing.get_type_hints(kind)
    made = {}
    for name, value in values.items():
        hint = hints[name]
        nested = isinstance(value, dict) and dataclasses.is_dataclass(hint)
        made[name] = (
            _from_dict(typing.cast(type, hint), value) if nested else tuple(value) if isinstance(value, list) else value
        )
    return kind(**made)
