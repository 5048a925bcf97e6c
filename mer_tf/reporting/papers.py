"""The rebuilt papers: how each is cited, and what of its settings is printed and what is not, as text and as tables."""

from __future__ import annotations

import pandas as pd

from mer_tf.files import facts
from mer_tf.reporting.analysis import as_words
from mer_tf.reporting.run_files import Run

MARKS = {
    "printed": "in the paper's text, with the words",
    "released code": "in its authors' public code, not in the text",
    "inferred": "follows from the text or the code, or is taken from what the paper seems to build on",
    "ours": "our choice, where the text is silent",
}
INSTEAD = "or "
"""Before an option of paper_settings.csv that is offered, but not set in the declaration after the paper."""


def paper_of(experiment: str) -> str:
    """Letter of the paper that an experiment of this name rebuilds; empty for none."""
    return next((letter for letter in facts("papers.csv")["paper"] if experiment in experiments_of(letter)), "")


def citation(paper: str) -> str:
    """Authors, title, venue, year and DOI as far as they are known."""
    cited = known_of(paper)
    parts = [cited[name] for name in ("authors", "title", "venue", "year")]
    doi = f"https://doi.org/{cited['doi']}" if cited["doi"] else ""
    return ". ".join(part for part in [*parts, doi] if part) or "Neither title nor authors nor DOI are known"


def settings(paper: str, experiment: str = "") -> pd.DataFrame:
    """Rows of paper_settings.csv of a paper, or of them those that hold for one of its experiments."""
    table = facts("paper_settings.csv")
    of_paper = table[table["paper"] == paper]
    named = of_paper["experiments"].str.split()
    return of_paper[[not experiment or not names or experiment in names for names in named]]


def options(cell: str) -> list[tuple[bool, str]]:
    """Of a cell of options whether each is set in the declaration after the paper, and its words, "clip.frames 13"."""
    return [(not one.startswith(INSTEAD), one.removeprefix(INSTEAD)) for one in cell.split("; ") if one]


def of_run(run: Run) -> pd.DataFrame:
    """What the paper says and what this run did: statement, value, mark, where, this run."""
    table = settings(paper_of(run.name), run.name)
    here = []
    for cell in table["option"]:
        names = dict.fromkeys(words.partition(" ")[0] for _, words in options(cell))
        here.append(", ".join(as_words({name: run.settings[name] for name in names if name in run.settings})))
    return shown(table).assign(**{"this run": here})


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of settings as they are shown: statement, value, mark and where with the quoted words."""
    quoted = [f"{w}: “{q}”" if q else w for w, q in zip(table["where"], table["quote"], strict=True)]
    return table[["statement", "value", "mark"]].assign(where=quoted)


def known_of(paper: str) -> dict[str, str]:
    """The row of papers.csv: what is known of a paper."""
    table = facts("papers.csv").set_index("paper")
    return {str(name): str(value) for name, value in table.loc[paper].items()}


def experiments_of(paper: str) -> list[str]:
    """Names of the experiments that rebuild a paper."""
    return known_of(paper)["experiments"].split()
