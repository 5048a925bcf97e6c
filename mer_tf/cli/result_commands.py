"""Commands about results: anybody's predictions, published figures, and the report of runs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal

import tyro

from mer_tf.config import MerError
from mer_tf.ranges import Count, Countless, Several


def score(
    predictions: tyro.conf.Positional[Path],
    true: str | None = None,
    pred: str | None = None,
    clip: str | None = None,
    subject: str | None = None,
    fold: str | None = None,
    dataset: str | None = None,
    classes: tuple[str, ...] = (),
    expect_support: tuple[str, ...] = (),
    expect: tuple[str, str] | None = None,
    per_subject: bool = False,
    out: Path | None = None,
    bootstrap: Count = 2000,
    permutations: Countless = 9999,
    intervals: Path | None = None,
) -> None:
    """Accuracy, UAR, UF1, every variant of them and per-class figures of anybody's predictions.

    With --intervals: F1 of spotting in long videos, as MEGC counts it.

    Args:
        predictions: A table (.csv, .tsv, .xlsx) with true and predicted labels, a published network's training log
            (Subject, Predicted, Ground Truth), or a run directory.
        true: Column of the true label, where its name is unusual.
        pred: Column of the predicted label.
        clip: Column that names the clip; without one the rows are numbered.
        subject: Column of the subject; without one each clip counts as a subject of its own.
        fold: Column of the fold.
        dataset: Column of the data set.
        classes: Names of class indices 0, 1, ..., as: negative positive surprise.
        expect_support: True clips of each class, as negative=70 positive=51; exit status 1 when they differ.
        expect: The same from published counts, by label protocol and data set, as: smic-3 smic-hs.
        per_subject: List every subject's figures too.
        out: Write everything as JSON here.
        bootstrap: Draws for the 95 % intervals.
        permutations: Shuffles for the p-value.
        intervals: Manifest of long videos; the table then holds found intervals: video, onset, offset, and where known
            type (micro, macro) and emotion. What `mer-tf spot` writes is such a table.
    """
    if intervals:
        _score_intervals(predictions, intervals, out)
        return
    from mer_tf.scoring.scorecard import scorecard
    from mer_tf.scoring.support import parse_support, published_support
    from mer_tf.scoring.tables import read_foreign

    columns = {"y_true": true, "y_pred": pred, "clip_id": clip, "subject": subject, "fold": fold, "dataset": dataset}
    expected = (published_support(*expect) if expect else {}) | parse_support(expect_support)
    foreign = read_foreign(predictions, columns, classes)
    text, passed = scorecard(
        predictions.name,
        foreign,
        expected,
        subjects=per_subject,
        out=out,
        bootstrap=bootstrap,
        permutations=permutations,
    )
    print(text)
    if (predictions / "config.json").exists():
        from mer_tf.reporting import privacy
        from mer_tf.reporting.run_files import read_run

        for said in privacy.licences(read_run(predictions)):
            print(said)
    if not passed:
        sys.exit(1)


def _score_intervals(table: Path, manifest: Path, out: Path | None) -> None:
    from mer_tf.datasets.manifest import read_manifest
    from mer_tf.files import write_json
    from mer_tf.scoring.intervals import (
        read_intervals,
        score_spotting,
        spotting_json,
        spotting_text,
        true_intervals,
    )

    rows = read_manifest(manifest)
    result = score_spotting(true_intervals(rows), read_intervals(table, rows))
    print(spotting_text(result))
    if out:
        write_json(out, spotting_json(result))


def compare(
    first: tyro.conf.Positional[Path],
    second: tyro.conf.Positional[Path],
    classes: tuple[str, ...] = (),
    bootstrap: Count = 2000,
    permutations: Count = 9999,
) -> None:
    """Is one system better than another on the same clips? Paired test that swaps whole subjects.

    Args:
        first: Predictions (anything that `mer-tf score` reads) or a run directory.
        second: The same of the other system.
        classes: Names of class indices 0, 1, ..., where either file has indices.
        bootstrap: Draws for the 95 % intervals of the difference.
        permutations: Random swaps where there are more than 12 subjects.
    """
    from mer_tf.evaluation.statistics import paired_permutation
    from mer_tf.reporting.tables import comparison_text
    from mer_tf.scoring.tables import read_pair

    one, other = read_pair(first, second, classes)
    found = paired_permutation(one.frame, other.frame, draws=permutations, bootstrap=bootstrap)
    print("".join(f"{note}\n" for note in (*one.notes, *other.notes)), end="")
    print(comparison_text(str(first), str(second), found))


def audit(
    paper: Literal["A", "B", "C", "D"] | None = None,
    table: Path | None = None,
    n_max: Several = 400,
    out: Path | None = None,
    strict: bool = False,
) -> None:
    """Are printed figures possible at all? Which k/n print them, which n they betray, which contradict each other.

    Args:
        paper: Only this one of the rebuilt papers; without it all of them.
        table: Anybody's figures instead: CSV with printed, n (as 328, or 328; 66, or sizes averaged over: 66+66+65)
            and optionally key, unit (accuracy %), group, where, same_as, difference_of.
        n_max: Largest sample size tried when n is inferred from the values.
        out: Write every test here as CSV.
        strict: Exit with status 1 when a figure is impossible or two contradict each other.
    """
    from mer_tf.files import write_csv
    from mer_tf.scoring.audit import published_claims, read_claims
    from mer_tf.scoring.audit_report import audit_report

    if paper and table:
        raise MerError(f"{table}: --table and --paper exclude each other; leave one out")
    text, tests, clean = audit_report(read_claims(table) if table else published_claims(paper), n_max)
    print(text)
    if out:
        write_csv(tests, out)
        print(f"\n{out}")
    if strict and not clean:
        sys.exit(1)


def report(
    runs: tyro.conf.Positional[tuple[Path, ...]],
    out: Path = Path("report.html"),
    faces: bool = False,
    update_readme: Path | None = None,
) -> None:
    """Write one HTML page about runs: warnings, scores with intervals, confusions, curves, subjects, pictures.

    Args:
        runs: Run directories, as the experiments print them last.
        out: Page to write; it needs no other file and no network.
        faces: Embed pictures of people too; without it only those of drawn data. The data set's licence says who may
            be shown.
        update_readme: Also keep these runs' predictions in docs/results beside this README.md, and write its table.
    """
    from mer_tf.reporting.readme import store_and_update
    from mer_tf.reporting.report import write_report
    from mer_tf.runner import declared

    if not runs:
        raise MerError("name at least one run directory, as runs/exp2_vggface_lstm/20260101-120000-000-abcdef0")
    print(write_report(runs, out, faces=faces))
    if update_readme:
        scripts = update_readme.parent / "experiments"
        for path in store_and_update(
            runs, update_readme, lambda name, preset: declared(scripts / f"{name}.py", preset)
        ):
            print(path)


def runs(folder: tyro.conf.Positional[Path] = Path("runs"), form: Literal["table", "csv", "json"] = "table") -> None:
    """List runs with their data, figures and state: finished, running, or stopped at which fold.

    Args:
        folder: Folder that runs were written into, --out of an experiment.
        form: table, of at most 120 columns with scores in per cent (acc.: accuracy; maj.: the share of the largest
            class, which accuracy has to beat); csv and json have all figures as they are stored.
    """
    from mer_tf.reporting.run_list import as_csv, as_json, as_table, list_runs

    print({"table": as_table, "csv": as_csv, "json": as_json}[form](list_runs(folder)))
