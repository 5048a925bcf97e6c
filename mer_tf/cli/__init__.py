"""The mer-tf command. Each subcommand is a function whose arguments are its options.

Heavy imports wait until a subcommand runs.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable

from tyro.extras import SubcommandApp

from mer_tf.cli import data_commands, record_commands, result_commands, run_commands
from mer_tf.config import MerError

COMMANDS: dict[str, Callable[..., None]] = {
    "synth": data_commands.synth,
    "manifest": data_commands.manifest,
    "protocols": data_commands.protocols,
    "preprocess": record_commands.preprocess,
    "match-flow": record_commands.match_flow,
    "inspect": record_commands.inspect,
    "collect": run_commands.collect,
    "gradcam": run_commands.gradcam,
    "ladder": run_commands.ladder,
    "sensitivity": run_commands.sensitivity,
    "score": result_commands.score,
    "compare": result_commands.compare,
    "audit": result_commands.audit,
    "report": result_commands.report,
}
app = SubcommandApp()
for name, command in COMMANDS.items():
    app.command(name=name)(command)


def main() -> None:
    """Run the command; bad input ends with one clear line and exit status 1."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        app.cli(prog="mer-tf", description="Micro-expression recognition research, reproducible.")
    except MerError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("stopped; the same command goes on where it was")
