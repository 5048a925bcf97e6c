"""What a run left that can predict: networks, settings, classes, whom it was trained on, and how often it erred."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from mer_tf.changes import read_experiment
from mer_tf.config import GRADCAM, Experiment, MerError
from mer_tf.evaluation.calibration import Calibration, calibration_of
from mer_tf.evaluation.metrics import class_names, confusion
from mer_tf.evaluation.predictions import read_predictions
from mer_tf.files import read_mapping
from mer_tf.models.kernel_model import KernelModel
from mer_tf.models.kinds import FeatureModel
from mer_tf.names import few
from mer_tf.records.index import read_index
from mer_tf.reporting.card import CONTENT, FINAL, model_card
from mer_tf.run_directory import METHODS

MEND = "copy the whole run directory, or export it again"
SEEN = ["content_sha256", "subject_sha256"]
CALIBRATED = "calibrated"
"""Columns of what may be believed begin so."""


@dataclass(frozen=True)
class Member:
    """One trained network."""

    name: str
    """As a reader knows it: fold-0, seed-1/fold-3, final."""
    path: Path
    """Its .keras file."""
    block: str | None = None
    """The block of the encoder that Grad-CAM chose to retrain from, for this network alone."""


@dataclass(frozen=True, eq=False)
class Trained:
    """Networks whose mean probability is the answer."""

    home: Path
    """Run directory, or the folder into which a bundle was unpacked."""
    name: str
    experiment: Experiment
    resolved: Mapping[str, Any]
    classes: tuple[str, ...]
    members: tuple[Member, ...]
    seen: pd.DataFrame
    """content_sha256 and subject_sha256 of every clip that cross-validation trained on and tested; of a run clip_id,
    subject, y_true and y_pred as well."""
    confusion: pd.DataFrame
    """Counts of the cross-validation: a row a true class, a column a predicted one."""
    card: Mapping[str, Any]
    calibration: Calibration | None = None
    """Of what the cross-validation answered; None where that is not known, as of bundles of before it was kept."""

    @property
    def said(self) -> str:
        """What an answer is made of, in words."""
        if [m.name for m in self.members] == [FINAL]:
            return "one model, trained on all clips after cross-validation; no figure was measured on it"
        if not self.members:
            return "a classical method, fitted anew on each fold's training clips; the answer is their mean"
        return f"mean of the {len(self.members)} models of the cross-validation's folds"


def believed(trained: Trained, row: Mapping[Any, Any]) -> dict[str, float]:
    """The probabilities of an answer, calibrated where the run's own tests are known."""
    kind = "p" if trained.calibration is None else CALIBRATED
    return {name: float(row[f"{kind}_{name}"]) for name in trained.classes}


def how_believed(trained: Trained) -> str:
    """In words: what `believed` gives."""
    return "not calibrated" if trained.calibration is None else "calibrated by the run's own tests"


def subject_key(subject: str) -> str:
    """What stands for a subject in files that leave the house."""
    return hashlib.sha256(subject.encode()).hexdigest()


def load_run(run: Path | str, *, final: bool | None = None) -> Trained:
    """The networks of a finished run directory.

    final: True for the model that `--final` trained on all data, False for those of the folds; None: the final one
    where there is one. `MerError` for a folder that is no finished run, and for a final model that is not there.
    """
    run = Path(run)
    if not run.exists():
        raise MerError(f"{run}: no such run or bundle; `mer-tf runs` lists the runs below a folder")
    if not (run / "config.json").is_file():
        raise MerError(f"{run}: is no run directory, it has no config.json; give one that a run printed")
    config = read_mapping(run / "config.json")
    if "experiment" not in config:
        raise MerError(f"{run}: trained no recogniser of clips; give a run of a script of experiments/, exp1 to exp8")
    if (run / METHODS).is_file():
        methods = few(list(read_mapping(run / METHODS)))
        raise MerError(
            f"{run}: is a table of several methods ({methods}), which keeps no network; train one of them in a run of "
            'its own: mer_tf.run("experiments/exp8_megc2019.py", {"model.name": "ststnet"})'
        )
    if not (run / "predictions.csv").is_file():
        raise MerError(f"{run}: the run is not finished, it has no predictions.csv; go on with --resume {run}")
    experiment = read_experiment(run / "config.json")
    has_final = (run / FINAL / "model.keras").is_file()
    if final and not has_final:
        raise MerError(f"{run}: has no final model; train one with --resume {run} --final, or leave --final out")
    frame = read_predictions(run / "predictions.csv")
    classes = tuple(class_names(frame))
    counts = pd.DataFrame(confusion(frame, classes), index=list(classes), columns=list(classes))
    return Trained(
        home=run,
        name=experiment.name,
        experiment=experiment,
        resolved=config["resolved"],
        classes=classes,
        members=tuple(_members(run, experiment, final=has_final if final is None else final)),
        seen=_seen(run, config["resolved"], frame),
        confusion=counts,
        card=model_card(run),
        calibration=calibration_of(frame, classes),
    )


def pinned(trained: Trained) -> Experiment:
    """The experiment with the encoder that ran, not with what `auto` may become here; no copies of clips.

    `MerError` for an encoder of random weights, which are drawn anew each time.
    """
    experiment, resolved = trained.experiment, trained.resolved
    if (resolved.get("weights") or {}).get("source") == "random":
        raise MerError(
            f"{experiment.name}: its encoder had random weights, which no run stores, so it can say "
            "nothing of new clips; train with an encoder of known weights, as --model.encoder mtcnn-onet"
        )
    clip = replace(experiment.clip, mirror=False, mirrored_only=False, multiply=())
    model = experiment.model
    if isinstance(model, FeatureModel) and model.encoder == "auto":
        model = replace(model, encoder=str(resolved["encoder"]))
    return replace(experiment, clip=clip, model=model)


def _members(run: Path, experiment: Experiment, *, final: bool) -> Iterator[Member]:
    """The networks, each with the layer that was chosen for it."""
    chosen = getattr(experiment.model, "retrain_from", None) == GRADCAM
    paths = [run / FINAL / "model.keras"] if final else sorted(run.glob("**/fold-*/model.keras"))
    if isinstance(experiment.model, KernelModel):
        raise MerError(
            f"{run}: of {experiment.model.name} nothing fitted is stored, so this run cannot answer for new clips; use "
            "a run of a network, or `mer-tf classify`, whose recommended recogniser is such a model"
        )
    if not paths and experiment.model.takes != "descriptor":
        raise MerError(f"{run}: holds no fold-*/model.keras; copy the whole run directory, or run it again")
    for path in paths:
        block = None
        if chosen:
            layers = pd.read_csv(path.with_name("layers.csv"))
            block = str(layers.loc[layers["chosen"].astype(bool), "layer"].iloc[0])
        yield Member(path.parent.relative_to(run).as_posix(), path, block)


def _seen(run: Path, resolved: Mapping[str, Any], frame: pd.DataFrame) -> pd.DataFrame:
    """Clips of a run with the digest of their pixels, which older runs have in their records alone."""
    first = frame[frame["seed"] == frame["seed"].iloc[0]] if "seed" in frame else frame
    told = first[["clip_id", "subject", "y_true", "y_pred"]]
    content = _content(run, resolved)
    found = told.merge(content, on="clip_id", how="left") if content is not None else told.assign(content_sha256="")
    return found.assign(subject_sha256=[subject_key(str(s)) for s in found["subject"]])


def _content(run: Path, resolved: Mapping[str, Any]) -> pd.DataFrame | None:
    if (run / CONTENT).is_file():
        return pd.read_csv(run / CONTENT, dtype=str)[["clip_id", "content_sha256"]]
    try:
        clips = read_index(Path(str(resolved.get("records", "")))).clips
    except MerError:
        return None
    return pd.DataFrame([{"clip_id": c.clip_id, "content_sha256": c.content_sha256} for c in clips])
