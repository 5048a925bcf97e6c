"""`mer-tf` alone: its commands in groups, its version, completion for shells, the nearest of misspelt words."""

import subprocess
import sys

import pytest

import mer_tf
from mer_tf import cli
from mer_tf.cli.record_commands import preprocess, preprocess_by_recipe
from mer_tf.preprocessing.recipes import load_recipe


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"]])
def test_alone_and_with_help_it_lists_every_command_in_its_group(words, capsys):
    cli.run(words)
    text = capsys.readouterr().out
    assert text.startswith("usage: mer-tf")
    assert all(f"\n{group}:\n" in text for group in cli.GROUPS)
    assert all(f"\n  {name} " in text for name in cli.COMMANDS)


def test_version(capsys):
    cli.run(["--version"])
    assert capsys.readouterr().out == f"mer_tf {mer_tf.__version__}\n"


@pytest.mark.parametrize(
    ("words", "said"), [(["scor"], "did you mean score?"), (["--verson"], "did you mean --version?")]
)
def test_a_misspelt_word_is_told_the_nearest(words, said, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.run(words)
    assert caught.value.code == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_completion_knows_every_command(shell, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.run([cli.COMPLETION, shell])
    assert not caught.value.code
    text = capsys.readouterr().out
    assert all(name in text for name in (*cli.COMMANDS, "--amplitude"))


def test_a_recipe_gives_the_defaults_of_preprocess():
    given = preprocess_by_recipe(["--manifest", "m.csv", "--recipe", "ststnet", "--size", "64"])
    assert given.keywords == {"settings": load_recipe("ststnet").preprocess}
    assert preprocess_by_recipe(["--manifest", "m.csv", "--help"]) is preprocess


def test_help_of_a_recipe_shows_its_values():
    code = "from mer_tf.cli import main; main()"
    command = [sys.executable, "-c", code, "preprocess", "--recipe", "ststnet", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    text = " ".join(done.stdout.replace("│", " ").split())
    assert "(default: onset)" in text
    assert "(default: tvl1)" in text
