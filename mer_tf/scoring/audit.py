"""Audit of published figures: which are possible for the study's n, and which contradict each other.

A table of claims has the columns printed and n, and optionally key, unit, group, where, same_as, difference_of. `n`
lists what the denominator may be, the study's own first: `328; 66` are numbers of clips, `66+66+65` the sizes whose
rates were averaged (folds; for a UAR the class counts). Claims with one `same_as` must agree.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from itertools import combinations
from pathlib import Path
from typing import Any

import pandas as pd

from mer_tf.config import MerError
from mer_tf.files import facts
from mer_tf.scoring.class_labels import one_spelling
from mer_tf.scoring.grim import (
    MOST_SUMS,
    ROUNDINGS,
    Candidate,
    candidates,
    chance,
    near_misses,
    parse_printed,
    printable,
    slips,
)
from mer_tf.table_files import read_table

DEFAULTS = {"key": "", "unit": "accuracy %", "group": "", "where": "", "same_as": "", "difference_of": "", "note": ""}
COLUMNS = ("key", "printed", "n", "consistent", "k", "chance", "note")
STATISTICS = {
    "accuracy": "rate",
    "average recognition rate": "rate",
    "recall": "rate",
    "mean": "mean",
    "UAR": "mean of rates",
    "F1": "no fraction",
    "UF1": "no fraction",
    "weighted F1": "no fraction",
    "MCC": "no fraction",
    "points": "difference",
    "frames": "count",
    "windows": "count",
    "claim": "words",
}
"""What a unit, without its %, says about the number."""


def published_claims(paper: str | None = None) -> pd.DataFrame:
    """The printed results of the rebuilt papers (data_manifests/published_results.csv), or of one of them, A to D."""
    table = facts("published_results.csv")
    return checked_claims(table if paper is None else table[table["paper"] == paper], "published_results.csv")


def read_claims(path: Path) -> pd.DataFrame:
    """Anybody's table of printed results; `MerError` names the file and the line of what cannot be read."""
    mend = "give a CSV file with the columns printed and n (and unit, group, same_as, if known)"
    read = read_table(path, ("printed", "n"), mend)
    if read.frame.empty:
        raise MerError(f"{path}: holds no row; {mend}")
    return checked_claims(read.frame, str(path), read.lines)


def checked_claims(table: pd.DataFrame, source: str, numbers: Sequence[int] = ()) -> pd.DataFrame:
    """The claims with every optional column filled; `source` and line `numbers` name rows in a `MerError`."""
    table = table.assign(**{name: value for name, value in DEFAULTS.items() if name not in table.columns})
    lines = [f"line {number}" for number in numbers or (int(index) + 2 for index in table.index)]
    table["key"] = [key or line for key, line in zip(table["key"], lines, strict=True)]
    table["unit"] = table["unit"].map(_plain).replace(_PLAIN_UNITS).replace("", DEFAULTS["unit"])
    for column in ("group", "same_as"):
        (table,), _ = one_spelling([table], (column,))
    for line, claim in zip(lines, table.to_dict("records"), strict=True):
        try:
            _check(claim, set(table["key"]))
        except MerError as error:
            raise MerError(f"{source}, {line}: {error}") from error
    if (twice := table["key"].duplicated()).any():
        at = int(twice.to_numpy().argmax())
        raise MerError(f"{source}, {lines[at]}: the key {table['key'].iloc[at]} is taken; give each row its own")
    return table


def _check(claim: Mapping[Any, str], keys: set[str]) -> None:
    if statistic(claim["unit"]) not in ("count", "words"):
        parse_printed(claim["printed"], claim["unit"])
    sizes_of(claim["n"])
    terms = claim["difference_of"].split(" - ") if claim["difference_of"] else []
    if terms and (len(terms) != 2 or not keys.issuperset(terms)):
        raise MerError(
            f"difference_of {claim['difference_of']!r} is not `key - key` of this table; name two of its keys"
        )


def statistic(unit: str) -> str:
    """What kind of number a unit names; see STATISTICS. Raises `MerError` for an unknown one."""
    try:
        return STATISTICS[unit.removesuffix("%").strip()]
    except KeyError:
        raise MerError(f"unit {unit!r} is not known; choose {', '.join(STATISTICS)}, with % for per cent") from None


def sizes_of(text: str) -> list[tuple[int, ...]]:
    """`328; 66+66+65` as [(328,), (66, 66, 65)]; an empty text as []."""
    found = []
    for part in filter(None, map(str.strip, re.split(r"[;/]", text))):
        if not re.fullmatch(r"[1-9]\d*(\s*\+\s*[1-9]\d*)*", part):
            raise MerError(f"n {part!r} is no sample size; write 328, or 328; 66, or sizes that were averaged: 66+65")
        found.append(tuple(map(int, part.split("+"))))
        if max(found[-1]) > MOST_SUMS:
            raise MerError(f"n {part} is so large that every printed figure is possible; leave it out")
    return found


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()


_PLAIN_UNITS = {_plain(f"{name}{sign}"): f"{name}{sign}" for name in STATISTICS for sign in ("", " %", "%")}


def audit(table: pd.DataFrame) -> pd.DataFrame:
    """Test each claim (`read_claims`, `published_claims`) with each n: one row each, columns COLUMNS.

    consistent: True, False, or missing where nothing can be checked (F1; words; n unknown). k: the counts that print
    the value, with the rounding where it is not half up. chance: the share of values near by that pass as well.
    """
    rows = [row for claim in table.to_dict("records") for row in _tests(claim)]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype({"consistent": "boolean", "chance": float})


def _tests(claim: Mapping[Any, str]) -> Iterator[dict[str, Any]]:
    base = {"key": claim["key"], "printed": claim["printed"], "n": "", "k": "", "note": ""}
    kind, sizes = statistic(claim["unit"]), sizes_of(claim["n"])
    if kind in ("difference", "count", "words"):
        yield base | {"note": f"not tested: {claim['unit']}"}
    elif kind == "no fraction":
        yield base | {"note": "cannot be checked: its denominator is not fixed by n"}
    elif not sizes:
        yield base | {"note": "not tested: n is not known"}
    for each in sizes if kind in ("rate", "mean", "mean of rates") else ():
        test = _mean_of_rates if len(each) > 1 else _rate
        yield base | {"n": "+".join(map(str, each))} | test(claim["printed"], claim["unit"], each)


def _rate(printed: str, unit: str, sizes: tuple[int, ...]) -> dict[str, Any]:
    if statistic(unit) == "mean of rates":
        return {"note": "cannot be checked: give the class counts, as 70+51+43"}
    value, fits = parse_printed(printed, unit), candidates(printed, unit, sizes)
    share = chance(value, sizes)
    # where many values are possible, some lie one slip away from anything
    rare = share is not None and share * len(slips(printed)) < 0.5
    misses = near_misses(printed, unit, sizes[0]) if rare and not fits else []
    said = [f"{candidate} = {shown} differs by {slip}" for candidate, shown, slip in misses]
    note = f"{printed} is no k/{sizes[0]}; {', '.join(said)}" if said else ""
    return {"consistent": bool(fits), "k": _counts(fits), "chance": share, "note": note}


def _counts(fits: Sequence[Candidate]) -> str:
    """Three counts or fewer are listed; of more, the first and the last."""
    if len(fits) < 4:
        return ", ".join(map(str, fits))
    return f"{len(fits)} counts, {fits[0].k}/{fits[0].n} to {fits[-1].k}/{fits[-1].n}"


def _mean_of_rates(printed: str, unit: str, sizes: tuple[int, ...]) -> dict[str, Any]:
    value = parse_printed(printed, unit)
    possible = {mode: printable(sizes, value.whole, (mode,)) for mode in ROUNDINGS}
    share = chance(value, sizes)
    if share is None or not value.bounded:
        return {"note": "cannot be checked: too many combinations of counts"}
    hits = [mode for mode, digits in possible.items() if digits is not None and value.digits in digits]
    note = "says little: nearly every value passes" if share > 0.9 else ""
    by = f"some counts{'' if 'half up' in hits else ' by ' + hits[0]}" if hits else ""
    return {"consistent": bool(hits), "k": by, "chance": share, "note": note}


def contradictions(table: pd.DataFrame) -> list[str]:
    """Sentences: one configuration printed with several values, and printed differences that do not come out."""
    found = []
    for name, claims in table[table["same_as"] != ""].groupby("same_as", sort=False):
        places = {
            str(value): part["where"].mask(part["where"] == "", part["key"])
            for value, part in claims.groupby("printed", sort=False)
        }
        if len(places) > 1:
            said = " and as ".join(f"{value} ({'; '.join(where)})" for value, where in places.items())
            found.append(f"{name}: printed as {said}{_slip(list(places))}")
    return found + list(_wrong_differences(table))


def _slip(values: Sequence[str]) -> str:
    pairs = [(one, other, slips(one).get(other)) for one, other in combinations(values, 2)]
    return "".join(f"; {one} and {other} differ by {slip}" for one, other, slip in pairs if slip)


def _wrong_differences(table: pd.DataFrame) -> Iterator[str]:
    printed = table.set_index("key")["printed"]
    for claim in table[table["difference_of"] != ""].to_dict("records"):
        first, second = claim["difference_of"].split(" - ")
        exact, shown = Decimal(printed[first]) - Decimal(printed[second]), Decimal(claim["printed"])
        if exact.quantize(shown, ROUND_HALF_UP) != shown:
            yield f"{claim['key']} is printed as {shown}, but {printed[first]} - {printed[second]} = {exact}"
