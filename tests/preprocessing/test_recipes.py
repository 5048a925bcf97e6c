"""Recipes are settings with sources, and a name never stands on settings that are not its own."""

from __future__ import annotations

import dataclasses
import typing

import pandas as pd
import pytest

from mer_tf.config import MerError, Preprocess
from mer_tf.files import facts
from mer_tf.preprocessing import recipes
from mer_tf.preprocessing.recipes import SURE, changes, check_recipe, load_recipe, named, recipe_names


@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_of_the_table_is_whole(name: str) -> None:
    recipe = load_recipe(name)
    hints = typing.get_type_hints(Preprocess)
    for field, value in dataclasses.asdict(recipe.preprocess).items():
        if typing.get_origin(hints[field]) is typing.Literal:
            assert value in typing.get_args(hints[field])
        else:
            assert type(value) is hints[field]
    assert all(sure in SURE and len(source) > 10 for sure, source in recipe.sources.values())
    check_recipe(recipe.preprocess)
    assert changes(recipe.preprocess) == []
    assert named(recipe.preprocess) == recipe.preprocess


def test_the_table_sets_no_field_twice() -> None:
    assert not facts("recipes.csv").duplicated(["recipe", "field"]).any()


def test_paper_a_and_ststnet_are_as_published() -> None:
    paper_a = load_recipe("paper-a")
    assert (paper_a.preprocess.size, paper_a.preprocess.face, paper_a.preprocess.flow_from) == (96, "align", "previous")
    assert (paper_a.reading["length"], paper_a.reading["segments"]) == ("20", "center")
    ststnet = load_recipe("ststnet")
    assert (ststnet.preprocess.flow_from, ststnet.reading["third"], ststnet.reading["side"]) == (
        "onset",
        "strain",
        "28",
    )
    assert ststnet.sources["third"][0] == "code"


def test_changed_settings_change_the_name() -> None:
    mine = dataclasses.replace(load_recipe("elrcn").preprocess, size=48, min_face=80, image_format="raw")
    assert changes(mine) == ["size=48 (elrcn: 224)"]
    with pytest.raises(MerError, match=r"size=48 \(elrcn: 224\).*--recipe elrcn"):
        check_recipe(mine)
    assert named(mine).recipe == "elrcn+"
    check_recipe(named(mine))
    assert named(dataclasses.replace(named(mine), size=224)).recipe == "elrcn"


def test_a_name_alone_is_refused_and_no_name_is_fine() -> None:
    with pytest.raises(MerError, match="flow=dis"):
        check_recipe(Preprocess(recipe="paper-a"))
    with pytest.raises(MerError, match="unknown; use one of paper-a"):
        check_recipe(Preprocess(recipe="paper-z"))
    check_recipe(Preprocess())


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (("x", "records", "sise", "96", "code", "s"), "'sise' is no setting"),
        (("x", "records", "size", "big", "code", "s"), "'big' is not of type int"),
        (("x", "records", "flow", "lk", "code", "s"), "not one of none"),
        (("x", "records", "size", "96", "surely", "s"), "'surely' is unknown"),
        (("x", "later", "size", "96", "code", "s"), "'later'"),
    ],
)
def test_a_bad_row_is_named(monkeypatch: pytest.MonkeyPatch, row: tuple[str, ...], message: str) -> None:
    table = pd.DataFrame([row], columns=["recipe", "stage", "field", "value", "sure", "source"])
    monkeypatch.setattr(recipes, "facts", lambda _: table)
    load_recipe.cache_clear()
    with pytest.raises(MerError, match=message):
        load_recipe("x")
    load_recipe.cache_clear()
