"""Commands that the documentation shows, and whether the programs would take them: read as they read them, not run."""

import functools
import re
import runpy
import shlex
from pathlib import Path

import pytest
import tyro

from mer_tf import cli
from mer_tf.changes import field_names
from mer_tf.cli import script
from mer_tf.commands import pick
from mer_tf.config import MerError
from mer_tf.model import models
from mer_tf.ranges import checked
from mer_tf.study import Study

ROOT = Path(__file__).parents[2]
PROGRAMS = ("mer-tf ", "python experiments/")
PLACEHOLDER = re.compile(r"[\[\]]|(?<=\w)\.\.\.")
"""Brackets around what may be left out, and the dots of what may be repeated."""


def pages():
    """README.md and the pages of docs/."""
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def shown(page):
    """The commands of a page: lines of its bash blocks, and spans of code that begin with a program of ours."""
    text = page.read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"```bash\n(.*?)```", text, flags=re.DOTALL)).replace("\\\n", " ")
    lines = [part.strip() for line in code.splitlines() for part in line.split("&&")]
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    return [one for one in dict.fromkeys(lines + spans) if one.startswith(PROGRAMS)]


def options(page):
    """Spans of code that are options alone, as `--train.epochs 5`."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    return [one for one in dict.fromkeys(re.findall(r"`(--\w[^`\n]*)`", text)) if "." in one.split()[0]]


def take(command):
    """Read a command as its program does; SystemExit or MerError where that refuses it."""
    words = shlex.split(PLACEHOLDER.sub("", command), comments=True)
    if "--help" in words:
        return
    if words[0] == "mer-tf":
        _take_mer_tf(words[1:])
    else:
        _take_script(Path(words[1]), words[2:])


def _take_mer_tf(words):
    name, rest = pick("mer-tf", cli.COMMANDS, words)
    if words == [name]:
        return  # it is spoken of
    if name:
        command = cli.PREPARED[name](rest) if name in cli.PREPARED else cli.COMMANDS[name]
        tyro.cli(checked(_without_body(command)), prog=f"mer-tf {name}", args=rest)
    elif rest:
        assert rest[0] in ("--version", cli.COMPLETION), rest


def _without_body(command):
    """The same options, and nothing is done."""
    inner = command.func if isinstance(command, functools.partial) else command

    @functools.wraps(inner)
    def nothing(*_, **__):
        return None

    return functools.partial(nothing, **command.keywords) if isinstance(command, functools.partial) else nothing


@functools.cache
def declares(path):
    """What a script of experiments/ gives to its command line."""
    taken = []
    with pytest.MonkeyPatch.context() as patch:
        for name in ("main", "pretrain_main", "spotting_main"):
            patch.setattr(script, name, lambda *given: taken.append(given))
        runpy.run_path(str(ROOT / path), run_name="__main__")
    (given,) = taken
    return given[0]


def _take_script(path, words):
    study = declares(path)
    if not isinstance(study, Study):  # one that pretrains or spots has options and no commands
        tyro.cli(type(study), default=study, args=words, use_underscores=True)
        return
    commands = script.commands_of(study)
    name, rest = pick(str(path), commands, script.as_words(words), script.default_command(study, words))
    script.read_command(commands[name], f"{path} {name}", rest, study.systems)


def take_options(texts):
    """Options alone: a command of some script must take them; of one without value the name must be there.

    What one command can take together is read at once.
    """
    left = {text: shlex.split(PLACEHOLDER.sub("", text)) for text in texts}
    for study, command, settings in _commands():
        left = {text: words for text, words in left.items() if len(words) > 1 or not _named(words) <= settings}
        fitting = {text: words for text, words in left.items() if _named(words) <= settings}
        together = _once_each(fitting.values())
        if together and _takes(study, command, [word for words in together for word in words]):
            left = {text: words for text, words in left.items() if words not in together}
    for text, words in left.items():
        if not any(_named(words) <= known and _takes(study, one, words) for study, one, known in _commands()):
            raise AssertionError(f"no script of experiments/ takes {text}")


def _named(words):
    return {word.removeprefix("--") for word in words if word.startswith("--") and "." in word}


def _once_each(texts):
    """Those of which none names what another one names already."""
    found, seen = [], set()
    for words in texts:
        if not _named(words) & seen:
            found, seen = [*found, words], seen | _named(words)
    return found


@functools.cache
def _commands():
    """Every command of the scripts, with the settings that it has; found once, for all options of all pages."""
    found = []
    for path in sorted((ROOT / "experiments").glob("exp*.py")):
        study = declares(path.relative_to(ROOT))
        commands = script.commands_of(study).values() if isinstance(study, Study) else ()
        found += [(study, command, _settings(study, command)) for command in commands]
    return found


def _settings(study, command):
    others = {name for system in study.systems for name in field_names(models()[system](), "model.")}
    return {*field_names(study.small), *others, *(f"root.{name}" for name in getattr(command, "root", ()))}


def _takes(study, command, words):
    try:
        script.read_command(command, "options", words, study.systems)
    except (SystemExit, MerError):
        return False
    return True
