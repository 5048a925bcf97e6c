"""A run directory, read: what was asked, predicted, tested and drawn. Whatever is optional may be absent or broken."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

from mer_tf.changes import all_settings, flat
from mer_tf.config import MerError
from mer_tf.evaluation.predictions import read_predictions
from mer_tf.files import read_json, read_mapping
from mer_tf.notices import Notice, read_notices
from mer_tf.table_files import read_table

T = TypeVar("T")
MEND = "delete the file, or run the experiment again"
HISTORY = ("seed", "fold", "epoch", "loss", "accuracy")


@dataclass(frozen=True)
class Run:
    """A run directory. Tables that are absent are empty; `predictions` is None as long as the run is unfinished."""

    directory: Path
    name: str
    """Name of the experiment."""
    settings: dict[str, Any]
    """Every setting by its dotted name, as `data.amplitude`; those the run did not know yet have their default."""
    config: dict[str, Any]
    environment: dict[str, Any]
    warnings: tuple[Notice, ...]
    """As the run stated them."""
    predictions: pd.DataFrame | None
    baseline: pd.DataFrame | None
    """Predictions from the onset frame alone."""
    manifest: pd.DataFrame
    history: pd.DataFrame
    """seed (text), fold (text), epoch, loss, accuracy (numbers; NaN where the trainer did not record one)."""
    choices: pd.DataFrame
    """Rows of every choice.csv with their seed and fold."""
    self_tests: tuple[dict[str, Any], ...]
    worst: pd.DataFrame
    pictures: pd.DataFrame
    problems: tuple[str, ...]
    """Optional files that are there but cannot be read."""

    @property
    def resolved(self) -> dict[str, Any]:
        """What `auto` became: encoder, weights, records."""
        return as_mapping(self.config.get("resolved"))


def read_run(directory: Path) -> Run:
    """Read a run directory. `MerError` names what is missing where `directory` is no run, or its predictions' fault."""
    directory = Path(directory)
    config = _config(directory)
    files = _Files(directory)
    metrics: dict[str, Any] = files.json("metrics.json", dict)
    tests: list[Any] = files.json("self_test.json", list)
    return Run(
        directory=directory,
        name=str(config["experiment"]["name"]),
        settings=all_settings(flat(config["experiment"])),
        config=config,
        environment=files.json("env.json", dict),
        warnings=read_notices(metrics.get("warnings") or config.get("warnings") or ()),
        predictions=_predictions(directory / "predictions.csv"),
        baseline=files.attempt("baseline_onset.csv", _predictions, None),
        manifest=files.table("manifest.csv", ("clip_id", "subject", "dataset", "label_raw")),
        history=_history(files),
        choices=files.by_fold("choice.csv", ()),
        self_tests=tuple(t for t in tests if isinstance(t, dict)),
        worst=files.table("worst/worst.csv", ("clip_id", "subject", "y_true", "y_pred", "p_true", "file")),
        pictures=files.table("pictures/pictures.csv", ("section", "title", "caption", "file")),
        problems=tuple(files.problems),
    )


def as_mapping(value: Any) -> dict[str, Any]:
    """`value` where it is a mapping, else an empty one."""
    return value if isinstance(value, dict) else {}


def in_number_order(values: Iterable[str]) -> list[str]:
    """Distinct names of folds or seeds, 2 before 10; names that are no numbers come last."""
    return sorted(set(values), key=lambda v: (not v.isdecimal(), int(v) if v.isdecimal() else 0, v))


def _config(directory: Path) -> dict[str, Any]:
    path = directory / "config.json"
    if not path.is_file():
        raise MerError(f"{directory}: is no run directory, config.json is missing; name the folder a run printed last")
    config = read_mapping(path)
    if not as_mapping(as_mapping(config).get("experiment")).get("name"):
        raise MerError(f"{path}: has no experiment with a name; name the folder of a run")
    return config


def _predictions(path: Path) -> pd.DataFrame | None:
    return read_predictions(path) if path.is_file() else None


def _history(files: _Files) -> pd.DataFrame:
    """Training curves of all folds; epochs count from 1."""
    table = files.by_fold("history.csv", ("epoch",)).reindex(columns=list(HISTORY))
    numbers = {c: pd.to_numeric(table[c], errors="coerce") for c in HISTORY[2:]}
    return table.assign(**numbers | {"epoch": numbers["epoch"] + 1}).dropna(subset="epoch")


class _Files:
    """The optional files of a run: an absent one is empty, a broken one is noted in `problems` and empty too."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.problems: list[str] = []

    def attempt(self, name: str, read: Callable[[Path], T], otherwise: T) -> T:
        path = self.directory / name
        if not path.is_file():
            return otherwise
        try:
            return read(path)
        except MerError as error:
            self.problems.append(str(error))
            return otherwise

    def json(self, name: str, kind: Callable[[], T]) -> T:
        value = self.attempt(name, read_json, kind())
        if isinstance(value, type(kind())):
            return value
        self.problems.append(f"{self.directory / name}: is not the {type(kind()).__name__} it should be; {MEND}")
        return kind()

    def table(self, name: str, columns: Sequence[str]) -> pd.DataFrame:
        empty = pd.DataFrame(columns=list(columns))
        return self.attempt(name, lambda path: read_table(path, columns, MEND).frame, empty)

    def by_fold(self, name: str, columns: Sequence[str]) -> pd.DataFrame:
        """The file of that name of every fold-<k> or seed-<s>/fold-<k>, one below the other."""
        parts = [pd.DataFrame(columns=["seed", "fold"])]
        for path in sorted(self.directory.glob(f"**/fold-*/{name}")):
            relative = path.relative_to(self.directory)
            seed = next((p.removeprefix("seed-") for p in relative.parts if p.startswith("seed-")), "")
            fold = path.parent.name.removeprefix("fold-")
            parts.append(self.table(relative.as_posix(), columns).assign(seed=seed, fold=fold))
        return pd.concat(parts, ignore_index=True)
