"""mer-tf preprocess --recipe: the settings of the table, and further options over them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from helpers.rows import written_row
from helpers.running import mer_tf

from mer_tf.datasets.manifest import write_manifest

Command = Callable[..., dict[str, object]]


@pytest.fixture
def preprocess(tmp_path: Path) -> Command:
    """Run the command on one clip of 3 small frames; return the settings in index.json."""
    noise = [np.random.default_rng(t).integers(0, 256, (24, 24, 3), np.uint8) for t in range(3)]
    row = dataclasses.replace(written_row(tmp_path, noise), apex=2)
    write_manifest([row], tmp_path / "m.csv")

    def run(*options: str) -> dict[str, object]:
        shown = mer_tf("preprocess", "--manifest", tmp_path / "m.csv", "--out", tmp_path / "records", *options)
        directory = shown.strip().splitlines()[-1]
        config: dict[str, object] = json.loads((Path(directory) / "index.json").read_text())["config"]
        return config

    return run


def test_a_recipe_sets_everything_and_is_named_in_the_index(preprocess: Command) -> None:
    config = preprocess("--recipe", "paper-c")
    assert (config["recipe"], config["face"], config["size"], config["flow"]) == ("paper-c", "none", 224, "none")


def test_options_override_a_recipe_also_when_they_equal_the_defaults(preprocess: Command) -> None:
    config = preprocess("--size", "96", "--recipe", "elrcn", "--flow", "dis", "--interpolate", "4")
    assert (config["recipe"], config["size"], config["flow"], config["interpolate"]) == ("elrcn+", 96, "dis", 4)
    assert config["face"] == "none"


def test_how_faces_are_found_and_bytes_kept_is_no_part_of_a_recipe(preprocess: Command) -> None:
    assert preprocess("--recipe", "paper-c", "--image-format", "raw", "--min-face", "20")["recipe"] == "paper-c"


def test_without_a_recipe_all_is_as_it_was(preprocess: Command) -> None:
    config = preprocess("--face", "none", "--size", "16")
    assert (config["recipe"], config["interpolate"], config["flow_from"]) == ("", 0, "previous")


def test_an_unknown_recipe_lists_the_known_ones(preprocess: Command) -> None:
    with pytest.raises(SystemExit, match="paper-a, paper-c"):
        preprocess("--recipe", "paper-q")
