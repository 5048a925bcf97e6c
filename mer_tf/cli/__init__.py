"""The mer-tf command. Each subcommand is a function whose arguments are its options.

Heavy imports wait until a subcommand runs.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Sequence

import tyro

import mer_tf
from mer_tf.cli import (
    cache_command,
    classify_command,
    data_commands,
    record_commands,
    result_commands,
    run_commands,
    serve_commands,
    spot_command,
)
from mer_tf.commands import overview, pick, refuse, summary
from mer_tf.errors import one_line_errors, refuse_addresses
from mer_tf.quiet import quiet_tensorflow
from mer_tf.ranges import checked

Command = Callable[..., None]
GROUPS: dict[str, dict[str, Command]] = {
    "data sets": {
        "synth": data_commands.synth,
        "manifest": data_commands.manifest,
        "protocols": data_commands.protocols,
    },
    "records": {
        "preprocess": record_commands.preprocess,
        "match-flow": record_commands.match_flow,
        "inspect": record_commands.inspect,
        "cache": cache_command.cache,
    },
    "experiments (the scripts in experiments/ make runs)": {
        "collect": run_commands.collect,
        "gradcam": run_commands.gradcam,
        "ladder": run_commands.ladder,
        "sensitivity": run_commands.sensitivity,
        "learning-curve": run_commands.learning_curve,
    },
    "results": {
        "score": result_commands.score,
        "compare": result_commands.compare,
        "audit": result_commands.audit,
        "report": result_commands.report,
        "runs": result_commands.runs,
    },
    "a trained model at work": {
        "predict": serve_commands.predict,
        "export": serve_commands.export,
        "classify": classify_command.classify,
        "spot": spot_command.spot,
    },
}
COMMANDS = {name: command for group in GROUPS.values() for name, command in group.items()}
ABOUT = "Micro-expression recognition research, reproducible. Each command has its own --help."
COMPLETION = "--tyro-print-completion"
OPTIONS = {
    "--help": "this text",
    "--version": "version of mer_tf",
    COMPLETION: "completion for bash, zsh or tcsh, as mer-tf --tyro-print-completion bash > "
    "~/.local/share/bash-completion/completions/mer-tf",
}
PREPARED: dict[str, Callable[[Sequence[str]], Command]] = {"preprocess": record_commands.preprocess_by_recipe}
"""Commands whose defaults depend on their arguments."""


def run(arguments: Sequence[str]) -> None:
    """Run the command that `arguments` begin with; without one, print the overview."""
    name, rest = pick("mer-tf", COMMANDS, arguments)
    if name:
        command = PREPARED[name](rest) if name in PREPARED else COMMANDS[name]
        tyro.cli(checked(command), prog=f"mer-tf {name}", args=rest)
    elif not rest:
        groups = {title: {name: summary(command) for name, command in group.items()} for title, group in GROUPS.items()}
        print(overview("mer-tf COMMAND [--option value ...]", ABOUT, {**groups, "options": OPTIONS}))
    elif rest[0] == "--version":
        print(f"mer_tf {mer_tf.__version__}")
    elif rest[0].startswith(COMPLETION):
        tyro.extras.subcommand_cli_from_dict(COMMANDS, prog="mer-tf", args=rest)
    else:
        refuse("mer-tf", "option", rest[0], OPTIONS)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command that `arguments` (None: the process's) name; bad input ends with one line and exit status 1."""
    quiet_tensorflow()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    with one_line_errors("stopped; the same command goes on where it was"):
        given = sys.argv[1:] if arguments is None else arguments
        refuse_addresses(given)
        run(given)
        sys.stdout.flush()  # here, so that a full disk or a closed pipe is said like any other
