"""The mer-tf command. Each subcommand is a function whose arguments are its options.

Heavy imports wait until a subcommand runs.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Callable, Sequence

import tyro

from mer_tf.cli import classify_command, data_commands, record_commands, result_commands, run_commands
from mer_tf.errors import one_line_errors
from mer_tf.ranges import checked

COMMANDS: dict[str, Callable[..., None]] = {
    "synth": data_commands.synth,
    "manifest": data_commands.manifest,
    "protocols": data_commands.protocols,
    "preprocess": record_commands.preprocess,
    "match-flow": record_commands.match_flow,
    "inspect": record_commands.inspect,
    "classify": classify_command.classify,
    "collect": run_commands.collect,
    "gradcam": run_commands.gradcam,
    "ladder": run_commands.ladder,
    "sensitivity": run_commands.sensitivity,
    "score": result_commands.score,
    "compare": result_commands.compare,
    "audit": result_commands.audit,
    "report": result_commands.report,
}


def run(arguments: Sequence[str]) -> None:
    """Run the command that `arguments` begin with; the options of the others are not looked at, which takes time."""
    overview = argparse.ArgumentParser("mer-tf", description="Micro-expression recognition research, reproducible.")
    listed = overview.add_subparsers(title="commands, each with its own --help", metavar="COMMAND", required=True)
    for name, command in COMMANDS.items():
        listed.add_parser(name, help=" ".join((command.__doc__ or "").split("\n\n")[0].split()))
    name = arguments[0] if arguments else ""
    if name not in COMMANDS:
        overview.parse_args(arguments[:1])  # prints the overview, or the known commands, and exits
    tyro.cli(checked(COMMANDS[name]), prog=f"mer-tf {name}", args=arguments[1:])


def main() -> None:
    """Run the command; bad input ends with one clear line and exit status 1."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    with one_line_errors("stopped; the same command goes on where it was"):
        run(sys.argv[1:])
        sys.stdout.flush()  # here, so that a full disk or a closed pipe is said like any other
