"""An experiment with settings changed: `changed(experiment, {"train.epochs": 5})`; and the one that a run stored."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from mer_tf.config import Experiment, MerError
from mer_tf.files import read_mapping
from mer_tf.names import unknown

T = TypeVar("T")


def changed(experiment: Experiment, changes: Mapping[str, Any]) -> Experiment:
    """`experiment` with the settings of these dotted names; `MerError` for an unknown name and a value of another type.

    A whole number stands for a float as well, and a list for a tuple, so that JSON can hold what is changed.
    """
    for name, value in changes.items():
        experiment = _replaced(experiment, name.split("."), value, name)
    return experiment


def field_names(kind: type, prefix: str = "") -> Iterator[str]:
    """Dotted names of all fields of nested dataclasses."""
    for name, hint in hints_of(kind).items():
        if dataclasses.is_dataclass(hint):
            yield from field_names(typing.cast(type, hint), f"{prefix}{name}.")
        else:
            yield prefix + name


@cache
def hints_of(kind: type) -> dict[str, Any]:
    """Field -> its type."""
    hints = typing.get_type_hints(kind)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind)}


def flat(value: Any, name: str = "") -> dict[str, Any]:
    """Nested mappings as one, dotted names as keys: {"data": {"seed": 0}} becomes {"data.seed": 0}."""
    if not isinstance(value, dict):
        return {name: value}
    parts = (flat(v, f"{name}.{k}" if name else str(k)) for k, v in value.items())
    return {key: held for part in parts for key, held in part.items()}


def read_experiment(path: Path) -> Experiment:
    """The experiment stored in a run's config.json."""
    try:
        values = read_mapping(path)["experiment"]
        return changed(Experiment(values["name"]), flat(values))
    except (KeyError, TypeError, AttributeError, MerError) as error:
        raise MerError(f"{path}: not the configuration of a run of this version ({error})") from error


def _replaced(part: T, path: list[str], value: Any, name: str) -> T:
    """`part` with the setting at `path` replaced; `name` is its whole dotted name, for messages."""
    first, *rest = path
    hint = hints_of(type(part)).get(first)  # type: ignore[arg-type]
    group = dataclasses.is_dataclass(hint)
    if hint is None or (rest and not group):
        raise MerError(_unknown(name))
    if group and not rest:
        known = (f"{name}.{field}" for field in hints_of(typing.cast(type, hint)))
        raise MerError(f"{name} is a group of settings; give one of {', '.join(known)}")
    new = _replaced(getattr(part, first), rest, value, name) if group else _typed(value, hint, name)
    return dataclasses.replace(part, **{first: new})  # type: ignore[type-var]


def _unknown(name: str) -> str:
    names = list(field_names(Experiment))
    group = [n for n in names if n.startswith(name.rpartition(".")[0] + ".")]
    return unknown("setting", name, group or names)


def _typed(value: Any, hint: Any, name: str) -> Any:
    """`value` as the type `hint`."""
    for kind in typing.get_args(hint) if _is_union(hint) else (hint,):
        fits, made = _as(value, kind, name)
        if fits:
            return made
    raise MerError(f"{name}={value!r}: give {_words(hint)}")


def _as(value: Any, kind: Any, name: str) -> tuple[bool, Any]:
    """Whether `value` is of one plain type, and what it becomes there."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Literal:
        return value in arguments, value
    if origin is tuple:
        return _as_tuple(value, arguments, name)
    if kind is float and type(value) is int:
        return True, float(value)
    return type(value) is kind, value


def _as_tuple(value: Any, parts: tuple[Any, ...], name: str) -> tuple[bool, Any]:
    if not isinstance(value, tuple | list):
        return False, value
    kinds = parts[:1] * len(value) if parts[-1] is Ellipsis else parts
    if len(kinds) != len(value):
        return False, value
    return True, tuple(_typed(v, kind, name) for v, kind in zip(value, kinds, strict=True))


def _is_union(hint: Any) -> bool:
    return typing.get_origin(hint) in (typing.Union, types.UnionType)


def _words(hint: Any) -> str:
    """A type as a message names it."""
    if _is_union(hint):
        return " or ".join(map(_words, typing.get_args(hint)))
    if typing.get_origin(hint) is typing.Literal:
        return f"one of {', '.join(map(str, typing.get_args(hint)))}"
    return "None" if hint is type(None) else str(hint) if typing.get_origin(hint) else hint.__name__
