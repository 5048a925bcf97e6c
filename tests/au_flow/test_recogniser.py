"""The recommended recogniser without a run, with one, and how many people it needs."""

import json
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import f1_score

from mer_tf.au_flow.dictionaries import STRANGEST, answers_kept_out, drawn_of, learn, trained_kinds
from mer_tf.au_flow.drawn_training import kept_out_groups
from mer_tf.au_flow.learning_curve import learning_curve
from mer_tf.au_flow.recogniser import of_drawn, of_run, uncertain
from mer_tf.au_flow.settings import Dictionaries
from mer_tf.config import Clip, Data, Evaluation, Experiment, MerError
from mer_tf.models.pixel_kernel import PixelKernel
from mer_tf.protocols.composite import composite
from mer_tf.run_directory import open_run
from mer_tf.runner import open_bench
from mer_tf.synthetic.action_units.fields import joined
from mer_tf.synthetic.action_units.rendered import draw_kind


@pytest.fixture(scope="module")
def declared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recogniser")
    return folder, Experiment(
        name="recogniser",
        data=Data(dataset="flow-images", label_protocol="megc2019-3", subjects=4, cache=str(folder / "cache")),
        clip=Clip(frames=1, mirror=False, balance=False),
        model=PixelKernel(),
        evaluation=Evaluation(split="loso", permutations=20, bootstrap=20),
    )


def test_a_share_below_half_is_uncertain():
    assert uncertain(np.array([0.4, 0.35, 0.25]))
    assert not uncertain(np.array([0.6, 0.2, 0.2]))


@pytest.mark.slow
def test_trained_on_direct_drawings_it_knows_rendered_faces():
    drawn = draw_kind("astronaut-dis", 48, 1, crop="published")
    found = of_drawn().probabilities(drawn.images)
    assert f1_score(drawn.labels, found.argmax(axis=1), average="macro") > 0.8
    assert "nobody's face" in of_drawn().limits[0]


@pytest.mark.slow
def test_answers_about_a_kind_kept_out_are_those_of_a_regression_on_the_others(tmp_path):
    """Rendered faces to learn from, direct drawings to answer: every one of them is counted once."""
    names = kept_out_groups()[STRANGEST]
    assert names == ["bell", "patch", "tail"]
    train, tests = (drawn_of(kinds, 12, seed, tmp_path) for seed, kinds in enumerate((trained_kinds(names), names)))
    learned = learn(joined([*train.values()]).images, Dictionaries(number=1, words=20, patches=2000))
    calibration = answers_kept_out(train, tests, names, learned)
    assert sum(calibration.given) == 36
    assert sum(calibration.right) > 12


@pytest.mark.slow
def test_a_run_s_row_is_trained_on_all_its_clips(declared):
    folder, experiment = declared
    experiment = replace(experiment, out=str(folder / "runs"))
    run = open_run(experiment, None)
    bench, clips = open_bench(experiment, run)
    composite(experiment, {"pixel kernel": {"model.name": "pixel_kernel"}}, clips, bench.encoded, run, apart=False)
    known = of_run(run)
    assert known.model == PixelKernel()
    assert known.trained_on.startswith(f"{len(clips.table)} clips of 4 subjects")
    assert any("no evidence about people" in line for line in known.limits)
    assert sum(known.calibration.given) == len(clips.table)
    assert "clips of people who were kept out of the training" in known.record("negative")
    (run / "methods.json").write_text(json.dumps({"majority": {"model.name": "majority"}}))
    of_run.cache_clear()
    with pytest.raises(MerError, match="has no row of kernel ridge regression"):
        of_run(run)


@pytest.mark.slow
def test_a_learning_curve_has_a_row_a_number_with_drawn_images_and_without(declared):
    folder, experiment = declared
    table = learning_curve(experiment, (2,), 2, folder / "curve", drawn=12)
    assert table[["subjects", "drawn"]].to_numpy().tolist() == [[2, False], [2, True], [3, False], [3, True]]
    assert table["UF1"].between(0, 1).all()
    assert (folder / "curve" / "learning_curve.png").stat().st_size > 5_000
    with pytest.raises(MerError, match="of 4 subjects at most 3"):
        learning_curve(experiment, (4,), 2, folder / "other")
