"""The command line of an experiment: types checked, unknown fields listed, presets chosen."""

import dataclasses

import pytest

from mer_tf.changes import field_names, read_experiment
from mer_tf.cli.script import commands_of, main, read_command
from mer_tf.config import Clip, Data, Experiment, MerError, digest
from mer_tf.files import write_json
from mer_tf.models.vggface_lstm import VggFaceLstm
from mer_tf.overrides import override
from mer_tf.preprocessing.recipes import load_recipe
from mer_tf.study import Study

PAPER = Experiment("demo", data=Data(dataset="smic-hs"), published=("C/T4/LSTM",))
EMBEDDED = dataclasses.replace(PAPER, clip=Clip(stride=4))


def choose(words):
    """The experiment that `run` takes."""
    study = Study(PAPER, EMBEDDED)
    command, changes = read_command(commands_of(study)["run"], "run", words)
    return command.chosen(study, changes)[0]


def test_fields_are_overridden_with_their_types():
    changed = override(PAPER, ["--data.amplitude", "0", "--train.epochs", "3", "--model.embedding", "8", "4"])
    assert changed.data.amplitude == 0.0
    assert changed.train.epochs == 3
    assert changed.model.embedding == (8, 4)
    assert override(PAPER, ["--clip.mirror", "False"]).clip.mirror is False
    assert changed.evaluation == PAPER.evaluation


def test_underscores_and_hyphens_both_work():
    for name in ("--data.label_protocol", "--data.label-protocol"):
        assert override(PAPER, [name, "smic-3"]).data.label_protocol == "smic-3"


def test_unknown_option_lists_the_valid_ones():
    with pytest.raises(MerError, match=r"(?s)--train\.epoch\b.*--train\.epochs.*--evaluation\.split"):
        override(PAPER, ["--train.epoch", "3"])


@pytest.mark.parametrize("arguments", [["--train.epochs", "many"], ["--evaluation.split", "random"]])
def test_wrong_type_ends_with_usage(arguments):
    with pytest.raises(SystemExit):
        override(PAPER, arguments)


def test_every_field_has_one_dotted_name():
    names = list(field_names(PAPER))
    assert len(names) == len(set(names))
    assert {"name", "data.root", "clip.frames", "model.encoder", "published", "out"} <= set(names)


def test_preset_follows_the_data_root_unless_named(capsys):
    assert choose([]) == EMBEDDED
    assert choose(["--data.root", "/x"]).clip == PAPER.clip
    assert choose(["--preset", "paper"]) == PAPER
    assert choose(["--data.root=/x", "--preset=embedded"]).clip == EMBEDDED.clip
    assert choose(["--data.manifests", "a.csv", "b.csv"]).clip == PAPER.clip
    with pytest.raises(SystemExit):
        choose(["--preset", "best"])
    assert "paper" in capsys.readouterr().err


def test_a_stored_experiment_reads_back_equal(tmp_path):
    experiment = dataclasses.replace(PAPER, model=VggFaceLstm(embedding=(3, 2)))
    path = write_json(tmp_path / "config.json", {"experiment": dataclasses.asdict(experiment)})
    assert read_experiment(path) == experiment


def test_config_of_another_version_is_refused(tmp_path):
    path = write_json(tmp_path / "config.json", {"experiment": {"name": "x", "colour": "red"}})
    with pytest.raises(MerError, match=r"config\.json"):
        read_experiment(path)


def test_bad_input_ends_with_one_line_and_status_1(tmp_path, capsys):
    with pytest.raises(SystemExit) as caught:
        main(Study(PAPER, EMBEDDED), ["--data.root", str(tmp_path / "none"), "--out", str(tmp_path / "runs")])
    assert "no such folder" in str(caught.value)


def test_digest_ignores_key_order_and_sees_every_value():
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    assert digest(Clip()) != digest(Clip(stride=2))


@pytest.mark.parametrize(("options", "named"), [([], "ststnet"), (["--preprocess.size", "64"], "ststnet+")])
def test_a_recipe_stands_for_all_its_settings(options, named):
    chosen = choose(["--preprocess.recipe", "ststnet", *options])
    recipe = load_recipe("ststnet").preprocess
    assert chosen.preprocess.recipe == named
    assert chosen.preprocess.flow == recipe.flow
    assert chosen.preprocess.size == (64 if options else recipe.size)
