"""Experiment -> run directory: data, records, features, folds, results. Heavy packages load as they are needed."""

from __future__ import annotations

import logging
import runpy
from collections.abc import Collection, Mapping
from contextlib import nullcontext
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from mer_tf.changes import changed, read_experiment
from mer_tf.check import check
from mer_tf.config import Experiment, MerError, Preset, preset_of
from mer_tf.locks import held
from mer_tf.models.kinds import Network
from mer_tf.parallel import in_own_process
from mer_tf.stage_times import stage, timed_run

if TYPE_CHECKING:
    from mer_tf.datasets.adapters.listing import Listing
    from mer_tf.inputs.clips import Clips
    from mer_tf.protocols.workbench import Workbench

log = logging.getLogger("mer_tf")


def run(
    experiment: Experiment,
    resume: Path | None = None,
    folds: Collection[int] | None = None,
    *,
    final: bool = False,
) -> Path:
    """Run an experiment from data to results; returns the run directory.

    With `folds` only these are trained, and results wait for `collect`, so that several processes may share a run.
    With `final` one more network is trained on all clips, once the folds are tested; see `protocols.final`.
    Raises `MerError` for bad input, before anything is written if the declaration tells it, when another process has
    the same run or fold in hand, or for a failed self-test. A stopped run keeps finished shards, features and folds;
    one whose data or encoder cannot be had leaves no directory.
    """
    listing = check(experiment, folds)
    if final and (folds is not None or not isinstance(experiment.model, Network)):
        why = "the folds are trained apart" if folds is not None else f"{experiment.model.name} stores no network"
        raise MerError(f"--final: {why}; leave it out" + (", then --resume RUN --final" if folds is not None else ""))
    with timed_run() as times:
        with stage("loading libraries"):
            from mer_tf.protocols.cross_validation import cross_validate
            from mer_tf.protocols.self_test import before_training
            from mer_tf.run_directory import note_xla, open_run, preparing

        directory = open_run(experiment, resume)
        with held(directory) if folds is None else nullcontext():
            with preparing(directory, resumed=resume is not None):
                bench, clips = open_bench(experiment, directory, listing)
            with stage("self-test"):
                before_training(experiment, clips, bench, directory)
            with stage("training and testing"):
                cross_validate(bench, directory, folds)
            note_xla(directory, bench.xla())
            if final:
                from mer_tf.protocols.final import train_final

                with stage("the model of all clips"):
                    train_final(bench, directory)
            if folds is None:
                _finish(bench, clips, directory)
                times.write(directory)
    return directory


def run_alone(experiment: Experiment) -> Path:
    """`run` as one of many, in a process of its own: Keras keeps two graphs of whatever it compiles while it lives."""
    return in_own_process(run, experiment)


def collect(directory: Path) -> Path:
    """Results of a run whose folds were trained one by one; `MerError` naming the folds that are missing."""
    from mer_tf.protocols.cross_validation import untrained

    experiment = read_experiment(directory / "config.json")
    with held(directory):
        bench, clips = open_bench(experiment, directory)
        if missing := [folder.relative_to(directory).as_posix() for _, _, folder in untrained(bench, directory)]:
            lack = ", ".join(missing)
            raise MerError(f"{directory}: {lack} have no predictions; train them with --resume and --folds")
        _finish(bench, clips, directory)
    return directory


def _finish(bench: Workbench, clips: Clips, directory: Path) -> None:
    from mer_tf.protocols.pictures.run import write_pictures
    from mer_tf.protocols.pictures.worst import write_worst
    from mer_tf.protocols.summary import summarise
    from mer_tf.reporting.card import write_card

    with stage("results"):
        summarise(bench, clips, directory)
    with stage("pictures"):
        write_worst(bench, directory)
        write_pictures(bench, directory)
        write_card(directory)


def open_bench(experiment: Experiment, directory: Path, listing: Listing | None = None) -> tuple[Workbench, Clips]:
    """Data, records and features of an experiment, ready to train; `directory` gets its description and the log.

    `listing`: the data that are given, where `check` has listed them.
    """
    with stage("loading libraries"):
        from mer_tf.inputs.clips import prepare_clips
        from mer_tf.inputs.prepare import encode
        from mer_tf.protocols.benches import bench_of
        from mer_tf.run_directory import log_to, write_description

    log_to(directory)
    log.info("run directory: %s", directory)
    machine = write_description(directory, experiment, {})
    log.info("machine: %s, threads %s, oneDNN %s", *(machine[name] for name in ("processor", "threads", "onednn")))
    clips = prepare_clips(experiment, directory, listing)
    with stage("features"):
        encoded = encode(experiment, clips)
    write_description(directory, experiment, encoded.resolved | {"records": str(clips.records)})
    return bench_of(experiment, clips, encoded), clips


def declared(script: Path, preset: Preset | None, changes: Mapping[str, Any] = MappingProxyType({})) -> Experiment:
    """The experiment that a script of experiments/ declares, with `changes` such as {"train.epochs": 5}.

    Without a preset the one that fits the data (`preset_of`). `script` may be the bare name of a file in experiments/
    below the working directory.
    """
    path = script if script.suffix == ".py" else Path("experiments") / f"{script.name}.py"
    if not path.exists():
        raise MerError(f"{path}: no such experiment; name a script such as experiments/exp2_vggface_lstm.py")
    names = runpy.run_path(str(path))
    try:
        paper: Experiment = names["EXPERIMENT"]
    except KeyError as error:
        raise MerError(f"{path}: declares no EXPERIMENT") from error
    chosen = preset or preset_of(changed(paper, changes).data)
    return changed(paper if chosen == "paper" else names.get("EMBEDDED", paper), changes)
