"""Counts behind printed numbers: published GRIM examples, and enumeration as the reference."""

import itertools
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mer_tf.config import MerError
from mer_tf.scoring.grim import ROUNDINGS, candidates, chance, near_misses, parse_printed, printable, slips
from mer_tf.scoring.sample_size import infer_n

MODES = dict(zip(ROUNDINGS, (ROUND_HALF_UP, ROUND_HALF_EVEN, ROUND_DOWN), strict=True))


def shown(value: Fraction, decimals: int, rounding: str) -> str:
    """Decimal's own rounding; at 60 digits every tie is exact."""
    with localcontext(prec=60):
        exact = Decimal(value.numerator) / Decimal(value.denominator)
        return str(exact.quantize(Decimal(1).scaleb(-decimals), MODES[rounding]))


@pytest.mark.parametrize(
    ("mean", "n", "possible"),
    [("5.19", 28, False), ("5.21", 28, True), ("5.19", 32, True), ("5.27", 43, False), ("3.48", 20, False)],
)
def test_known_examples_of_means(mean, n, possible):
    assert any("half up" in c.roundings for c in candidates(mean, "mean", [n])) is possible


def test_truncation_is_named_where_nothing_else_fits():
    assert [str(c) for c in candidates("5.27", "mean", [43])] == ["227/43 by truncation"]


@given(st.integers(1, 500), st.data(), st.integers(0, 4), st.sampled_from(ROUNDINGS), st.booleans())
def test_every_rounded_share_is_consistent(n, data, decimals, rounding, percent):
    k = data.draw(st.integers(0, n))
    text = shown(Fraction(k * (100 if percent else 1), n), decimals, rounding)
    found = candidates(text, "accuracy %" if percent else "accuracy", [n])
    assert any(c.k == k and rounding in c.roundings for c in found)


@given(st.integers(1, 300), st.integers(0, 10_000))
def test_candidates_are_those_of_an_enumeration(n, digits):
    text = f"{digits / 100:.2f}"
    every = {(k, m) for k in range(n + 1) for m in ROUNDINGS if shown(Fraction(100 * k, n), 2, m) == text}
    assert {(c.k, m) for c in candidates(text, "accuracy %", [n]) for m in c.roundings} == every


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 6), min_size=1, max_size=4), st.sampled_from(ROUNDINGS), st.integers(0, 2))
def test_means_of_rates_are_those_of_an_enumeration(sizes, rounding, decimals):
    combinations = itertools.product(*(range(n + 1) for n in sizes))
    means = {sum(Fraction(k, n) for k, n in zip(ks, sizes, strict=True)) / len(sizes) for ks in combinations}
    texts = {shown(100 * mean, decimals, rounding) for mean in means}
    found = printable(tuple(sizes), 100 * 10**decimals, (rounding,))
    assert {shown(Fraction(int(d), 10**decimals), decimals, rounding) for d in found} == texts


def test_rounding_names_tell_ties_apart():
    assert [c.roundings for c in candidates("12", "accuracy %", [8])] == [("half even", "truncation")]
    assert [c.roundings for c in candidates("13", "accuracy %", [8])] == [("half up",)]
    assert not any("half up" in c.roundings for c in candidates("60.60", "accuracy %", [66]))


def test_mean_of_five_folds_hardly_discriminates_but_of_tiny_folds_does():
    assert chance(parse_printed("57.58"), (66, 66, 66, 65, 65)) == 1
    assert chance(parse_printed("57.58"), (5, 5, 5)) < 0.01


def test_uar_of_five_classes_is_enumerated_and_of_many_coprime_sizes_is_not():
    assert 0.95 < len(printable((32, 25, 63, 27, 99), 10_000)) / 10_001 < 1
    assert printable((97, 89, 83, 79, 73), 10_000) is None


@pytest.mark.parametrize(
    ("text", "unit", "message"),
    [
        ("57,58", "accuracy %", "is no printed number"),
        ("", "accuracy %", "is no printed number"),
        (".", "accuracy", "is no printed number"),
        ("-3", "accuracy %", "is no printed number"),
        ("57.58", "accuracy", "57.58 is more than 1"),
        ("100.1", "accuracy %", "more than 100"),
        ("0.57575757", "accuracy", "at most 6 decimals"),
    ],
)
def test_what_is_no_printed_share_is_refused(text, unit, message):
    with pytest.raises(MerError, match=message):
        parse_printed(text, unit)


def test_leading_point_and_trailing_zeros_count():
    assert parse_printed(".50", "UAR") == parse_printed("0.50", "UAR")
    assert candidates(".5", "accuracy", [13])
    assert not candidates(".50", "accuracy", [13])


def test_slips_are_one_digit_or_two_neighbours():
    assert slips("60.60")["60.06"] == slips("60.06")["60.60"] == "two swapped digits"
    assert slips("46.07")["46.97"] == "one digit"
    assert not {"46.07", "46.79", "06.07"} & set(slips("46.07"))
    assert "10.0" not in slips("100.0")


def test_near_misses_name_count_and_slip():
    ((candidate, shown, slip),) = near_misses("46.07", "accuracy %", 66)
    assert (str(candidate), shown, slip) == ("31/66", "46.97", "one digit")
    assert near_misses("60.06", "accuracy %", 66)[0][2] == "two swapped digits"
    assert near_misses("100", "accuracy %", 3) == []


@pytest.mark.parametrize(("n", "counts"), [(37, (5, 11, 18, 23, 30)), (164, (31, 77, 92, 95, 103, 139))])
def test_sample_size_is_found_from_the_values(n, counts):
    best = infer_n([f"{100 * k / n:.2f}" for k in counts], 250).iloc[0]
    assert (best["n"], best["explained"]) == (n, len(counts))
    assert best["p_best"] < 0.01


def test_sample_size_of_means_above_one():
    assert infer_n(["3.48", "5.17", "2.61", "4.30"], 60, "mean").iloc[0]["n"] == 23


def test_inference_ignores_order_and_repetition():
    values = ["57.58", "60.60", "59.09", "60.06"]
    one, other = infer_n(values, 100), infer_n([*values, "57.58"], 100)
    assert one.equals(other)
    assert infer_n(values[::-1], 100).drop(columns=["values", "p_best"]).equals(one.drop(columns=["values", "p_best"]))


def test_chance_alone_seldom_looks_like_a_sample_size():
    rng = np.random.default_rng(3)
    sets = [[f"{v / 100:.2f}" for v in rng.choice(10_001, 6, replace=False)] for _ in range(120)]
    false_alarms = sum(infer_n(values, 40, draws=400).iloc[0]["p_best"] < 0.05 for values in sets)
    assert false_alarms <= 13  # 99 % quantile of Binomial(120, .05)


def test_nothing_to_infer_from_is_said():
    with pytest.raises(MerError, match="no value"):
        infer_n([])
