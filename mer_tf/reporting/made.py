"""On what a shown result was made: the record beside it, what README says of it, and whether it is stale.

A record tells code, machine, seeds, settings and the files it answers for; what was not recorded is None.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mer_tf.changes import all_settings, flat
from mer_tf.code_version import CODE
from mer_tf.config import MerError
from mer_tf.files import read_json, sha256, write_json
from mer_tf.reporting.analysis import PATHS

NAME = "made.json"
Settings = Mapping[str, Mapping[str, Any]]
"""Name of an experiment, or of a table's row -> settings by dotted name."""
SEEDS = {"data.seed": "drawing", "train.seed": "training", "evaluation.seed": "folds"}


@dataclass(frozen=True)
class Maker:
    """Code and machine. Where the code has no versions, all of it is what git says of the stored file."""

    mer_tf: str
    commit: str | None
    """Ends in + where the code had uncommitted changes."""
    code: dict[str, int] | None = None
    """`mer_tf.code_version.CODE`, or the part of it that the result depends on."""
    processor: str | None = None
    cores: int | None = None
    onednn: bool | None = None

    def __str__(self) -> str:
        commit = f" at {self.commit[:7]}{'+' * self.commit.endswith('+')}" if self.commit else ""
        code = f"mer_tf {self.mer_tf}{commit}"
        if not (self.code and self.processor):
            return f"{code}; code versions and processor not recorded"
        counted = "".join(f", {name} {number}" for name, number in self.code.items())
        onednn = "" if self.onednn is None else f", oneDNN {'on' if self.onednn else 'off'}"
        return f"{code}{counted}; {self.processor}, {self.cores} cores{onednn}"


@dataclass(frozen=True)
class Made:
    """The record of one result."""

    command: tuple[str, ...]
    """Lines of the command that makes it."""
    made_by: tuple[Maker, ...]
    """Several where the result joins runs that differ in it."""
    seeds: dict[str, list[int]]
    date: str
    seconds: float | None
    settings: Settings = field(default_factory=dict)
    """Of a stored run they are those of its config.json, and not written twice."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Path from the record's folder -> hex SHA-256."""

    def __str__(self) -> str:
        seeds = ", ".join(f"{SEEDS[name]} {' '.join(map(str, found))}" for name, found in self.seeds.items())
        verb = "Made" if all(one.code for one in self.made_by) else "Stored"
        return f"{verb} {self.date} by {' and '.join(map(str, self.made_by))}; seeds: {seeds}."


def maker(environment: Mapping[str, Any], counts: Sequence[str] = tuple(CODE)) -> Maker:
    """What a record keeps of env.json; `counts` names the code versions that the result depends on."""
    commit, code = environment.get("git_commit"), environment.get("code")
    return Maker(
        mer_tf=str(environment.get("mer_tf", "of unknown version")),
        commit=commit and commit + "+" * bool(environment.get("git_dirty")),
        code=code and {name: code[name] for name in counts},
        processor=environment.get("processor"),
        cores=environment.get("cpus"),
        onednn=environment.get("onednn"),
    )


def seeds_of(settings: Settings) -> dict[str, list[int]]:
    """Seeds of the drawing, of the trainings and of the folds that `settings` name."""
    found: dict[str, set[int]] = {}
    for one in settings.values():
        for name in SEEDS.keys() & one.keys():
            count = one["evaluation.seeds"] if name == "train.seed" else 1
            found.setdefault(name, set()).update(range(one[name], one[name] + count))
    return {name: sorted(found[name]) for name in SEEDS if name in found}


def write_made(path: Path, made: Made, files: Iterable[Path]) -> Path:
    """Write the record with the digests of the `files` it answers for; return its path."""
    if path.with_name("config.json").exists():
        made = dataclasses.replace(made, settings={})
    digests = {Path(os.path.relpath(file, path.parent)).as_posix(): sha256(file) for file in files}
    return write_json(path, dataclasses.asdict(dataclasses.replace(made, files=digests)))


def read_made(path: Path) -> Made:
    """Read a record, the settings of a stored run from its config.json; `MerError` where it is absent or damaged."""
    value, config = read_json(path), path.with_name("config.json")
    try:
        if not value["settings"] and config.exists():
            experiment = read_json(config)["experiment"]
            value["settings"] = {experiment["name"]: flat(experiment)}
        makers = tuple(Maker(**one) for one in value["made_by"])
        return Made(**value | {"command": tuple(value["command"]), "made_by": makers})
    except (KeyError, TypeError) as error:
        raise MerError(f"{path}: is no record of a shown result ({error}); make that again") from error


def stale(path: Path, command: Sequence[str], settings: Settings) -> list[str]:
    """What of the result recorded at `path` is no longer so by the present declaration and code; empty where nothing.

    Code without versions is from before they were counted, and counts as the first.
    """
    made = read_made(path)
    found = [] if made.command == tuple(command) else [f"command {made.command}, now {tuple(command)}"]
    for one in made.made_by:
        code = one.code or dict.fromkeys(CODE, 1)
        found += [f"code version {name} {v}, now {CODE[name]}" for name, v in code.items() if v != CODE[name]]
    found += _changed(made.settings, settings)
    there = {name: path.parent / name for name in made.files}
    edited = [name for name, file in there.items() if not file.is_file() or sha256(file) != made.files[name]]
    return found + [f"{name} is not the file that was stored" for name in edited]


def said_once(mades: Mapping[str, Made]) -> str:
    """A line for all results of which the same is to be said, one below the other."""
    names: dict[str, list[str]] = {}
    for name, made in mades.items():
        names.setdefault(str(made), []).append(name)
    return "\n".join(f"- {'; '.join(found)}: {text[0].lower()}{text[1:]}" for text, found in names.items())


def _changed(stored: Settings, now: Settings) -> list[str]:
    """Settings that differ; one that was not known then had its default."""
    found = [f"{one} is declared {'no more' if one in stored else 'now'}" for one in sorted(stored.keys() ^ now.keys())]
    for one in sorted(stored.keys() & now.keys()):
        there, here = (json.loads(json.dumps(all_settings(settings[one]))) for settings in (stored, now))
        names = sorted(here.keys() - set(PATHS))
        found += [f"{one}: {n} {there.get(n)}, now {here[n]}" for n in names if there.get(n) != here[n]]
    return found
