"""Whether training moved the heat: paired by clip, with an interval, and no claim from few seeds."""

import numpy as np
import pandas as pd
import pytest

from mer_tf.explain.heat_change import AFTER, BEFORE, HEAD, LIFTS, SEEDS, change_summary, sentence, verdict


def table(change, seeds=SEEDS, subjects=8, noise=0.2, empty=()):
    """Lifts of two clips a subject: about 1 before, `change` more after, as before under another head."""
    rng, rows = np.random.default_rng(0), []
    for seed in range(seeds):
        for clip in range(2 * subjects):
            before = 1 + rng.normal(0, 0.1)
            sides = {BEFORE: before, AFTER: before + change + rng.normal(0, noise), HEAD: before + rng.normal(0, noise)}
            for side, value in sides.items():
                found = dict.fromkeys(LIFTS, np.nan if (clip, side) in empty else value)
                name = {"clip_id": f"c{clip}", "subject": f"s{clip // 2}", "side": side}
                rows.append({"seed": seed} | name | found)
    return pd.DataFrame(rows)


def test_the_same_network_twice_has_no_difference():
    summary = change_summary(table(0.0, noise=0.0)).set_index("side")
    assert summary.loc[AFTER, ["difference", "low", "high"]].tolist() == [0, 0, 0]
    assert summary.loc[AFTER, "p"] == 1
    assert verdict(summary.loc[AFTER]) == "not shown"


@pytest.mark.parametrize(
    ("change", "said", "meant"),
    [
        (0.5, "holds", "training moved the heat onto"),
        (-0.5, "the other way round", "training moved the heat away from"),
        (0.0, "not shown", "the interval of the difference holds 0: no change shown"),
    ],
)
def test_a_change_is_said_when_its_interval_leaves_0(change, said, meant):
    summary = change_summary(table(change))
    row = summary.set_index("side").loc[AFTER]
    assert verdict(row) == said
    assert row["difference"] == pytest.approx(change, abs=0.1)
    assert row["low"] < row["difference"] < row["high"]
    assert (row["clips"], row["subjects"], row["seeds"]) == (16, 8, 5)
    assert verdict(row, 0.06) == "not shown"  # by a p corrected for other rows of the same claim
    text = sentence(summary)
    assert meant in text
    assert f"16 test clips of 8 subjects, {SEEDS} seeds" in text
    assert f"{HEAD} {summary.set_index('side').loc[HEAD, 'lift']:.2f}" in text


def test_few_seeds_claim_nothing():
    summary = change_summary(table(2.0, seeds=SEEDS - 1))
    assert verdict(summary.set_index("side").loc[AFTER]) == "not claimed (4 of 5 seeds)"
    assert "4 seeds): a claim needs 5 seeds (--evaluation.seeds 5), so none is made." in sentence(summary)


def test_clips_without_heat_are_left_out_of_both_sides_and_counted():
    summary = change_summary(table(0.5, empty={(3, AFTER), (4, BEFORE)})).set_index("side")
    assert (summary.loc[AFTER, "clips"], summary.loc[AFTER, "left_out"]) == (14, 2 * SEEDS)
    assert "10 of 80 pairs of maps without heat or face left out" in sentence(summary.reset_index())
    nothing = change_summary(table(0.5, empty={(k, AFTER) for k in range(16)}))
    assert "Nothing can be said" in sentence(nothing)
    assert verdict(nothing.set_index("side").loc[AFTER]) == "no heat to compare"


def test_one_subject_tells_nothing_of_others():
    row = change_summary(table(3.0, subjects=1)).set_index("side").loc[AFTER]
    assert (row["low"], row["high"]) == (-np.inf, np.inf)
    assert verdict(row) == "not shown"
