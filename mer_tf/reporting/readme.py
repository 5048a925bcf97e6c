"""The results tables of README.md and docs/, and the files below docs/results from which anybody derives them again."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from mer_tf.changes import flat
from mer_tf.config import Data, Experiment, MerError, Preset, preset_of
from mer_tf.evaluation.predictions import write_predictions
from mer_tf.files import write_json, write_text
from mer_tf.notices import SYNTHETIC
from mer_tf.reporting.analysis import BASELINE, PATHS, Analysis, as_words, differences
from mer_tf.reporting.made import NAME, Made, maker, read_made, said_once, seeds_of, write_made
from mer_tf.reporting.run_files import Run, read_run
from mer_tf.reporting.tables import score_cells
from mer_tf.reporting.warnings import dangers

RESULTS = "docs/results"
PAGE = "docs/results.md"
"""The page that shows all results, where there is one beside README.md, which then has the summary alone."""
STILL = {"data.amplitude": 0.0}
"""What a run on drawn clips without motion changes."""
MAJORITY = "always the majority class"

Declared = Callable[[str, Preset], Experiment]
"""Name of an experiment and a preset -> its declaration."""


def store_and_update(runs: Sequence[Path], readme: Path, declared: Declared) -> list[Path]:
    """Keep each run below docs/results beside `readme`, then write its table from all that is kept; return the paths.

    The table stands in docs/results.md where that page is there, and README.md then has its summary.
    Raises `MerError` for an unfinished run and for a page without the markers.
    """
    folder, page = readme.parent / RESULTS, readme.parent / PAGE
    shown = {page: "results", readme: "summary"} if page.exists() else {readme: "results"}
    for path, name in shown.items():
        around(path, name)
    stored = [store(read_run(run), folder, declared) for run in runs]
    table = results_markdown(folder, linked=page not in shown)
    for path, name in shown.items():
        update(path, table if name == "results" else summary_markdown(folder), name)
    return [*stored, *shown]


def store(run: Run, folder: Path, declared: Declared) -> Path:
    """Copy what the table derives from to <folder>/<experiment>[-<what was changed>]/; return that directory."""
    if run.predictions is None:
        raise MerError(f"{run.directory}: is unfinished, it has no predictions.csv; go on with --resume")
    if not re.fullmatch(r"[\w.-]*\w[\w.-]*", run.name):
        raise MerError(f"{run.directory / 'config.json'}: experiment {run.name!r} cannot name a folder; use letters")
    preset = preset_of(Data(root=run.settings["data.root"], manifests=run.settings["data.manifests"]))
    changes = differences(flat(asdict(declared(run.name, preset))), run.settings)
    words = re.findall(r"[\w.]+", " ".join(as_words(changes)))
    directory = folder / "-".join([run.name, *words, *(["paper"] if preset == "paper" else [])])
    write_predictions(run.predictions, directory / "predictions.csv")
    if run.baseline is not None:
        write_predictions(run.baseline, directory / "baseline_onset.csv")
    config = {
        "experiment": _without_paths(run.config["experiment"]),
        "preset": preset,
        "changes": changes,
        "resolved": {"encoder": run.resolved.get("encoder")},
        "warnings": [{**asdict(w), "text": w.text.replace(str(Path.home()), "~")} for w in run.warnings],
    }
    write_json(directory / "config.json", config)
    _record(run, config, directory)
    return directory


def update(readme: Path, block: str, name: str = "results") -> Path:
    """Put `block` between the markers `name` of `readme`; return its path."""
    before, after = around(readme, name)
    return write_text(readme, f"{before}<!-- {name} -->\n{block}\n<!-- /{name} -->{after}")


def results_markdown(folder: Path, linked: bool = True) -> str:
    """The table of all runs kept below `folder`, a row a run and its baseline; what made them; what columns mean.

    linked: name the folder by a link from README.md; a website has no folder to lead to.
    """
    found = _kept(folder)
    head = f"| {_subject(found)} | accuracy | UAR | UF1 | p (UAR) | n |"
    made = {one.label: read_made(one.run.directory / NAME) for one in found}
    place = f"[docs/results]({RESULTS})" if linked else f"`{RESULTS}`"
    return "\n".join([head, "|-|-|-|-|-|-|", *_rows(found), "", said_once(made), "", _caption(found, place)])


def summary_markdown(folder: Path) -> str:
    """A row for each experiment kept below `folder`: its UAR, and what the controls on the same clips reach."""
    found = _kept(folder)
    still = {one.run.name: one.metrics for one in found if one.run.config.get("changes") == STILL}
    rows = [
        f"| `{one.run.name}` | {_uar(one.metrics)} | {_uar(one.baseline)} | {_uar(still.get(one.run.name))} "
        f"| {one.metrics['chance_UAR']:.1%} | {one.metrics['n']} |"
        for one in found
        if not one.run.config.get("changes")
    ]
    head = "| experiment | UAR | onset frame alone | no motion drawn | chance | clips |"
    return "\n".join([head, "|-|-|-|-|-|-|", *rows])


def _kept(folder: Path) -> list[Analysis]:
    runs = [read_run(path.parent) for path in sorted(folder.glob("*/config.json"))]
    found = [Analysis(r, _label(r), r.predictions) for r in runs if r.predictions is not None]
    if not found:
        raise MerError(f"{folder}: keeps no run; store one with mer-tf report RUN --update-readme README.md")
    return found


def _uar(metrics: dict[str, Any] | None) -> str:
    return score_cells(metrics)["UAR"] if metrics else "not run"


def _record(run: Run, config: dict[str, Any], directory: Path) -> None:
    """made.json of a stored run, by what that says of itself; how long it took it does not say."""
    words = ["python", f"experiments/{run.name}.py", *(f"--{words}" for words in as_words(config["changes"]))]
    if config["preset"] == "paper":
        words.append("--preset paper")
    day = datetime.fromtimestamp((run.directory / "predictions.csv").stat().st_mtime).date().isoformat()
    made = Made((" ".join(words),), (maker(run.environment),), seeds_of({run.name: run.settings}), day, None)
    write_made(directory / NAME, made, sorted(p for p in directory.iterdir() if p.name != NAME))


def _rows(found: Sequence[Analysis]) -> list[str]:
    """A row for each run, and for what the onset frame alone and the majority class reach on its clips.

    Of several runs that share such a control it stands once, with the names of all.
    """
    rows: dict[tuple[str, str], list[str]] = {}
    for one in found:
        rows[one.label, _cells(one.metrics)] = []
        if one.baseline:
            rows.setdefault((BASELINE, _cells(one.baseline)), []).append(one.label)
    for one in found:
        majority = f"{one.metrics['majority_rate']:.1%} | {one.metrics['chance_UAR']:.1%} | | | {one.metrics['n']}"
        rows.setdefault((MAJORITY, majority), []).append(one.label)
    return [f"| {name}{', of ' * bool(of)}{'; '.join(of)} | {cells} |" for (name, cells), of in rows.items()]


def _cells(metrics: dict[str, Any]) -> str:
    return " | ".join([*score_cells(metrics).values(), f"{metrics['permutation_p_UAR']:.4f}", str(metrics["n"])])


def _caption(found: Sequence[Analysis], place: str) -> str:
    seeds = " ±: standard deviation over repeated trainings." if any(one.metrics["seeds"] > 1 for one in found) else ""
    encoders = ", ".join(dict.fromkeys(str(one.run.resolved.get("encoder")) for one in found))
    return (
        "Pooled: every clip is predicted once, in the fold that tests its subject, and the score is computed over all "
        "clips together. In brackets the 95 % interval when subjects are drawn anew: what another training would "
        f"change is left out of it.{seeds} p: predictions shuffled within subjects, of the UAR. n: clips. Encoder: "
        f"{encoders}. Derived from {place}."
    )


def _subject(found: Sequence[Analysis]) -> str:
    """Head of the first column: the data, where all runs agree on it."""
    said = {f"{one.metrics['n']} clips of {one.metrics['subjects']} subjects" for one in found}
    kind = "synthetic look-alike, " if all(SYNTHETIC in {w.code for w in one.run.warnings} for one in found) else ""
    return kind + said.pop() if len(said) == 1 else kind.removesuffix(", ")


def _label(run: Run) -> str:
    changed = [f"`--{words}`" for words in as_words(run.config.get("changes") or {})]
    return ", ".join([run.name, *changed, *(f"**{one.title}**" for one in dangers(run))])


def _without_paths(experiment: dict[str, Any]) -> dict[str, Any]:
    """The declaration without where files lay on the machine that ran it."""
    kept = {k: v for k, v in experiment.items() if k not in PATHS}
    data = {k: v for k, v in experiment.get("data", {}).items() if f"data.{k}" not in PATHS}
    return kept | {"data": data}


def around(readme: Path, name: str = "results") -> tuple[str, str]:
    """Text before the marker `name` of `readme` and after the one that ends it; `MerError` where one is missing."""
    first, last = f"<!-- {name} -->", f"<!-- /{name} -->"
    try:
        text = readme.read_text(encoding="utf-8")
    except OSError as error:
        raise MerError(f"{readme}: cannot be read ({error.strerror}); name the README.md to update") from error
    before, start, rest = text.partition(first)
    _, end, after = rest.partition(last)
    if not start or not end:
        raise MerError(f"{readme}: has no {first} followed by {last}; put both where the {name} belong")
    return before, after
