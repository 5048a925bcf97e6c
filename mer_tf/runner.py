"""Experiment -> run directory: data, records, features, folds, results. Heavy packages load as they are needed."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from mer_tf.config import Experiment, MerError
from mer_tf.overrides import override, read_experiment

log = logging.getLogger("mer_tf")


def main(experiment: Experiment, embedded: Experiment | None = None, arguments: Sequence[str] | None = None) -> None:
    """Entry of every script in experiments/. `embedded` is used instead when no data root is given.

    `--preset paper|embedded` chooses between the two declarations, `--resume RUN` goes on with a stopped run.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        chosen, resume = _choose(experiment, embedded, list(sys.argv[1:] if arguments is None else arguments))
        print(f"run directory: {run(chosen, resume)}")
    except MerError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(
            "stopped; the same command goes on with the records and features made so far, --resume RUN with the folds"
        )


def _choose(
    experiment: Experiment, embedded: Experiment | None, arguments: list[str]
) -> tuple[Experiment, Path | None]:
    """Declaration, with the command line's changes, and the run to resume."""
    resume, preset = _take(arguments, "--resume"), _take(arguments, "--preset")
    if resume is not None:
        return override(read_experiment(Path(resume) / "config.json"), arguments), Path(resume)
    presets = {"paper": experiment, "embedded": embedded or experiment}
    if preset is None:
        preset = "paper" if any(a.split("=")[0] == "--data.root" for a in arguments) else "embedded"
    if preset not in presets:
        raise MerError(f"--preset {preset}: choose paper or embedded")
    return override(presets[preset], arguments), None


def _take(arguments: list[str], name: str) -> str | None:
    """Remove `--name VALUE` or `--name=VALUE` from the arguments; return VALUE."""
    for position, argument in enumerate(arguments):
        if argument == name:
            if position + 1 == len(arguments):
                raise MerError(f"{name} needs a value")
            del arguments[position]
            return arguments.pop(position)
        if argument.startswith(f"{name}="):
            return arguments.pop(position).partition("=")[2]
    return None


def run(experiment: Experiment, resume: Path | None = None) -> Path:
    """Run an experiment from data to results; returns the run directory.

    Raises `MerError` for bad input. A stopped run keeps finished shards, feature chunks and folds.
    """
    from mer_tf.cross_validation import cross_validate, summarise
    from mer_tf.preparation import encode, prepare_clips
    from mer_tf.run_directory import log_to, open_run, write_description

    directory = open_run(experiment, resume)
    log_to(directory)
    log.info("run directory: %s", directory)
    write_description(directory, experiment, {})
    clips = prepare_clips(experiment, directory)
    encoded = encode(experiment, clips)
    write_description(directory, experiment, encoded.resolved | {"records": str(clips.records)})
    cross_validate(experiment, clips, encoded, directory)
    print(summarise(experiment, clips, encoded, directory))
    return directory
