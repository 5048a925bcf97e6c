"""What README.md and pages of docs/ say of the stored results: a function a block, from what is stored alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from mer_tf.evaluation.curve import halfways
from mer_tf.files import facts
from mer_tf.reporting.made import NAME, read_made
from mer_tf.reporting.papers import MARKS, citation, experiments_of, known_of, options, settings, shown
from mer_tf.reporting.readme import results_markdown, summary_markdown

TABLES = {
    "paper_a": "paper A on look-alikes of SMIC and CASME II",
    "paper_b": "paper B and the descriptors that stand for what it is compared with",
    "paper_c": "paper C, with its claim on heat maps",
    "paper_d": "paper D, every part alone and together",
    "exp7_five_folds": "exp7 by five folds",
    "exp7_loso_smic": "exp7 by leaving one subject out",
    "exp8_68_subjects_800_epochs": "STSTNet with the 800 epochs of its authors' code",
    "exp8_all_rows": "all rows of the composite, with their times and paired differences, on 16 drawn subjects",
}


def _confusion(docs: Path) -> str:
    made = read_made(docs / "results" / "exp2_vggface_lstm" / NAME)
    return f"![Confusion matrix of exp2_vggface_lstm](confusion.png)\n\n{made}"


def _contact_sheet(docs: Path) -> str:
    alt = "Contact sheet: onset to offset, and the difference of apex and onset, for one subject"
    return f"![{alt}](contact_sheet.jpg)\n\n{read_made(docs / f'contact_sheet.{NAME}')}"


def _picture_alone(docs: Path, name: str, alt: str) -> str:
    """A curve that was stored before its table was."""
    return f"![{alt}]({name}.png)\n\n{read_made(docs / f'{name}.{NAME}')} Its table was not kept."


def _ladder(docs: Path) -> str:
    if not (docs / "ladder.csv").exists():
        return _picture_alone(docs, "ladder", "Leak ladder: UAR of one model under five protocols")
    table = pd.read_csv(docs / "ladder.csv")
    rungs = zip(table["rung"].str.replace(",", ""), table["UAR"], strict=True)
    said = ", ".join(f"{rung} {uar:.1%}" for rung, uar in rungs)
    made = read_made(docs / f"ladder.{NAME}")
    return f"![Leak ladder, UAR: {said}](ladder.png)\n\nNumbers: [ladder.csv](ladder.csv). {made}"


def _sensitivity(docs: Path) -> str:
    alt = "UAR against amplitude, for single frames and the LSTM at 100 and 25 frames a second"
    if not (docs / "sensitivity.csv").exists():
        return _picture_alone(docs, "sensitivity", alt)
    curve = pd.read_csv(docs / "sensitivity.csv")
    half = halfways(curve).set_index(["experiment", "fps"])["amplitude"]
    end = curve[curve["amplitude"] == curve["amplitude"].max()].set_index(["experiment", "fps"])["UAR"]
    lstm, single = "exp2_vggface_lstm", "exp1_vggface_frames"
    said = (
        f"The LSTM passes halfway between chance and its ceiling {_at(half[lstm, 100])}, single frames "
        f"{_at(half[single, 100])}; at 25 frames a second the LSTM ends at {end[lstm, 25]:.0%} instead of "
        f"{end[lstm, 100]:.0%}."
    )
    made = read_made(docs / f"sensitivity.{NAME}")
    numbers = "Numbers: [sensitivity.csv](sensitivity.csv)."
    return f"{said}\n\n![{alt}](sensitivity.png)\n\n{numbers} {made}"


def _at(amplitude: float) -> str:
    return "at no amplitude" if pd.isna(amplitude) else f"at {amplitude:.1f} pixels"


def _tables(docs: Path) -> str:
    """The tables that are stored; one that was not made yet is not listed."""
    records = {name: docs / "tables" / f"{name}.{NAME}" for name in TABLES}
    made = {name: read_made(path) for name, path in records.items() if path.exists()}
    return "\n".join(f"- [{TABLES[name]}](tables/{name}.txt). {one}" for name, one in made.items())


def _variation(docs: Path) -> str:
    """How far the same experiment's UAR lies apart between training seeds, and with and without oneDNN."""
    table = pd.read_csv(docs / "variation.csv")
    groups = table.groupby(["processor", "onednn"], sort=False)["UAR"]
    said = [
        f"{uar.min():.1%} to {uar.max():.1%} (mean {uar.mean():.1%}, standard deviation {100 * uar.std():.1f} points) "
        f"with oneDNN {'on' if on else 'off'}"
        for (_, on), uar in groups
    ]
    apart = table.pivot(index="seed", columns="onednn", values="UAR")
    most = 100 * (apart[True] - apart[False]).abs().max()
    return (
        f"How far figures vary: with {table['seed'].nunique()} training seeds, exp2_vggface_lstm's UAR is "
        f"{' and '.join(said)}. With the same seed the two lie up to {most:.1f} points apart: figures of one "
        f"training on another machine differ as much. mer_tf turns oneDNN on. Numbers: "
        f"[variation.csv](variation.csv). {read_made(docs / f'variation.{NAME}')}"
    )


BLOCKS: dict[str, Callable[[Path], str]] = {
    "confusion": _confusion,
    "summary": lambda docs: summary_markdown(docs / "results"),
    "results": lambda docs: results_markdown(docs / "results", linked=False),
    "variation": _variation,
    "contact_sheet": _contact_sheet,
    "sensitivity": _sensitivity,
    "tables": _tables,
    "ladder": _ladder,
}
"""Name of a block's markers -> what stands between them, given docs/."""
PAGES = {name: "docs/results.md" for name in BLOCKS} | {"summary": "README.md", "ladder": "docs/protocols.md"}
"""Name of a block -> the page that has it."""


def papers_markdown() -> str:
    """docs/papers.md: a table a paper."""
    marks = "\n".join(f"- **{mark}**: {meaning}." for mark, meaning in MARKS.items())
    parts = [
        "# The rebuilt papers",
        "What the declarations in experiments/ take from each paper, and what was filled in. Made from "
        "data_manifests/papers.csv and paper_settings.csv by `python docs/regenerate.py --readme`; the report of a run "
        "shows the same rows, with what the run did beside them.",
        marks,
        *(_paper(paper) for paper in facts("papers.csv")["paper"]),
    ]
    return "\n\n".join(parts) + "\n"


def _paper(paper: str) -> str:
    cited, table = known_of(paper), settings(paper)
    offered = [
        "; ".join(f"{'' if set_ else 'instead '}`--{words}`" for set_, words in options(c)) for c in table["option"]
    ]
    whose = [", ".join(name.partition("_")[0] for name in names.split()) for names in table["experiments"]]
    rows = shown(table).assign(option=offered)
    rows["statement"] = [f"{s} ({w})" if w else s for s, w in zip(rows["statement"], whose, strict=True)]
    lines = ["| " + " | ".join(row) + " |" for row in rows.to_numpy(str)]
    head = ["| " + " | ".join(rows.columns) + " |", "|" + "-|" * len(rows.columns)]
    scripts = ", ".join(f"`{name}.py`" for name in experiments_of(paper))
    return "\n\n".join(
        [
            f"## Paper {paper}",
            f"{citation(paper)}.\n\nRead: {cited['read']}. Experiments: {scripts}.",
            "\n".join([*head, *lines]),
        ]
    )
