"""What is chosen in each fold of a descriptor and of its classifier: data_manifests/descriptor_grids.csv, or your own.

A row offers one value of one setting; the combinations of all rows of a system are its candidates. Clips that are
magnified are another system, emm_NAME, where the table has rows of it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from mer_tf.changes import changed
from mer_tf.config import Experiment, MerError, Preprocess, digest
from mer_tf.descriptors import METHODS, Classical
from mer_tf.files import fact_file
from mer_tf.preprocessing.recipes import SURE, named
from mer_tf.ranges import range_faults
from mer_tf.table_files import read_table

TABLE = "descriptor_grids.csv"
COLUMNS = ("system", "setting", "value", "sure", "source")
MAGNIFIED = "emm_"
CURVED = ("rbf", "poly")
"""Kernels that have a gamma."""
KEPT = {"model.tune": False, "model.grid": ""}
"""What every candidate is: settings that are fixed."""
_MEND = "correct this row, or take it out"


@dataclass(frozen=True)
class Offer:
    """One row of the table: a value of a setting."""

    system: str
    setting: str
    value: Any
    where: str
    """File and line, for messages."""


@dataclass(frozen=True)
class Candidate:
    """One combination of what is offered."""

    settings: Mapping[str, Any]
    """Dotted setting -> value, those of the table alone."""
    experiment: Experiment
    """With these settings, fixed: one penalty among them."""

    @property
    def method(self) -> Classical:
        """Settings of the method."""
        assert isinstance(self.experiment.model, Classical)
        return self.experiment.model

    @property
    def point(self) -> str:
        """Name of what its clips' vectors depend on; candidates that differ in the classifier alone share it."""
        descriptor = self.method.descriptor()
        return digest(self.experiment.preprocess, self.method.name, descriptor.get_params())


def system_of(experiment: Experiment, offers: tuple[Offer, ...]) -> str:
    """Name by which the table knows an experiment's method."""
    magnified = MAGNIFIED + experiment.model.name
    known = {offer.system for offer in offers}
    return magnified if experiment.preprocess.magnify and magnified in known else experiment.model.name


def candidates(experiment: Experiment) -> list[Candidate]:
    """All combinations that the table offers, in its order; none for a method that it does not name.

    `MerError` names file and line of a row that no experiment can have. A gamma is not varied where no kernel has one.
    """
    assert isinstance(experiment.model, Classical)
    everything = offers(experiment.model.grid)
    system = system_of(experiment, everything)
    ours = [offer for offer in everything if offer.system == system]
    if not ours or not experiment.model.described_by:
        return []
    by_setting: dict[str, list[Offer]] = {}
    for offer in ours:
        _check(offer, experiment)
        by_setting.setdefault(offer.setting, []).append(offer)
    found: dict[Experiment, Candidate] = {}
    for combination in itertools.product(*by_setting.values()):
        for one in _fixed(experiment, {offer.setting: offer.value for offer in combination}):
            found.setdefault(one.experiment, one)
    return list(found.values())


def grid_faults(experiment: Experiment) -> Iterator[str]:
    """What is wrong with the table, or with what it offers to this experiment."""
    try:
        candidates(experiment)
    except MerError as error:
        yield str(error)


def offers(path: str = "") -> tuple[Offer, ...]:
    """Every row of the table at `path`, or of data_manifests; `MerError` names the row that is none."""
    table = read_table(Path(path) if path else fact_file(TABLE), COLUMNS, f"give the columns {', '.join(COLUMNS)}")
    found, seen = [], set()
    for line, row in zip(table.lines, table.frame.to_dict("records"), strict=True):
        where = f"{table.path}, line {line} ({row['system']}, {row['setting']})"
        if row["system"].removeprefix(MAGNIFIED) not in METHODS:
            raise MerError(f"{where}: the system is unknown; use one of {', '.join(METHODS)}, or emm_ before one")
        if row["sure"] not in SURE:
            raise MerError(f"{where}: sure={row['sure']!r} is none of {', '.join(SURE)}; {_MEND}")
        if (key := (row["system"], row["setting"], row["value"])) in seen:
            raise MerError(f"{where}: {row['value']} is offered twice; take one row out")
        seen.add(key)
        found.append(Offer(row["system"], row["setting"], _value(row["setting"], row["value"]), where))
    return tuple(found)


def _value(setting: str, text: str) -> Any:
    """A cell as the command line reads it: numbers and words, several of them as a tuple."""
    parts = tuple(map(_part, text.split()))
    return parts[0] if len(parts) == 1 and setting != "model.C" else parts


def _part(text: str) -> int | float | str | None:
    if text == "none":
        return None
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text


def _check(offer: Offer, experiment: Experiment) -> None:
    """`MerError` for a setting that the experiment does not have or that cannot be chosen, or a value out of range."""
    group, _, name = offer.setting.partition(".")
    chosen = group == "model" and name not in ("name", "tune", "grid")
    chosen |= group == "preprocess" and name in {f.name for f in fields(Preprocess)} - {"recipe"}
    if not chosen:
        raise MerError(f"{offer.where}: {offer.setting} cannot be chosen; offer settings of model or preprocess")
    try:
        one = changed(experiment, {offer.setting: offer.value})
    except MerError as error:
        raise MerError(f"{offer.where}: {error}; {_MEND}") from error
    if faults := [*range_faults(one.model, "model."), *range_faults(one.preprocess, "preprocess.")]:
        raise MerError(f"{offer.where}: {'; '.join(faults)}; {_MEND}")


def _fixed(experiment: Experiment, settings: Mapping[str, Any]) -> Iterator[Candidate]:
    """The experiment with these settings, once for each penalty that it then has."""
    one = changed(experiment, {**settings, **KEPT})
    if experiment.preprocess.recipe:
        one = replace(one, preprocess=named(one.preprocess))
    assert isinstance(one.model, Classical)
    curved = (one.model.kernel or one.model.classifier) in CURVED
    shown = {k: v for k, v in settings.items() if curved or k != "model.gamma"}
    for penalty in sorted(one.model.C) or [one.model.penalty]:
        model = replace(one.model, C=(float(penalty),), gamma=one.model.gamma if curved else None)
        yield Candidate({**shown, "model.C": model.C}, replace(one, model=model))
