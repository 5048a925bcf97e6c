"""Results as text: a model, its baselines and published figures in one table, never accuracy alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from mer_tf.config import MerError
from mer_tf.evaluation.metrics import SCORES
from mer_tf.evaluation.orderings import ALPHA, LEAST_SEEDS
from mer_tf.evaluation.statistics import Comparison
from mer_tf.files import facts


def results_table(results: Mapping[str, Mapping[str, Any]]) -> str:
    """One line a system: each score with its 95 % interval in per cent, n, and the permutation p of the UAR."""
    rows = {}
    for name, metrics in results.items():
        rows[name] = score_cells(metrics) | {"n": str(metrics["n"]), "p (UAR)": f"{metrics['permutation_p_UAR']:.4f}"}
    first = next(iter(results.values()))
    majority = {score: "" for score in SCORES} | {"accuracy": f"{first['majority_rate']:.1%}"}
    chance = {"UAR": f"{first['chance_UAR']:.1%}", "n": str(first["n"]), "p (UAR)": ""}
    rows["always the majority class"] = majority | chance
    over = "subjects" if first["subjects"] else "clips"
    count = f"{first['n']} clips of {first['subjects']} subjects" if first["subjects"] else f"{first['n']} clips"
    repeats = f"mean ± standard deviation of {first['seeds']} seeds; " if first["seeds"] > 1 else ""
    note = (
        f"pooled over folds; {repeats}[95 % interval over {over}, training noise left out]; {count}; p: predictions "
        "shuffled within subjects"
    )
    return f"{_aligned(pd.DataFrame(rows).T.fillna(''))}\n{note}"


def class_table(metrics: Mapping[str, Any]) -> str:
    frame = pd.DataFrame(metrics["per_class"]).T
    shown = frame.astype(object)
    for name in ("precision", "recall", "F1"):
        shown[name] = [f"{v:.3f}" for v in frame[name]]
    shown["support"] = [f"{v:.0f}" for v in frame["support"]]
    return _aligned(shown)


def published_table(keys: Sequence[str]) -> str:
    """Published figures as they were printed, by key (data_manifests/published_results.csv)."""
    table = facts("published_results.csv").set_index("key")
    if unknown := [k for k in keys if k not in table.index]:
        raise MerError(f"published_results.csv has no row {', '.join(unknown)}; known: {', '.join(table.index)}")
    return _aligned(
        table.loc[list(keys), ["where", "system", "printed", "unit", "protocol", "note"]].set_index("where")
    )


def side_by_side(tables: pd.DataFrame) -> str:
    """Printed figures beside ours (`paper_tables`): accuracy and UAR with intervals, the mean of folds and n."""
    rows = []
    for row in tables.to_dict("records"):
        cells = {"table": f"{row['table']} {row['column']}", "row": row["row"], "printed": row["printed"]}
        scored = pd.notna(row.get("n"))
        for name in ("accuracy", "UAR"):
            values = [f"{row[name + end] * 100:.1f}" for end in ("", "_low", "_high")] if scored else []
            cells[f"{name} here"] = "{} [{}, {}]".format(*values) if scored else "not rebuilt"
        ours = (f"{row['mean_of_folds_accuracy'] * 100:.1f}", f"{row['n']:.0f}") if scored else ("", "")
        rows.append(cells | dict(zip(("mean of folds", "n"), ours, strict=True)))
    note = "per cent; pooled over folds, [95 % interval over subjects]"
    if not tables["printed"].isin(["unknown", ""]).all():
        note += "; printed: average recognition rate"
    return f"{_aligned(pd.DataFrame(rows).set_index('table'))}\n{note}"


def baseline_text(table: pd.DataFrame) -> str:
    """Systems beside each other on each data set (`baseline_table`): scores with intervals, n, what was published."""
    rows = []
    for row in table.to_dict("records"):
        after = f" (after {row['after']})" if row["after"] else ""
        cells = {"data": row["column"], "system": f"{row['system']}{after}"}
        for name in SCORES:
            cells[name] = "{:.1f} [{:.1f}, {:.1f}]".format(*(row[name + end] * 100 for end in ("", "_low", "_high")))
        majority = {"n": f"{row['n']:.0f}", "majority": f"{row['majority_rate'] * 100:.1f}"}
        rows.append(cells | majority | {"published": row["published"]})
    note = "per cent; pooled over folds, [95 % interval over subjects]; published: as printed, on the licensed data"
    return f"{_aligned(pd.DataFrame(rows).set_index('data'))}\n{note}\n{_not_above_chance(table)}"


def _not_above_chance(table: pd.DataFrame) -> str:
    """By data set, the systems whose interval of UAR reaches chance."""
    low = table[table["UAR_low"] <= table["chance"]]
    if low.empty:
        return "every UAR's interval lies above chance"
    named = (f"{column}: {', '.join(rows['system'])}" for column, rows in low.groupby("column", sort=False))
    return f"UAR not above chance by its interval, in {'; '.join(named)}"


def composite_text(table: pd.DataFrame) -> str:
    """A composite's methods (`protocols.composite`), one line each: UF1 and UAR of all clips, then of each data set."""
    rows: dict[str, dict[str, str]] = {}
    for row in table.to_dict("records"):
        cells = rows.setdefault(row["method"], {})
        for score in ("UF1", "UAR"):
            if row["data"] == table["data"].iloc[0]:
                marks = row.get(f"{score}_marks", "")
                cells[f"published {score}"] = row[f"{score}_published"] + (f" ({marks})" if marks else "")
            if pd.isna(row[score]):
                continue
            value = f"{row[score]:.3f}"
            if row["data"] == table["data"].iloc[0]:
                value += f" [{row[f'{score}_low']:.3f}, {row[f'{score}_high']:.3f}]"
            cells[f"{row['data']} {score}"] = value
    first = table[table["method"] == table["method"].iloc[0]].to_dict("records")
    people = (
        "{data} {n:.0f} clips of {subjects:.0f} subjects, majority {majority_rate:.1%}".format(**row) for row in first
    )
    note = (
        "pooled over folds, [95 % interval over subjects]; published: as printed, on the licensed data (m: quoted from "
        "memory; e: each subject's epoch chosen on that subject; n: with a note)"
    )
    return f"{_aligned(pd.DataFrame(rows).T.fillna(''))}\n{'; '.join(people)}\n{note}"


def difference_text(gaps: pd.DataFrame) -> str:
    """A composite's methods less one of them (`protocols.composite_words.differences`); empty where none is."""
    if gaps.empty:
        return ""
    rows = {}
    for row in gaps.to_dict("records"):
        shown = "{:+.3f} [{:+.3f}, {:+.3f}], p {:.4f}"
        rows[row["method"]] = {
            score: shown.format(*(row[score + end] for end in ("", "_low", "_high", "_p"))) for score in ("UF1", "UAR")
        }
    note = f"less {gaps['less'].iloc[0]} on the same clips, [95 % interval], two-sided p: whole subjects swapped"
    return f"\n{_aligned(pd.DataFrame(rows).T)}\n{note}"


def ordering_table(orderings: pd.DataFrame) -> str:
    """Claimed orderings (`paper_tables`): the printed difference, ours with interval, corrected p, and what it says."""
    rows = []
    for row in orderings.to_dict("records"):
        pair = dict.fromkeys((row["better"], row["worse"]))
        cells = {"claim": " > ".join(pair), "data": row["column"]}
        cells["printed"] = "unknown" if pd.isna(row["printed_points"]) else f"{row['printed_points']:+.1f}"
        for name in ("accuracy", "UAR"):
            low, middle, high = (row[f"{name}_{end}"] * 100 for end in ("low", "difference", "high"))
            cells[f"{name} here"] = f"{middle:+.1f} [{low:+.1f}, {high:+.1f}]"
            cells[f"p ({name})"], cells[f"so ({name})"] = f"{row[f'{name}_p_holm']:.4f}", row[f"{name}_so"]
        rows.append(cells)
    if not rows:
        return "no order is claimed"
    note = (
        "points; [95 % interval over subjects and seeds]; p: two-sided, over subjects and seeds, corrected for all "
        f"orders of the same printed table (Holm); an order is shown over {LEAST_SEEDS} seeds or more"
    )
    if (orderings["better"] == orderings["worse"]).any():
        note += (
            "\nof two data sets: their subjects and seeds are drawn each by itself; where classes differ in number, "
            "chance does too"
        )
    return f"{_aligned(pd.DataFrame(rows).set_index('claim'))}\n{note}"


def counts_text(table: pd.DataFrame, of_folds: Sequence[str]) -> str:
    """Frames and windows by class (`training_counts`) with their sums, and what the folds train on."""
    whole = pd.concat([table, table.sum().to_frame("sum").T])
    note = (
        "of all clips, by the manifest's frame numbers; Original and Aug.-I are frames, Aug.-II windows\n"
        "data number (windows that a fold trains on in an epoch, balanced and mirrored as declared; fewest to most):"
    )
    return "\n".join([_aligned(whole), note, *of_folds])


def heat_table(heat: pd.DataFrame) -> str:
    """Claims that training moves heat onto the facial features (`paper_tables`), one line a row and column."""
    rows = []
    for row in heat.to_dict("records"):
        cells = {"claim": row["claim"], "row": row["row"], "data": row["column"]}
        figures = {"lift before": f"{row['before']:.2f}", "after": f"{row['lift']:.2f}"}
        figures["difference"] = f"{row['difference']:+.2f} [{row['low']:+.2f}, {row['high']:+.2f}]"
        figures |= {"p": f"{row['p']:.4f}", "p Holm": f"{row['p_holm']:.4f}", "seeds": f"{row['seeds']:.0f}"}
        known = pd.notna(row["difference"])
        rows.append(cells | (figures if known else dict.fromkeys(figures, "")) | {"so": row["so"]})
    note = (
        "heat on eyes, brows, nose wings and mouth corners over their share of the picture, the same method, frame and "
        "class before and after training; [95 % interval over subjects and seeds]; p: signs of whole subjects turned; "
        "p Holm: corrected for all rows of the claim"
    )
    return f"{_aligned(pd.DataFrame(rows).set_index('claim'))}\n{note}"


def variants_table(variants: pd.DataFrame) -> str:
    """One line a metric variant, one column a data set, and what the variant means (`variants.metric_variants`)."""
    wide = variants.pivot(index="metric", columns="dataset", values="value")
    wide = wide.loc[variants["metric"].unique(), variants["dataset"].unique()]
    shown = wide.map(lambda value: f"{value:.1%}")
    shown.loc[wide.index == "MCC"] = wide.loc[wide.index == "MCC"].map(lambda value: f"{value:.3f}")
    meaning = variants.drop_duplicates("metric").set_index("metric")["definition"]
    return _aligned(shown.assign(definition=meaning))


def subject_table(subjects: pd.DataFrame) -> str:
    """One line a subject (`variants.per_subject`)."""
    shares = {name: subjects[name].map(lambda value: f"{value:.1%}") for name in ("accuracy", "UAR")}
    return _aligned(subjects.assign(**shares).set_index("subject"))


def comparison_text(first: str, second: str, found: Comparison) -> str:
    """Two systems beside each other, their difference with interval and p, and what that says in a sentence."""
    rows = {}
    for score in SCORES:
        low, high = found.ci95[score]
        gap = f"{found.difference[score] * 100:+.1f} [{low * 100:+.1f}, {high * 100:+.1f}]"
        values = {"first": f"{found.first[score]:.1%}", "second": f"{found.second[score]:.1%}"}
        rows[score] = values | {"difference, points": gap, "p": f"{found.p[score]:.4f}"}
    over = f"{found.n} clips of {found.subjects} subjects" if found.subjects else f"{found.n} clips, no subjects known"
    unit = "subjects" if found.subjects else "clips"
    how = f"all swaps of {unit} counted" if found.exact else f"random swaps of {unit}"
    note = f"[95 % interval over {unit}, training noise left out]; {over}; p: two-sided, {how}"
    return f"first: {first}\nsecond: {second}\n\n{_aligned(pd.DataFrame(rows).T)}\n{note}\n\n{_conclusion(found, over)}"


def _conclusion(found: Comparison, over: str) -> str:
    better = {
        where: [s for s in SCORES if found.p[s] < ALPHA and found.difference[s] * sign > 0]
        for where, sign in (("first", 1), ("second", -1))
    }
    said = [f"The {where} is better in {' and '.join(names)}" for where, names in better.items() if names]
    if said:
        return f"{'; '.join(said)} (p < {ALPHA:g} each): more than chance explains on {over}."
    few = found.subjects is not None and 2 ** (1 - found.subjects) >= ALPHA
    why = f" {found.subjects} subjects are too few for any p below {ALPHA:g}." if few else ""
    return f"No difference is shown: chance explains what lies between the two on {over}.{why}"


def score_cells(metrics: Mapping[str, Any]) -> dict[str, str]:
    """Each score of `evaluate` in per cent, with its deviation over seeds where there are several, and its interval."""
    cells = {}
    for name in SCORES:
        (low, high), sd = metrics[name]["ci95"], metrics.get("sd_over_seeds", {}).get(name)
        spread = "" if sd is None else f" ± {sd * 100:.1f}"
        cells[name] = f"{metrics[name]['pooled']:.1%}{spread} [{low * 100:.1f}, {high * 100:.1f}]"
    return cells


def _aligned(frame: pd.DataFrame) -> str:
    """Fixed-width text, first column left-aligned."""
    cells = [["", *map(str, frame.columns)]] + [
        [str(i), *map(str, row)] for i, row in zip(frame.index, frame.to_numpy(), strict=True)
    ]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in cells]
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:]])
