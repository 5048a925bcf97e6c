"""Numbers and names out of their declared range are refused before anything is read, computed or written."""

import dataclasses
import typing
from pathlib import Path
from typing import Annotated

import pytest
from helpers.running import mer_tf
from hypothesis import given, settings
from hypothesis import strategies as st

from mer_tf.changes import field_names
from mer_tf.config import Clip, Evaluation, Experiment, MerError, Preprocess, Search, Train
from mer_tf.files import file_name
from mer_tf.model import models
from mer_tf.overrides import override
from mer_tf.ranges import BelowOne, Count, Name, Positive, Range, Share, check_ranges, checked

WRONG = {
    "preprocess.size": ["-5", "0", "100000"],
    "preprocess.margin": ["nan", "-0.1", "inf"],
    "preprocess.clips_per_shard": ["0"],
    "clip.frames": ["0", "-1"],
    "clip.step": ["0"],
    "clip.stride": ["-1"],
    "model.dropout": ["1", "-0.5", "nan"],
    "model.width": ["0", "-1"],
    "train.epochs": ["0", "-3"],
    "train.batch_size": ["0"],
    "train.learning_rate": ["0", "-1e-3", "inf"],
    "train.seed": ["-1", "5000000000"],
    "evaluation.bootstrap": ["0"],
    "evaluation.permutations": ["-1", "0"],
    "evaluation.folds": ["1"],
    "search.epochs": ["0"],
    "search.learning_rate": ["-1"],
    "model.embedding": ["0"],
    "model.blocks.units": ["0"],
    "model.C": ["-1"],
    "data.amplitude": ["-1", "nan"],
    "name": ["../../evil", "/tmp/x", "a/b", "..", "", "a:b"],
}

OWNER = {
    "model.width": ["--model.name=rcn"],
    "model.blocks.units": ["--model.name=gia_bia_bilstm"],
    "model.C": ["--model.name=lbp_top"],
}
"""Settings that the default model has not."""


@pytest.mark.parametrize(("option", "value"), [(o, v) for o, values in WRONG.items() for v in values])
def test_an_experiment_refuses_it_by_the_name_of_the_option(option, value):
    with pytest.raises(MerError, match=rf"^--{option}=.*: give "):
        override(Experiment("demo"), [*OWNER.get(option, []), f"--{option}={value}" if value else f"--{option}="])


def test_all_faults_are_said_at_once():
    experiment = Experiment("x", clip=Clip(frames=0), train=Train(epochs=-1), search=Search(dropout=(0.1, 1.0)))
    with pytest.raises(MerError) as caught:
        check_ranges(experiment)
    assert str(caught.value) == (
        "clip.frames=0: give 1 or more; train.epochs=-1: give 1 or more; "
        "search.dropout=(0.1, 1.0): give 0 or more and below 1"
    )


def test_declared_experiments_and_defaults_are_in_range():
    check_ranges(Experiment("x", clip=Clip(multiply=(7, 8)), evaluation=Evaluation(permutations=1)))
    check_ranges(Preprocess())
    for kind in models().values():
        check_ranges(kind())


@pytest.mark.parametrize("script", sorted(Path("experiments").glob("exp[1-8]_*.py")), ids=lambda p: p.stem)
def test_scripts_declare_what_is_in_range(script):
    from mer_tf.runner import declared

    for preset in ("paper", "embedded"):
        check_ranges(declared(script, preset))


def test_every_number_of_an_experiment_declares_a_range():
    def bare(kind, prefix=""):
        for name, hint in typing.get_type_hints(kind, include_extras=True).items():
            if dataclasses.is_dataclass(hint):
                yield from bare(hint, f"{prefix}{name}.")
            elif hint in (int, float, tuple[int, ...], tuple[float, ...]):
                yield prefix + name

    for kind in (Experiment, *models().values()):
        assert list(bare(kind)) == []
    assert "clip.frames" in set(field_names(Experiment("x")))


COMMANDS = [
    (["preprocess", "--manifest", "m.csv", "--out", "o", "--size", "-5"], "--size=-5"),
    (["preprocess", "--manifest", "m.csv", "--out", "o", "--name", "../../evil"], "--name=../../evil"),
    (["preprocess", "--manifest", "m.csv", "--out", "o", "--margin", "nan"], "--margin=nan"),
    (["preprocess", "--manifest", "m.csv", "--out", "o", "--workers", "0"], "--workers=0"),
    (["preprocess", "--manifest", "m.csv", "--out", "o", "--recipe", "ststnet", "--size", "0"], "--size=0"),
    (["score", "t.csv", "--bootstrap", "0"], "--bootstrap=0"),
    (["score", "t.csv", "--permutations", "-1"], "--permutations=-1"),
    (["compare", "a.csv", "b.csv", "--permutations", "0"], "--permutations=0"),
    (["audit", "--n-max", "-3"], "--n_max=-3"),
    (["synth", "--out", "o", "--subjects", "0"], "--subjects=0"),
    (["synth", "--out", "o", "--amplitude", "nan"], "--amplitude=nan"),
    (["synth", "--out", "o", "--seed", "-1"], "--seed=-1"),
    (["match-flow", "--reference", "r", "--manifest", "m.csv", "--sizes", "96", "0"], "--sizes=(96, 0)"),
    (["classify", "c", "--out", "o", "--onset", "-1"], "--onset=-1"),
    (["gradcam", "r", "--out", "o", "--per-class", "0"], "--per_class=0"),
    (["ladder", "exp2", "--out", "o", "--inner-folds", "1"], "--inner_folds=1"),
    (["sensitivity", "exp2", "--out", "o", "--steps", "1", "0"], "--steps=(1, 0)"),
]


@pytest.mark.parametrize(("arguments", "named"), COMMANDS, ids=[" ".join([a[0], n]) for a, n in COMMANDS])
def test_commands_refuse_it_first_and_write_nothing(arguments, named, tmp_path):
    with pytest.raises(SystemExit) as end:
        mer_tf(*arguments, cwd=tmp_path)
    assert str(end.value.code).startswith(f"error: {named}: give ")
    assert not list(tmp_path.iterdir())


@dataclasses.dataclass(frozen=True)
class Settings:
    """One field of each kind."""

    count: Count = 1
    rate: Positive = 1.0
    share: Share = 0.5
    drop: BelowOne = 0.0
    some: tuple[Count, ...] = ()
    maybe: Annotated[int, Range(0, 9)] | None = None
    name: Name = "x"


NUMBERS = st.integers() | st.floats() | st.sampled_from([0, 1, -1, 0.0, 1.0])


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(
    count=NUMBERS, rate=NUMBERS, share=NUMBERS, drop=NUMBERS, some=st.lists(NUMBERS, max_size=3).map(tuple),
    maybe=st.none() | NUMBERS, name=st.text(max_size=4),
)  # fmt: skip
def test_what_passes_is_in_range(**values):
    try:
        check_ranges(Settings(**values))
    except MerError:
        return
    assert values["count"] >= 1
    assert 0 < values["rate"] < float("inf")
    assert 0 <= values["share"] <= 1
    assert 0 <= values["drop"] < 1
    assert all(each >= 1 for each in values["some"])
    assert values["maybe"] is None or 0 <= values["maybe"] <= 9
    assert (Path("/a/b") / values["name"]).resolve().parent == Path("/a/b")


def test_a_checked_function_keeps_its_face():
    @checked
    def double(value: Count, name: Name = "x") -> int:
        """Twice."""
        return 2 * value

    assert double(3) == 6
    assert double.__doc__ == "Twice."
    with pytest.raises(MerError, match=r"--value=0: give 1 or more; --name=\.\.: give the name of a file"):
        double(0, name="..")


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(st.text(max_size=8) | st.sampled_from(["..", "../x", "/etc", "a/b", ".", "a\\b"]))
def test_a_clip_as_a_file_stays_in_its_folder(clip_id):
    path = Path("/a/b") / file_name(clip_id)
    assert path.resolve().parent == Path("/a/b") or not clip_id


def test_a_usual_clip_id_keeps_its_name():
    assert file_name("smic-hs/s01_ne_01") == "smic-hs_s01_ne_01"
