"""Tables of variants, seeds and comparisons."""

import pandas as pd

from mer_tf.evaluation.metrics import evaluate
from mer_tf.evaluation.statistics import paired_permutation
from mer_tf.evaluation.variants import metric_variants, per_subject
from mer_tf.reporting.tables import baseline_text, comparison_text, results_table, subject_table, variants_table

TRUE = list("xyxyxyxyxyxy")
FRAME = pd.DataFrame(
    {
        "clip_id": [f"c{k:02}" for k in range(12)],
        "dataset": ["d"] * 6 + ["e"] * 6,
        "subject": list("aabbccddeeff"),
        "fold": list("001122334455"),
        "y_true": TRUE,
        "y_pred": list("xyxyxyxyxyxx"),
    }
)
WORST = FRAME.assign(y_pred=["y" if t == "x" else "x" for t in TRUE])


def test_results_table_tells_seeds_only_where_there_are_several():
    assert "±" not in results_table({"ours": evaluate(FRAME, permutations=9)})
    both = pd.concat([FRAME.assign(seed="0"), WORST.assign(seed="1")])
    text = results_table({"ours": evaluate(both, permutations=9)})
    assert "45.8% ± 64.8 [" in text
    assert "mean ± standard deviation of 2 seeds" in text
    assert "12 clips of 6 subjects" in text


def test_variants_table_has_a_line_a_variant_and_a_column_a_data_set():
    lines = variants_table(metric_variants(FRAME)).splitlines()
    assert lines[0].split() == ["all", "d", "e", "definition"]
    assert len(lines) == 2 + 10
    assert lines[2].split()[:5] == ["pooled", "accuracy", "91.7%", "100.0%", "83.3%"]
    assert lines[-1].split()[:3] == ["MCC", "0.845", "1.000"]


def test_subject_table_names_the_confusion():
    last = subject_table(per_subject(FRAME)).splitlines()[-1]
    assert last.split() == ["f", "e", "2", "50.0%", "50.0%", "y", "as", "x", "(1", "of", "1)"]


def test_comparison_concludes_in_words():
    better = comparison_text("ours.csv", "theirs.csv", paired_permutation(FRAME, WORST))
    assert "first: ours.csv" in better
    assert "The first is better in accuracy and UAR and UF1" in better
    worse = comparison_text("theirs.csv", "ours.csv", paired_permutation(WORST, FRAME))
    assert "The second is better in accuracy" in worse
    same = comparison_text("ours.csv", "ours.csv", paired_permutation(FRAME, FRAME))
    assert "No difference is shown" in same
    assert "too few" not in same


def test_comparison_of_few_subjects_says_that_they_are_too_few():
    text = comparison_text("a", "b", paired_permutation(FRAME.iloc[:6], WORST.iloc[:6]))
    assert "3 subjects are too few for any p below 0.05" in text


def test_baselines_that_are_not_above_chance_are_named():
    scores = {
        f"{s}{end}": v for s in ("accuracy", "UAR", "UF1") for end, v in (("", 0.5), ("_low", 0.4), ("_high", 0.6))
    }
    made = scores | {"n": 9, "majority_rate": 1 / 3, "chance": 1 / 3, "published": "", "after": ""}
    above = pd.DataFrame([made | {"column": c, "system": s} for c in ("SMIC", "SAMM") for s in ("one", "other")])
    assert baseline_text(above).endswith("every UAR's interval lies above chance")
    assert "one (after Li et al. 2018)" in baseline_text(above.assign(after="Li et al. 2018"))
    above.loc[above["column"] == "SAMM", "UAR_low"] = 1 / 3
    assert baseline_text(above).endswith("UAR not above chance by its interval, in SAMM: one, other")
