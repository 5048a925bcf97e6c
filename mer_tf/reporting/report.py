"""The HTML report: one self-contained page for one or several runs, derived from their predictions."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from mer_tf import __version__
from mer_tf.changes import flat
from mer_tf.evaluation.metrics import SCORES, row_shares
from mer_tf.evaluation.variants import variant_warnings
from mer_tf.files import write_text
from mer_tf.reporting import page_tables, papers, privacy, svg
from mer_tf.reporting import run_words as described
from mer_tf.reporting.analysis import Analysis, analyse, run_labels
from mer_tf.reporting.embedded import picture_sections, worst_pictures
from mer_tf.reporting.how_to_read import how_to_read
from mer_tf.reporting.run_files import Run, read_run
from mer_tf.reporting.warnings import dangers, notes, told

PICTURES = {"gradcam": "Heat maps (Grad-CAM)", "attention": "Attention"}
LONG = 20
"""Rows above which a long table is folded."""


def write_report(directories: Sequence[Path], out: Path, *, faces: bool = False) -> Path:
    """Write the report of the run directories to `out`; return the path. `MerError` for a directory that is no run.

    Pictures of people are embedded with `faces` alone.
    """
    return write_text(out, report_html([read_run(d) for d in directories], faces=faces))


def report_html(runs: Sequence[Run], *, faces: bool = False) -> str:
    """The page as text. Unfinished runs are named as such and have no numbers; no absolute path is shown."""
    runs = [privacy.without_places(run) for run in runs]
    labels = run_labels(runs)
    threats = [dangers(run) for run in runs]
    finished = {a.label: a for a in analyse(runs)}
    parts = [
        {"id": f"run-{k + 1}", "label": label, "run": run, "analysis": finished.get(label), "dangers": threat}
        for k, (label, run, threat) in enumerate(zip(labels, runs, threats, strict=True))
    ]
    shown, names = list(finished.values()), ", ".join(dict.fromkeys(run.name for run in runs))
    title = f"{names}: {len(runs)} runs" if len(runs) > 1 else names
    tables = {
        "dangers": told(labels, threats),
        "notes": told(labels, [notes(run) for run in runs]),
        "systems": page_tables.systems(shown),
        "differences": page_tables.paired_differences(shown),
        "published": page_tables.published(runs, shown),
    }
    return page_of("report.html.j2", parts=parts, title=title, faces=faces, **tables)


def page_of(template: str, **values: Any) -> str:
    return _environment().get_template(template).render(**values)


@cache
def _environment() -> Environment:
    """Its templates are compiled once: that takes longer than to write a page."""
    environment = Environment(
        loader=PackageLoader("mer_tf.reporting"),
        auto_reload=False,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "contents": _contents,
        "flat": flat,
        "interval": page_tables.interval,
        "percent": page_tables.percent,
        "place": privacy.place,
        "question": described.question,
        "subtitle": described.subtitle,
    }
    environment.globals |= {
        "LONG": LONG,
        "PICTURES": PICTURES,
        "SCORES": SCORES,
        "described": described,
        "papers": papers,
        "how_to_read": how_to_read,
        "picture_sections": picture_sections,
        "privacy": privacy,
        "row_shares": row_shares,
        "svg": svg,
        "tables": page_tables,
        "variant_warnings": variant_warnings,
        "version": __version__,
        "worst_pictures": worst_pictures,
    }
    return environment


def _contents(run: Run, analysis: Analysis | None) -> list[tuple[str, str]]:
    """Name and heading of each section that the run has something for; its template is section_<name>.html.j2."""
    there = {
        "protocol": ("Protocol", True),
        "paper": ("What the paper says", bool(papers.paper_of(run.name))),
        "data": ("Data", analysis is not None),
        "clips": ("Clips", analysis is not None),
        "tests": ("Self-tests", bool(run.self_tests)),
        "variants": ("Metric variants", analysis is not None),
        "confusion": ("Confusion matrices", analysis is not None),
        "curves": ("Learning curves", bool(run.history[["loss", "accuracy"]].notna().to_numpy().any())),
        "subjects": ("Subjects", analysis is not None and not analysis.subjects.empty),
        "pictures": ("Pictures", not run.pictures.empty),
        "worst": ("Worst clips", not run.worst.empty),
        "again": ("Run it again", True),
    }
    return [(name, heading) for name, (heading, held) in there.items() if held]
