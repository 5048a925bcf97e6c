"""An experiment with settings changed: `changed(experiment, {"train.epochs": 5})`; and the one that a run stored."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from mer_tf.config import Experiment, MerError
from mer_tf.files import read_mapping
from mer_tf.model import model_named, models, no_such_setting
from mer_tf.names import unknown

NAME = "model.name"


def changed(experiment: Experiment, changes: Mapping[str, Any]) -> Experiment:
    """`experiment` with the settings of these dotted names; `MerError` for an unknown name and a value of another type.

    A whole number stands for a float as well, and a list for a tuple, so that JSON can hold what is changed. Another
    `model.name` comes first: that model takes over the settings which both have.
    """
    if name := changes.get(NAME):
        experiment = dataclasses.replace(experiment, model=model_named(name, experiment.model))
    for name, value in changes.items():
        if name != NAME:
            experiment = _replaced(experiment, name.split("."), value, experiment, name)
    return experiment


def fitting(changes: Mapping[str, Any], model: str) -> dict[str, Any]:
    """Of changes that are meant for several models those that this one can have."""
    has = set(field_names(models()[model](), "model."))
    return {name: value for name, value in changes.items() if not _of_model(name) or name in has}


def field_names(part: Any, prefix: str = "") -> Iterator[str]:
    """Dotted names of all settings of a dataclass and of the dataclasses in it."""
    for field in dataclasses.fields(part):
        value = getattr(part, field.name)
        if dataclasses.is_dataclass(value):
            yield from field_names(value, f"{prefix}{field.name}.")
        else:
            yield prefix + field.name


@cache
def hints_of(kind: Any) -> dict[str, Any]:
    """Field -> its type."""
    hints = typing.get_type_hints(kind)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind)}


def flat(value: Any, name: str = "") -> dict[str, Any]:
    """Nested mappings as one, dotted names as keys: {"data": {"seed": 0}} becomes {"data.seed": 0}."""
    if not isinstance(value, dict):
        return {name: value}
    parts = (flat(v, f"{name}.{k}" if name else str(k)) for k, v in value.items())
    return {key: held for part in parts for key, held in part.items()}


def migrated(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings by dotted name, as any version stored them, as this one names them.

    There was one class for all models once: settings that a model never read are dropped, and those of descriptors
    stood under model.classical. Encoders were fed as they were trained by the name vggface2, those in a .keras file
    with ImageNet's mean by any name.
    """
    found = {key.replace("model.classical.", "model."): value for key, value in settings.items()}
    if found.get("model.preproc") == "vggface2":
        found["model.preproc"] = "imagenet" if str(found.get("model.encoder")).endswith(".keras") else "own"
    return fitting(found, name) if (name := str(settings.get(NAME))) in models() else found


def all_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The same with all settings that are not among them, at their defaults; of a model only where it is named."""
    found = migrated(settings)
    name = found.get(NAME)
    default = changed(Experiment(""), {NAME: name} if name in models() else {})
    values = flat(dataclasses.asdict(default))
    return {k: v for k, v in values.items() if name in models() or not _of_model(k)} | found


def read_experiment(path: Path) -> Experiment:
    """The experiment stored in a run's config.json."""
    try:
        values = read_mapping(path)["experiment"]
        return changed(Experiment(values["name"]), migrated(flat(values)))
    except (KeyError, TypeError, AttributeError, MerError) as error:
        raise MerError(f"{path}: not the configuration of a run of this version ({error})") from error


def _replaced(part: Any, path: list[str], value: Any, whole: Experiment, name: str) -> Any:
    """`part` of `whole` with the setting at `path` replaced; `name` is its whole dotted name, for messages."""
    first, *rest = path
    hint, old = hints_of(type(part)).get(first), getattr(part, first, None)  # type: ignore[arg-type]
    group = dataclasses.is_dataclass(old)
    if hint is None or (rest and not group):
        raise MerError(no_setting(whole, name))
    if group and not rest:
        known = field_names(old, f"{name}.")
        raise MerError(f"{name} is a group of settings; give one of {', '.join(known)}")
    new = _replaced(old, rest, value, whole, name) if group else _typed(value, hint, name)
    return dataclasses.replace(part, **{first: new})


def _of_model(name: str) -> bool:
    return name.startswith("model.")


def no_setting(experiment: Experiment, name: str) -> str:
    """Message about a dotted name of no setting: what there is, and what was probably meant."""
    names = list(field_names(experiment))
    if _of_model(name):
        return no_such_setting(experiment.model, name, [n for n in names if _of_model(n)])
    group = [n for n in names if n.startswith(name.rpartition(".")[0] + ".")]
    return unknown("setting", name, group or names)


def typed(part: Any, name: str, value: Any) -> Any:
    """`value` as the type that the setting `name` of a dataclass has; `MerError` for a value of another type."""
    return _typed(value, hints_of(type(part))[name], name)  # type: ignore[arg-type]


def _typed(value: Any, hint: Any, name: str) -> Any:
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
    if _is_union(hint):
        return " or ".join(map(_words, typing.get_args(hint)))
    if typing.get_origin(hint) is typing.Literal:
        return f"one of {', '.join(map(str, typing.get_args(hint)))}"
    return "None" if hint is type(None) else str(hint) if typing.get_origin(hint) else hint.__name__
