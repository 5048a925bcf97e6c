"""An order of two methods holds over several seeds, for other subjects, and beside all else that was tested."""

import numpy as np
import pandas as pd
import pytest

from mer_tf.evaluation.metrics import SCORES
from mer_tf.evaluation.orderings import LEAST_SEEDS, between_data_sets, holm, over_subjects_and_seeds, verdict
from mer_tf.evaluation.statistics import paired_permutation

CLASSES = np.array(["a", "b", "c"])
SUBJECTS, CLIPS = 16, 9


def method(right, seeds=3, random=0, subjects=SUBJECTS):
    """Predictions of a method that is right about a clip with probability `right`, or one for each seed."""
    rng = np.random.default_rng(random)
    parts = []
    for seed, chance in zip(range(seeds), np.broadcast_to(right, seeds), strict=True):
        true = np.tile(np.arange(3), subjects * CLIPS // 3)
        hit = rng.random(len(true)) < chance
        columns = {
            "clip_id": [f"c{k}" for k in range(len(true))],
            "subject": [f"s{k // CLIPS}" for k in range(len(true))],
            "seed": seed,
            "y_true": CLASSES[true],
            "y_pred": CLASSES[np.where(hit, true, (true + 1) % 3)],
        }
        parts.append(pd.DataFrame(columns))
    return pd.concat(parts, ignore_index=True)


def judged(first, second, name="UAR"):
    found = over_subjects_and_seeds(first, second)
    return verdict(found.difference[name], holm([found.p[name]])[0], found.seeds)


@pytest.mark.parametrize("name", ["accuracy", "UAR"])
def test_a_true_difference_over_three_seeds_holds_and_over_fewer_is_not_shown(name):
    good, poor = method(0.8), method(0.5, random=1)
    assert judged(good, poor, name) == "holds"
    assert judged(poor, good, name) == "the other way round"
    assert judged(method(0.8, seeds=1), method(0.5, seeds=1, random=1), name) == "not shown: 1 seed"
    assert judged(method(0.8, seeds=5), method(0.5, seeds=2, random=1), name) == "not shown: 2 seeds"


def test_equally_good_methods_are_in_no_order():
    assert judged(method(0.6), method(0.6, random=1)) == "not shown"
    assert over_subjects_and_seeds(method(0.6), method(0.6)).p["UAR"] == 1


def test_what_one_lucky_training_in_three_does_is_no_order():
    """Over subjects alone, trainings as they are, it would be one."""
    lucky, other = method((0.6, 0.6, 1.0)), method(0.6, random=1)
    assert paired_permutation(lucky, other).p["accuracy"] < 0.05
    found = over_subjects_and_seeds(lucky, other)
    assert found.p["accuracy"] > 0.05
    low, high = found.ci95["accuracy"]
    assert low < 0 < found.difference["accuracy"] < high


def test_p_is_no_smaller_than_few_subjects_allow():
    found = over_subjects_and_seeds(method(1.0, subjects=4), method(0.0, subjects=4))
    assert found.p["UAR"] == pytest.approx(2 / 2**4)
    assert over_subjects_and_seeds(method(1.0, subjects=1), method(0.0, subjects=1)).p["UAR"] == 1


def test_one_seed_has_an_interval_over_subjects_alone():
    found = over_subjects_and_seeds(method(0.8, seeds=1), method(0.5, seeds=1, random=1))
    plain = paired_permutation(method(0.8, seeds=1), method(0.5, seeds=1, random=1))
    for name in SCORES:
        assert found.difference[name] == plain.difference[name]
        assert np.allclose(found.ci95[name], plain.ci95[name], atol=0.03)


def test_the_interval_turns_with_the_order_and_agrees_with_p():
    for right in (0.5, 0.55, 0.6, 0.65, 0.7):
        good, poor = method(right), method(0.5, random=1)
        ours, back = (over_subjects_and_seeds(*pair, draws=199) for pair in ((good, poor), (poor, good)))
        low, high = ours.ci95["accuracy"]
        assert np.allclose((low, high), (-back.ci95["accuracy"][1], -back.ci95["accuracy"][0]), atol=0.02)
        assert not ours.p["accuracy"] < 0.05 or not low <= 0 <= high


def test_two_data_sets_of_other_people_and_sizes_are_compared():
    easy, hard = method(0.8), method(0.5, random=1, subjects=10)
    found, back = between_data_sets(easy, hard), between_data_sets(hard, easy)
    assert (found.n, found.subjects, found.seeds) == (26 * CLIPS, 26, 3)
    for name in SCORES:
        low, high = found.ci95[name]
        assert 0 < low < found.difference[name] < high
        assert found.p[name] < 0.01
        assert back.difference[name] == -found.difference[name]
    assert found.difference["accuracy"] == pytest.approx(0.3, abs=0.08)
    alike = between_data_sets(method(0.6), method(0.6, random=1))
    assert alike.ci95["UAR"][0] < 0 < alike.ci95["UAR"][1]
    assert alike.p["UAR"] > 0.05


def test_nothing_of_two_data_sets_is_paired():
    """The same predictions twice, paired, lie apart by nothing for sure."""
    one = method(0.6, seeds=1)
    low, high = between_data_sets(one, one).ci95["accuracy"]
    assert -high == pytest.approx(low)
    assert high > 0.03
    assert over_subjects_and_seeds(one, one).ci95["accuracy"] == (0, 0)


def test_a_lucky_training_on_one_of_two_data_sets_is_no_order():
    assert between_data_sets(method((0.6, 0.6, 1.0)), method(0.6, random=1)).p["accuracy"] > 0.05


def test_one_subject_tells_nothing_of_a_data_set():
    found = between_data_sets(method(1.0), method(0.0, subjects=1))
    assert found.p["accuracy"] == 1
    assert found.ci95["accuracy"] == (-1, 1)


def test_holm_lets_the_second_of_two_borderline_ones_fail():
    assert holm([0.03, 0.04]) == pytest.approx([0.06, 0.06])
    assert holm([0.02, 0.04]) == pytest.approx([0.04, 0.04])
    assert holm([0.04, 0.02, 0.03]) == pytest.approx([0.06, 0.06, 0.06])
    assert holm([0.024, 0.051]) == pytest.approx([0.048, 0.051])
    assert [verdict(1, p, LEAST_SEEDS) for p in (0.04, 0.04)] == ["holds", "holds"]
    assert [verdict(1, p, LEAST_SEEDS) for p in holm([0.024, 0.051])] == ["holds", "not shown"]
    assert holm([0.9, 0.8]) == [1, 1]
    assert holm([]) == []
