"""The runs below a folder, one line each: what was run, when, on what, with which figures, and whether it ended."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from mer_tf.changes import all_settings, flat
from mer_tf.config import MerError
from mer_tf.files import read_mapping
from mer_tf.locks import held

WIDEST = 120
STAMP = len("20260102-030405")
"""How much of a run directory's name is its date."""
HEADS = ("run", "date", "data set", "n", "UF1", "UAR [95 %]", "acc.", "maj.", "state")


@dataclass(frozen=True)
class Line:
    """A run, or one method of a run that has several. Figures are None as long as there are none."""

    run: str
    experiment: str
    date: str
    dataset: str
    state: str
    n: int | None = None
    UF1: float | None = None
    UAR: float | None = None
    UAR_low: float | None = None
    UAR_high: float | None = None
    accuracy: float | None = None
    majority_rate: float | None = None


def list_runs(folder: Path) -> list[Line]:
    """Runs of experiments below a folder, by experiment and date. `MerError` where there is no such folder."""
    if not folder.is_dir():
        raise MerError(f"{folder}: is no folder; give the one that runs were written into (--out of an experiment)")
    return [line for path in sorted(folder.rglob("config.json")) for line in _lines(path)]


def run_date(directory: Path, config: Mapping[str, Any]) -> datetime:
    """When a run was started: as it says, else as its folder is named, else when its configuration was written."""
    with suppress(ValueError):  # also where it says nothing
        return datetime.fromisoformat(str(config.get("started", "")))
    with suppress(ValueError):
        return datetime.strptime(directory.name[:STAMP], "%Y%m%d-%H%M%S")
    return datetime.fromtimestamp((directory / "config.json").stat().st_mtime)


def data_words(settings: Mapping[str, Any]) -> str:
    """The data set of a run, and whether it was drawn."""
    if settings["data.manifests"]:
        return f"{len(settings['data.manifests'])} manifests"
    return f"{settings['data.dataset']}{'' if settings['data.root'] else ', drawn'}"


def as_table(lines: Sequence[Line]) -> str:
    """Text of at most 120 columns: runs below the folder that holds them; scores in per cent."""
    if not lines:
        return "no runs"
    rows = [HEADS, *map(_cells, lines)]
    widths = [max(len(row[k]) for row in rows) for k in range(len(HEADS))]
    widths[0] = max(len(HEADS[0]), widths[0] + min(0, WIDEST - sum(widths) - 2 * len(widths)))
    shown, home = [_joined(rows[0], widths)], ""
    for line, row in zip(lines, rows[1:], strict=True):
        if home != (home := f"{line.experiment.partition(': ')[0]} in {Path(line.run).parent.as_posix()}"):
            shown.append(home if len(home) <= WIDEST else f"{home[: WIDEST - 1]}…")
        shown.append(_joined(row, widths))
    return "\n".join(shown)


def as_csv(lines: Sequence[Line]) -> str:
    """CSV with all fields, scores as they are stored."""
    names = [field.name for field in fields(Line)]
    return pd.DataFrame(lines, columns=names).to_csv(index=False, lineterminator="\n").rstrip("\n")


def as_json(lines: Sequence[Line]) -> str:
    return json.dumps([asdict(line) for line in lines], indent=2, ensure_ascii=False)


def _lines(path: Path) -> Iterator[Line]:
    try:
        config = read_mapping(path)
        name = str(config["experiment"]["name"])
        settings = all_settings(flat(config["experiment"]))
    except (MerError, KeyError, TypeError, AttributeError):
        return  # of another program, or of a run that trains no experiment
    directory = path.parent
    if (directory / "ladder.csv").exists():
        return  # of `mer-tf ladder`, whose rungs are several protocols
    date = run_date(directory, config).isoformat(" ", "minutes")
    about = (name, date, data_words(settings))
    try:
        results = read_mapping(directory / "metrics.json")
    except MerError:
        yield Line(directory.as_posix(), *about, _state(directory, settings))
        return
    found: dict[str, Any] = results.get("results") or {}
    for method in [name] if name in found else found:
        said = name if method == name else f"{name}: {method}"
        yield Line(directory.as_posix(), said, *about[1:], "finished", **_figures(found[method]))


def _figures(scores: Any) -> dict[str, Any]:
    """Nothing of a file that holds other figures."""
    try:
        low, high = scores["UAR"]["ci95"]
        pooled = {name: scores[name]["pooled"] for name in ("UF1", "UAR", "accuracy")}
        return pooled | {"n": scores["n"], "UAR_low": low, "UAR_high": high, "majority_rate": scores["majority_rate"]}
    except (KeyError, TypeError, ValueError):
        return {}


def _state(directory: Path, settings: Mapping[str, Any]) -> str:
    """Of a run without results: whether a process has it in hand, and the first fold that is not done."""
    if (directory / "predictions.csv").exists():
        return "predictions alone"
    done = {_place(path) for path in directory.glob("**/fold-*/predictions.csv")}
    first, count = settings["train.seed"], settings["evaluation.seeds"]
    seeds = [str(seed) for seed in range(first, first + count)] if count > 1 else [""]
    folds = int(settings["evaluation.folds"])
    if settings["evaluation.split"] not in ("group", "group-plain", "clip"):
        folds = 2 + max([fold for _, fold in done], default=-1)  # how many there are hangs on the data
    left = ((seed, fold) for seed in seeds for fold in range(folds) if (seed, fold) not in done)
    seed, at = next(left, ("", "results"))
    said = f"{at if at == 'results' else f'fold {at}'}{seed and f', seed {seed}'}"
    return f"running, {said}" if _in_hand(directory) else f"stopped at {said}"


def _place(path: Path) -> tuple[str, int]:
    """Seed, where there are several, and fold of a fold's file."""
    seed = path.parents[1].name.removeprefix("seed-") if path.parents[1].name.startswith("seed-") else ""
    number = path.parent.name.removeprefix("fold-")
    return seed, int(number) if number.isdecimal() else -1


def _in_hand(directory: Path) -> bool:
    lock = directory.with_name(f".{directory.name}.lock")
    try:
        with held(directory) if lock.exists() else nullcontext():
            return False
    except MerError:
        return True


def _cells(line: Line) -> tuple[str, ...]:
    def percent(value: float | None) -> str:
        return "" if value is None else f"{100 * value:.1f}"

    method = line.experiment.partition(": ")[2]
    name = f"  {Path(line.run).name}{' ' + method if method else ''}"
    interval = f"{percent(line.UAR)} [{percent(line.UAR_low)}, {percent(line.UAR_high)}]" if line.n else ""
    count = "" if line.n is None else str(line.n)
    scores = (count, percent(line.UF1), interval, percent(line.accuracy), percent(line.majority_rate))
    return (name, line.date[:10], line.dataset, *scores, line.state)


def _joined(row: Sequence[str], widths: Sequence[int]) -> str:
    cut = [c if len(c) <= w else f"{c[: w - 1]}…" for c, w in zip(row, widths, strict=True)]
    return "  ".join(c.ljust(w) for c, w in zip(cut, widths, strict=True)).rstrip()
