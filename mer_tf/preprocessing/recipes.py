"""Published preprocessing as data: each setting with its source and how sure it is (data_manifests/recipes.csv)."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from mer_tf.config import MerError, Preprocess
from mer_tf.files import fact_names, facts
from mer_tf.names import meant

TABLE = "recipes.csv"
SURE = ("printed", "code", "inferred", "memory", "default")
"""In the paper; in its authors' (or a named) public code; follows from them; remembered; our own where they are
silent."""
CHANGED = "+"
FREE = frozenset({"recipe", "min_face", "detector", "landmarks", "landmarks_from", "image_format", "clips_per_shard"})
"""Fields that may differ without the recipe being another: how faces are found and bytes are kept."""


@dataclass(frozen=True)
class Recipe:
    """One published way from frames to network input."""

    name: str
    preprocess: Preprocess
    """What is stored; fields the table does not name are the defaults."""
    reading: Mapping[str, str]
    """What is done to stored clips later, as text: length, segments, stride, third, bound, scaling, side."""
    sources: Mapping[str, tuple[str, str]]
    """Field -> (one of `SURE`, source)."""


def recipe_names() -> tuple[str, ...]:
    """Names in the order of the table."""
    return tuple(fact_names(TABLE, "recipe"))


@cache
def load_recipe(name: str) -> Recipe:
    """The recipe of this name; `MerError` lists the known ones, or names the row whose field or value is no setting."""
    table = facts(TABLE)
    rows = table[table["recipe"] == name].to_dict("records")
    if not rows:
        names = recipe_names()
        raise MerError(f"preprocess.recipe: {name!r} is unknown; use one of {', '.join(names)}{meant(name, names)}")
    for row in rows:
        if row["stage"] not in ("records", "reading") or row["sure"] not in SURE:
            raise MerError(
                f"{TABLE}: {name}, {row['field']}: stage {row['stage']!r} or sure {row['sure']!r} is unknown"
            )
    settings = {r["field"]: _typed(name, r["field"], r["value"]) for r in rows if r["stage"] == "records"}
    return Recipe(
        name,
        dataclasses.replace(Preprocess(recipe=name), **settings),  # type: ignore[arg-type]
        {r["field"]: r["value"] for r in rows if r["stage"] == "reading"},
        {r["field"]: (r["sure"], r["source"]) for r in rows},
    )


def changes(config: Preprocess) -> list[str]:
    """Settings in which `config` is not the recipe it names, as "size=96 (ststnet: 28)"; none without a recipe."""
    if not config.recipe:
        return []
    name = config.recipe.removesuffix(CHANGED)
    wanted = dataclasses.asdict(load_recipe(name).preprocess)
    have = dataclasses.asdict(config)
    return [f"{f}={have[f]} ({name}: {wanted[f]})" for f in wanted if f not in FREE and have[f] != wanted[f]]


def named(config: Preprocess) -> Preprocess:
    """`config` with `recipe` ending in "+" exactly when some setting is not the recipe's."""
    name = config.recipe.removesuffix(CHANGED)
    return dataclasses.replace(config, recipe=name + CHANGED if changes(config) else name)


def check_recipe(config: Preprocess) -> None:
    """`MerError` when `config` names a recipe that is unknown or whose settings it does not have."""
    differing = changes(config)
    if differing and not config.recipe.endswith(CHANGED):
        raise MerError(
            f"preprocess.recipe={config.recipe}, but {', '.join(differing)}; take its settings with `mer-tf preprocess "
            f"--recipe {config.recipe}` or load_recipe({config.recipe!r}).preprocess, or name yours {config.recipe}+"
        )


def _typed(name: str, field: str, text: str) -> object:
    """A cell as the type of its field of `Preprocess`."""
    hints = typing.get_type_hints(Preprocess)
    if field not in hints:
        raise MerError(f"{TABLE}: {name}: {field!r} is no setting of preprocess; valid: {', '.join(hints)}")
    if typing.get_origin(hints[field]) is typing.Literal:
        valid = typing.get_args(hints[field])
        if text not in valid:
            raise MerError(f"{TABLE}: {name}: {field}={text!r} is not one of {', '.join(valid)}")
        return text
    try:
        return hints[field](text)
    except ValueError as error:
        raise MerError(f"{TABLE}: {name}: {field}={text!r} is not of type {hints[field].__name__}") from error
