"""The audit in sentences: for each group what n allows, which n the values themselves tell, what contradicts."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from mer_tf.scoring.audit import audit, contradictions, sizes_of, statistic
from mer_tf.scoring.sample_size import infer_n

SURE = 0.05
"""An inferred n is believed when the chance that any n does as well is below this."""


def audit_report(table: pd.DataFrame, n_max: int = 400) -> tuple[str, pd.DataFrame, bool]:
    """Text for the reader, the table of `audit`, and whether all is clean: no contradiction, nothing impossible.

    `table` is that of `read_claims` or `published_claims`; sample sizes up to `n_max` are tried.
    """
    parts = [(name, part, audit(part)) for name, part in table.groupby("group", sort=False)]
    tests = pd.concat([test for _, _, test in parts], ignore_index=True)
    blocks = ["\n".join(_group(str(name), part, test, n_max)) for name, part, test in parts if _testable(part).any()]
    against, impossible = contradictions(table), _impossible(tests)
    blocks += [_list("contradictions", against), _list("impossible for every n given", impossible)]
    words = table[table["unit"].map(statistic) == "words"].to_dict("records")
    said = [f"{c['key']}: {c['printed']}" + (f" ({c['note']})" if c["note"] else "") for c in words]
    blocks.append(_list("claims in words, not tested", said))
    return "\n\n".join(filter(None, blocks)), tests, not (against or impossible)


def _testable(part: pd.DataFrame) -> pd.Series:
    return part["unit"].map(statistic).isin(["rate", "mean", "mean of rates", "no fraction"])


def _list(title: str, lines: list[str]) -> str:
    return "\n  ".join([f"{title}:", *lines]) if lines else ""


def _impossible(tests: pd.DataFrame) -> list[str]:
    known = tests[tests["consistent"].notna()]
    return [
        f"{key}: {part['printed'].iloc[0]}; tried n = {', '.join(part['n'])}"
        for key, part in known.groupby("key", sort=False)
        if not part["consistent"].any()
    ]


def _group(name: str, part: pd.DataFrame, tests: pd.DataFrame, n_max: int) -> Iterator[str]:
    part = part[_testable(part)]
    values = part.drop_duplicates(["printed", "unit", "n"])
    tests = tests[tests["key"].isin(values["key"])]
    yield f"{name or 'all values'}: {', '.join(values['printed'])} ({', '.join(values['unit'].unique())})"
    sizes = {str(n): same for n, same in tests[tests["n"] != ""].groupby("n", sort=False)}
    best = max(sizes, key=lambda n: sizes[n]["consistent"].sum() - sizes[n]["chance"].sum(), default="")
    for n, same in sizes.items():
        yield from _size(n, same, slips=n == best)
    for note in tests.loc[tests["n"] == "", ["printed", "note"]].itertuples(index=False):
        yield f"  {note.printed}: {note.note}"
    for unit, same_unit in values.groupby("unit", sort=False):
        if len(same_unit) > 1 and statistic(str(unit)) in ("rate", "mean"):
            yield _inferred(same_unit, str(unit), n_max)


def _size(n: str, tests: pd.DataFrame, slips: bool) -> Iterator[str]:
    """One line for what n allows; with `slips`, for the n that explains most, near misses of what it does not."""
    what = f"mean of the rates of {n}" if "+" in n else f"n = {n}"
    known = tests[tests["consistent"].notna()]
    if known.empty:
        yield f"  {what}: {', '.join(tests['printed'])} {tests['note'].iloc[0]}"
        return
    fits = known[known["consistent"].astype(bool)]
    line = f"  {what}: {len(fits)} of {len(known)} possible, by chance {known['chance'].sum():.2g}"
    if known["chance"].min() > 0.9:
        yield f"{line}; nearly every value passes, so this says nothing"
        return
    yield line + "".join(f"; {t.printed} = {t.k}" for t in fits.itertuples())
    if not fits.empty and len(fits) < len(known):
        yield f"    impossible: {', '.join(known.loc[~known['consistent'].astype(bool), 'printed'])}"
    if slips:
        yield from (f"    {note}" for note in known["note"] if note)


def _inferred(values: pd.DataFrame, unit: str, n_max: int) -> str:
    """Which n the values tell by themselves, or that none stands out, and whether that is the study's own."""
    ranking = infer_n(list(values["printed"]), n_max, unit)
    best = ranking.iloc[0]
    found = (
        f"n = {best['n']} explains {best['explained']} of {best['of']} values where chance explains "
        f"{best['expected']:.2g} (p = {best['p']:.1g}; {best['p_best']:.1g} that any n up to {n_max} does as well)"
    )
    if best["p_best"] >= SURE:
        return f"  inferred: no n up to {n_max} stands out; at best {found}"
    first = next((sizes[0] for text in values["n"] for sizes in sizes_of(text) if len(sizes) == 1), None)
    if first in (None, best["n"]):
        return f"  inferred: {found}"
    return f"  inferred: {found}. So the values look like k/{best['n']}, not like k/{first}, the n of the whole study"
