"""What a page that is passed on may not tell: whose machine made it, and what people look like who did not agree."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

from mer_tf.files import facts
from mer_tf.notices import SYNTHETIC, Notice
from mer_tf.reporting.run_files import Run

ABSOLUTE = re.compile(r"(?<![\w.~/:<…])(?:[A-Za-z]:(?=\\))?(?:[/\\][^\s/\\'\"`:;,()\[\]<>]+)+[/\\]?")
"""A path from the root of a disk within a text; no address, no fraction, no tag."""
WHOLE = re.compile(r"(?:/|[A-Za-z]:[\\/]|\\\\)[^\n]*[^\n/\\][^\n]*")
"""A text that is such a path and nothing else: it may hold blanks."""


def of_people(run: Run) -> bool:
    """Whether the run's pictures show people: everything but a look-alike that was drawn for it or named as one."""
    settings = run.settings
    if settings["data.manifests"]:
        return True  # some of several roots may be drawn, and nobody knows which
    return bool(settings["data.root"]) and SYNTHETIC not in {w.code for w in run.warnings}


def hidden(run: Run, faces: bool) -> str:
    """Why the pictures of a run are not embedded; "" where they are."""
    if faces or not of_people(run):
        return ""
    return "shows people's faces and is left out; `mer-tf report --faces` embeds it where the licence permits"


def licences(run: Run) -> list[str]:
    """What each data set of the run asks of who shows the page, by data_manifests/licences.csv; none for drawn data."""
    if not of_people(run):
        return []
    homes = sorted(set(run.manifest["dataset"])) if len(run.manifest) else [str(run.settings["data.dataset"])]
    return list(dict.fromkeys(_licence(home) for home in homes))


def _licence(dataset: str) -> str:
    """One data set's, whatever the camera or part of it."""
    known = {row["dataset"]: row for row in facts("licences.csv").to_dict("records")}
    row = known.get(dataset) or known.get(dataset.split("-")[0])
    if row is None:
        return (
            f"Data set {dataset}: its licence is not known here. Before you pass on this page or a picture from it, "
            "ask whose faces they are and who gave them to you."
        )
    unsure = ", quoted from memory" if row["certainty"] == "memory" else ""
    given = f"{row['holder']} gives it to those who signed its licence agreement"
    return (
        f"{row['name']}: {given}; cite {row['cite']}{unsure}. "
        "Before you pass on this page or a picture from it, read in that agreement whose faces may be shown."
    )


def without_places(run: Run) -> Run:
    """The run with all that is shown of it free of absolute paths; its own files stay where they are."""
    texts = ("name", "settings", "config", "environment", "warnings", "self_tests", "problems")
    return dataclasses.replace(run, **{name: _shown(getattr(run, name)) for name in texts})


def place(path: Path) -> str:
    """A folder as it is shown: below the working directory by its relative path, elsewhere by its name."""
    try:
        return str(path.resolve().relative_to(Path.cwd())) if path.is_absolute() else str(path)
    except ValueError:
        return f"…/{path.name}"


def _shown(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _shown(held) for key, held in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_shown(held) for held in value)
    if isinstance(value, Notice):
        return dataclasses.replace(value, text=without_paths(value.text))
    return without_paths(value) if isinstance(value, str) else value


def without_paths(text: str) -> str:
    """The text with only the last part of each absolute path; a script of experiments/ keeps its folder."""
    return _last(text) if WHOLE.fullmatch(text) else ABSOLUTE.sub(lambda found: _last(found[0]), text)


def _last(path: str) -> str:
    parts = [part for part in re.split(r"[/\\]", path) if part]
    if len(parts) > 1 and parts[-2] == "experiments":
        return f"experiments/{parts[-1]}"
    return f"…/{parts[-1]}"
