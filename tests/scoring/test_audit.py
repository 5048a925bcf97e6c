"""The audit: what the papers print, what their numbers betray, and tables that cannot be read."""

import pandas as pd
import pytest

from mer_tf.config import MerError
from mer_tf.scoring.audit import audit, checked_claims, contradictions, published_claims, read_claims
from mer_tf.scoring.audit_report import audit_report
from mer_tf.scoring.sample_size import infer_n

# the rows of the tables as they stand in the papers' own text
C_TABLE_1 = """
Negative 2168 15000 1710
Positive 1856 14736 1685
Surprise 1408 15072 1661
Non-ME 5016 14664 1674
"""
C_TABLE_3 = """
3-Layer-LSTM, 13 11276 57.58%
3-Layer-LSTM, 15 9114 56.07%
Bi-LSTM, 13 11276 60.60%
Bi-LSTM, 15 9114 46.07%
"""
C_TABLE_4 = """
STLBP-IP [8] 2015 59.51%
STCLQP [9] 2016 56.10%
3D-FCNN [14] 2018 55.49%
VGGFace2 (Proposed) 2020 30.2%
VGGFace2+LSTM (Proposed) 2020 59.09%
VGGFace2+Bi-LSTM (Proposed) 2020 60.06%
"""
A_TABLES = {
    "1": "经过训练 53.4% 56.6%\n不经过训练 48.0% 51.6%",
    "2": "FC7 56.3% 60.2%\nFC6 50.1% 57.7%",
    "3": "融合的特征 56.3% 60.2%\n时间特征 41.1% 43.1%\n空间特征 41.8% 42.9%",
    "4": "新的融合模型 55.3% 58.7%\nLBP-TOP+SVM 53.1% 56.5%\nFDM 42.3% 43.2%\nMDMO 52.2% 53.4%",
}
SEQUENCE_SCORES = ["57.58", "56.07", "60.60", "46.07", "59.09", "60.06"]


def cells(paper, table):
    """Printed text by (row, column), as published_results.csv has it."""
    claims = published_claims(paper)
    claims = claims[claims["table"] == table]
    return {(c["row"], c["column"]): c["printed"] for c in claims.to_dict("records")}


def lines(text, numbers):
    """(row name, its last `numbers` words, without %) of each line."""
    for line in text.strip().splitlines():
        name, *values = line.rsplit(maxsplit=numbers)
        yield name, [v.removesuffix("%") for v in values]


def test_every_cell_of_c_is_as_printed():
    columns = ["Original", "Aug.-I", "Aug.-II(×f_N)"]
    augmented = {(row, c): v for row, values in lines(C_TABLE_1, 3) for c, v in zip(columns, values, strict=True)}
    assert cells("C", "1") == augmented
    trained = {(r, c): v for r, vs in lines(C_TABLE_3, 2) for c, v in zip(["Data Number", "Score"], vs, strict=True)}
    assert cells("C", "3") == trained
    compared = {(f"{row}, {year}", "Accuracy"): value for row, (year, value) in lines(C_TABLE_4, 2)}
    assert cells("C", "4") == compared


@pytest.mark.parametrize("table", list(A_TABLES))
def test_every_cell_of_a_is_as_printed(table):
    columns = ["SMIC", "CASMEⅡ"]
    printed = {(r, c): v for r, vs in lines(A_TABLES[table], 2) for c, v in zip(columns, vs, strict=True)}
    assert cells("A", table) == printed


@pytest.mark.parametrize("paper", ["B", "D"])
def test_papers_without_a_figure_have_claims_alone(paper):
    claims = published_claims(paper)
    assert set(claims["unit"]) == {"claim"}
    assert audit(claims)["consistent"].isna().all()


def test_sequence_scores_of_c_are_of_one_fold():
    ranking = infer_n(SEQUENCE_SCORES)
    best, whole = ranking.iloc[0], ranking[ranking["n"] == 328].iloc[0]
    assert (best["n"], best["explained"], best["values"]) == (66, 3, "57.58 60.60 59.09")
    assert best["p"] < 1e-4
    assert best["p_best"] < 0.01
    assert (whole["explained"], whole["values"]) == (1, "60.06")
    assert whole["p"] > 0.2


def test_each_score_of_c_is_tested_with_each_n():
    tests = audit(published_claims("C")).set_index(["key", "n"])
    assert tests.loc[("C/T4/LSTM", "66"), "k"] == "39/66"
    assert not tests.loc[("C/T3/BiLSTM/N15", "66"), "consistent"]
    assert tests.loc[("C/T3/BiLSTM/N15", "66"), "note"] == "46.07 is no k/66; 31/66 = 46.97 differs by one digit"
    mean = tests.loc[("C/T3/BiLSTM/N15", "66+66+66+65+65")]
    assert mean["consistent"]
    assert mean["note"].startswith("says little")
    assert tests.loc[("C/T4/STLBP-IP", "247"), "k"] == "147/247"
    assert not tests.loc[("C/T4/STLBP-IP", "164"), "consistent"]


def test_contradictions_of_c_and_a_are_found():
    found = contradictions(published_claims())
    assert len(found) == 4
    assert "57.58 (Bai & Goecke 2020, Table 3) and as 59.09 (Bai & Goecke 2020, Table 4)" in found[0]
    assert found[1].endswith("60.60 and 60.06 differ by two swapped digits")
    assert [found[2].count(v) for v in ("53.4", "Table 2", "Table 3", "55.3")] == [1, 1, 1, 2]


def claims(*rows, columns=("printed", "n", "unit")):
    return checked_claims(pd.DataFrame(rows, columns=list(columns)), "theirs.csv")


def test_printed_differences_must_come_out():
    columns = ("key", "printed", "n", "unit", "difference_of")
    rows = [("a", "53.4", "", "accuracy %", ""), ("b", "48.0", "", "accuracy %", "")]
    assert not contradictions(claims(*rows, ("d", "5", "", "points %", "a - b"), columns=columns))
    (wrong,) = contradictions(claims(*rows, ("d", "5.6", "", "points %", "a - b"), columns=columns))
    assert wrong == "d is printed as 5.6, but 53.4 - 48.0 = 5.4"


def test_uar_needs_class_counts_and_f1_cannot_be_checked():
    tests = audit(
        claims(("50.30", "4", "UAR %"), ("50.30", "2+2", "UAR %"), ("62.50", "2+4", "UAR %"), ("50", "4", "F1 %"))
    )
    assert tests["consistent"].tolist() == [pd.NA, False, True, pd.NA]
    assert "class counts" in tests["note"].iloc[0]
    assert "denominator" in tests["note"].iloc[3]


def test_many_counts_are_summed_up():
    (row,) = audit(claims(("12.3", "9000", "accuracy %"))).to_dict("records")
    assert row["k"] == "13 counts, 1103/9000 to 1115/9000"


def test_report_of_an_honest_table_is_clean_and_names_no_contradiction():
    text, tests, clean = audit_report(claims(("50.00", "66", ""), ("51.52", "66", "accuracy %"), ("0.72", "66", "UF1")))
    assert clean
    assert "2 of 2 possible" in text
    assert "0.72: cannot be checked" in text
    assert "contradictions" not in text
    assert len(tests) == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("printed\n50\n", "lacks the columns n"),
        ("printed,n\n", "holds no row"),
        ("printed,n\n50,66\n5o,66\n", "line 3: '5o' is no printed number"),
        ("printed,n\n50,66\n50,sixty\n", "line 3: n 'sixty' is no sample size"),
        ("printed,n\n50,0\n", "line 2: n '0' is no sample size"),
        ("printed,n\n50,99999999999\n", "line 2: n 99999999999 is so large"),
        ("printed,n,unit\n50,66,kappa\n", "line 2: unit 'kappa' is not known; choose accuracy"),
        ("printed,n,unit\n50,66,accuracy\n", "line 2: 50 is more than 1"),
        ("key,printed,n\na,50,66\na,51,66\n", "line 3: the key a is taken"),
        ("printed,n,difference_of\n5,,a - b\n", "line 2: difference_of 'a - b' is not `key - key`"),
    ],
)
def test_malformed_table_names_file_row_and_mend(tmp_path, text, message):
    path = tmp_path / "theirs.csv"
    path.write_text(text)
    with pytest.raises(MerError, match=message) as error:
        read_claims(path)
    assert str(error.value).startswith(str(path))
