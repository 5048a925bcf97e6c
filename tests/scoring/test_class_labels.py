"""Labels in results of others: one class in two spellings is one class; two sides that share no class are refused."""

import pandas as pd
import pytest
from helpers.running import mer_tf
from hypothesis import given, settings
from hypothesis import strategies as st

from mer_tf.config import MerError
from mer_tf.evaluation.metrics import evaluate
from mer_tf.evaluation.statistics import paired_permutation
from mer_tf.scoring.audit import audit, contradictions, read_claims
from mer_tf.scoring.support import check_support, parse_support
from mer_tf.scoring.tables import read_foreign, read_pair

FAST = settings(max_examples=20, deadline=None, derandomize=True, database=None)
QUICK = {"bootstrap": 10, "permutations": 0}


def table(path, truth, predicted, **columns):
    frame = pd.DataFrame({"clip_id": [f"c{k}" for k in range(len(truth))], "y_true": truth, "y_pred": predicted})
    frame.assign(**columns).to_csv(path, index=False)
    return path


def warnings(foreign):
    return [note for note in foreign.notes if note.startswith("WARNING")]


@pytest.mark.parametrize("other", ["others", " Others", "OTHERS ", "other", "Others"])
def test_70_of_70_right_is_right_whatever_the_spelling(tmp_path, other):
    truth = ["Happiness"] * 30 + ["Others"] * 40
    found = read_foreign(table(tmp_path / "t.csv", truth, ["happiness"] * 30 + [other] * 40))
    scored = evaluate(found.frame, **QUICK)
    assert scored["UAR"]["pooled"] == scored["accuracy"]["pooled"] == 1.0
    assert scored["classes"] == ["Happiness", "Others"]
    assert any("'Happiness', 'happiness' are read as one" in note for note in found.notes)
    assert not warnings(found)


def test_the_spelling_of_probability_columns_is_kept(tmp_path):
    path = table(tmp_path / "t.csv", ["sad", "HAPPY"], ["Sad", "happy"], p_happy=[0.1, 0.9], p_Sad=[0.9, 0.1])
    frame = read_foreign(path).frame
    assert frame["y_true"].tolist() == frame["y_pred"].tolist() == ["Sad", "happy"]


@pytest.mark.parametrize(
    ("truth", "predicted"), [(["negative", "positive"], ["0", "1"]), ([0, 1, 2], ["a", "b", "c"]), (["x"], ["y"])]
)
def test_sides_without_a_common_class_are_refused(tmp_path, truth, predicted):
    with pytest.raises(MerError, match=r"t\.csv: no true label occurs as a prediction; true are .*--classes"):
        read_foreign(table(tmp_path / "t.csv", truth, predicted))


def test_classes_join_names_and_indices_and_all_wrong_is_a_result_then(tmp_path):
    path = table(tmp_path / "t.csv", ["negative", "Positive"], ["0", "1"])
    assert evaluate(read_foreign(path, classes=("negative", "positive")).frame, **QUICK)["UAR"]["pooled"] == 1.0
    wrong = table(tmp_path / "w.csv", ["x"], ["y"])
    assert evaluate(read_foreign(wrong, classes=("x", "y")).frame, **QUICK)["accuracy"]["pooled"] == 0.0
    named = table(tmp_path / "n.csv", ["x"], ["y"], p_x=[0.4], p_y=[0.6])
    assert evaluate(read_foreign(named).frame, **QUICK)["accuracy"]["pooled"] == 0.0


@pytest.mark.parametrize("classes", [("a", "A"), ("other", "Others"), ("1", "0")])
def test_classes_that_are_one_name_are_refused(tmp_path, classes):
    with pytest.raises(MerError, match="two names are the same, or one is another's index"):
        read_foreign(table(tmp_path / "t.csv", ["0"], ["0"]), classes=classes)


def test_a_class_on_one_side_is_warned_of(tmp_path):
    found = read_foreign(table(tmp_path / "t.csv", ["a", "b", "b", "c"], ["a", "b", "d", "b"]))
    never, untrue = warnings(found)
    assert "never predicted: 'c'" in never
    assert "predicted and never true: 'd'" in untrue


def test_one_person_in_two_spellings_is_one_cluster(tmp_path):
    found = read_foreign(table(tmp_path / "t.csv", ["a", "b"], ["a", "b"], subject=["S1", "s1 "], db=["SAMM", "samm"]))
    assert evaluate(found.frame, **QUICK)["subjects"] == 1
    assert found.frame["dataset"].unique().tolist() == ["SAMM"]
    assert any("name of subject" in note for note in found.notes)


def test_compare_reads_two_files_in_one_spelling(tmp_path):
    one = table(tmp_path / "one.csv", ["Others", "sad"], ["Others", "sad"])
    other = table(tmp_path / "two.csv", ["others", "SAD"], ["others", "others"])
    first, second = read_pair(one, other)
    assert paired_permutation(first.frame, second.frame, bootstrap=10).difference["accuracy"] == 0.5
    shown = mer_tf("compare", one, other)
    assert "WARNING: two.csv: never predicted: 'SAD'" in shown
    assert "+50.0 [" in shown


def test_expected_support_is_in_any_case():
    frame = pd.DataFrame({"clip_id": list("abc"), "y_true": ["Others", "sad", "sad"], "y_pred": ["sad"] * 3})
    assert check_support(frame, parse_support(["OTHERS=1", "Sad=2"]))[1]
    with pytest.raises(MerError, match="'Sad' is given twice"):
        parse_support(["sad=1", "Sad=2"])


def test_names_of_an_audit_are_in_any_case(tmp_path):
    path = tmp_path / "claims.csv"
    path.write_text(
        "printed,n,unit,group,same_as\n50.00,66,Accuracy %,X,Best\n51.52,66,accuracy  %,x,best \n.5,66,uf1,,\n"
    )
    claims = read_claims(path)
    assert claims["unit"].tolist() == ["accuracy %", "accuracy %", "UF1"]
    assert claims["group"].tolist() == ["X", "X", ""]
    assert contradictions(claims)[0].startswith("Best: printed as 50.00 (line 2) and as 51.52 (line 3)")
    assert audit(claims)["consistent"].tolist()[:2] == [True, True]


SPELLED = st.tuples(st.sampled_from(["Anger", "others", "Fear x"]), st.sampled_from([str.upper, str.lower, str.title]))


@FAST
@given(
    st.lists(st.tuples(SPELLED, SPELLED), min_size=1, max_size=12),
    st.sampled_from(["", " ", "\t"]),
)
def test_spelling_never_changes_a_score(tmp_path_factory, rows, blank):
    folder = tmp_path_factory.mktemp("labels")
    plain = [("Anger", "Anger"), *((t[0], p[0]) for t, p in rows)]
    spelled = [("Anger", "anger"), *((blank + t[1](t[0]), p[1](p[0]) + blank) for t, p in rows)]
    scores = [
        evaluate(read_foreign(table(folder / f"{k}.csv", *map(list, zip(*pairs, strict=True)))).frame, **QUICK)
        for k, pairs in enumerate((plain, spelled))
    ]
    for name in ("accuracy", "UAR", "UF1"):
        assert scores[0][name]["pooled"] == scores[1][name]["pooled"]
