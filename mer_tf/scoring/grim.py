"""Which counts could have printed a number: the GRIM test (Brown & Heathers 2017, Soc Psychol Personal Sci 8:363-369).

An accuracy over n clips is k/n with a whole k, so only some printed values are possible for a given n. All arithmetic
is in integers: no float decides whether a value rounds up.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache, reduce
from itertools import pairwise
from typing import Any

import numpy as np

from mer_tf.config import MerError

ROUNDINGS = ("half up", "half even", "truncation")
MOST_SUMS = 2**26
"""Sums of counts over a larger common denominator are not enumerated: whether they print a value cannot be checked."""
CHUNK = 2**19
"""Bytes of the set of sums that are unpacked at a time."""
MOST_DECIMALS = 6


@dataclass(frozen=True)
class Printed:
    """A number as it was printed: 60.60 % has digits 6060 and whole 10000, the digits of a share of 1."""

    digits: int
    whole: int
    bounded: bool
    """A share is at most 1; a mean of whole numbers (unit `mean`) may be larger."""


@dataclass(frozen=True)
class Candidate:
    """k of n prints the value, under these roundings."""

    n: int
    k: int
    roundings: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.k}/{self.n}" + ("" if "half up" in self.roundings else f" by {self.roundings[0]}")


def parse_printed(text: str, unit: str = "accuracy %") -> Printed:
    """Read a printed number; `unit` with % means per cent, `mean` a mean of whole numbers, anything else a share of 1.

    Raises `MerError` for what is no number or is more than the whole.
    """
    found = re.fullmatch(r"(\d*)(?:\.(\d+))?", text.strip())
    if not found or not any(found.groups()):
        raise MerError(f"{text!r} is no printed number; write digits and a point, as 57.58")
    whole_part, decimals = found[1] or "0", len(found[2] or "")
    if decimals > MOST_DECIMALS:
        raise MerError(f"{text}: give it as printed, with at most {MOST_DECIMALS} decimals; more is no printed figure")
    whole = 10**decimals * (100 if "%" in unit else 1)
    value = Printed(int(whole_part + (found[2] or "")), whole, unit != "mean")
    if value.bounded and value.digits > whole:
        raise MerError(
            f"{text} is more than {whole // 10**decimals}, the whole in {unit!r}; mend the number or its unit"
        )
    return value


def rounded(numerator: Any, denominator: int, rounding: str) -> Any:
    """numerator / denominator as a whole number; ints or int64 arrays. `rounding` is one of ROUNDINGS."""
    floor, rest = numerator // denominator, numerator % denominator
    if rounding == "truncation":
        return floor
    tie = (2 * rest == denominator) & ((floor % 2 == 1) | (rounding == "half up"))
    return floor + ((2 * rest > denominator) | tie)


def candidates(printed: str, unit: str, n_range: Iterable[int]) -> list[Candidate]:
    """Every k/n, n in `n_range`, that prints as `printed` with its number of decimals, and by which roundings."""
    value = parse_printed(printed, unit)
    return [c for n in n_range for c in _fitting(value, n)]


def _fitting(value: Printed, n: int) -> Iterator[Candidate]:
    """k * whole / n lies between digits - 1/2 and digits + 1, whatever the rounding."""
    low = max(0, (2 * value.digits - 1) * n // (2 * value.whole))
    high = -(-(value.digits + 1) * n // value.whole)
    for k in range(low, (min(high, n) if value.bounded else high) + 1):
        if hits := tuple(m for m in ROUNDINGS if rounded(k * value.whole, n, m) == value.digits):
            yield Candidate(n, k, hits)


@lru_cache(maxsize=4096)
def printable(sizes: tuple[int, ...], whole: int, roundings: tuple[str, ...] = ROUNDINGS) -> np.ndarray | None:
    """Digits, sorted, that the mean of k_i / n_i over `sizes` = (n_1, n_2, ...) can print; 0 <= k_i <= n_i.

    One size: an accuracy. Fold sizes: the mean of the folds' accuracies. Class counts: the UAR. Exact, by dynamic
    programming over the sizes. None: the common denominator is too large to enumerate.
    """
    unit = math.lcm(*sizes)
    whole_sum = unit * len(sizes)
    if whole_sum > MOST_SUMS:
        return None
    reached = reduce(lambda sums, n: _add_counts(sums, unit // n, n), sizes, 1)
    packed = np.frombuffer(reached.to_bytes(whole_sum // 8 + 1, "little"), np.uint8)
    seen = np.zeros(whole + 1, dtype=bool)
    for start in range(0, len(packed), CHUNK):
        sums = np.flatnonzero(np.unpackbits(packed[start : start + CHUNK], bitorder="little")) + 8 * start
        for mode in roundings:
            seen[rounded(sums * whole, whole_sum, mode)] = True
    return np.flatnonzero(seen)


def _add_counts(sums: int, step: int, n: int) -> int:
    """Sums as the bits of an integer; every sum plus k * step for k = 0..n, by doubling the range of k."""
    covered = 1
    while covered <= n:
        more = min(covered, n + 1 - covered)
        sums |= sums << (more * step)
        covered += more
    return sums


def chance(value: Printed, sizes: tuple[int, ...]) -> float | None:
    """Share of the printable values near this one (a tenth of the whole to either side) that `sizes` can print.

    It is the chance that a number which has nothing to do with `sizes` passes the test. None: cannot be enumerated.
    """
    possible = printable(sizes, value.whole)
    if possible is None:
        return None
    centre = value.digits if value.bounded else value.digits % value.whole
    low, high = max(0, centre - value.whole // 10), min(value.whole, centre + value.whole // 10)
    return float(((possible >= low) & (possible <= high)).sum() / (high - low + 1))


def slips(text: str) -> dict[str, str]:
    """Texts that one slip of the pen turns into `text`, with its name: two swapped digits (neighbours), or
    one digit changed."""
    places = [i for i, c in enumerate(text) if c.isdigit()]
    found: dict[str, str] = {}
    for i in places:
        found |= {text[:i] + digit + text[i + 1 :]: "one digit" for digit in "0123456789"}
    for i, j in pairwise(places):
        found[text[:i] + text[j] + text[i + 1 : j] + text[i] + text[j + 1 :]] = "two swapped digits"
    return {other: slip for other, slip in found.items() if other != text and (other[0] != "0" or text[0] == "0")}


def near_misses(printed: str, unit: str, n: int) -> list[tuple[Candidate, str, str]]:
    """What k/n does print and one slip turns into `printed`, as (k/n, that value, slip); swapped digits first."""
    found = []
    for other, slip in sorted(slips(printed.strip()).items(), key=lambda item: item[1], reverse=True):
        try:
            fits = candidates(other, unit, [n])
        except MerError:  # a slip may lead above the whole
            continue
        found += [(fits[0], other, slip)] if fits else []
    return found
