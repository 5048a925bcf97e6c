"""The protocol and the data of a run in words, for a reader who has not seen its command line."""

from __future__ import annotations

import shlex

import pandas as pd

from mer_tf.config import GRADCAM
from mer_tf.evaluation.metrics import class_names
from mer_tf.reporting.run_files import Run, as_mapping
from mer_tf.reporting.run_list import run_date

SPLITS = {
    "group": "subject-disjoint, stratified by class (StratifiedGroupKFold)",
    "group-plain": "subject-disjoint, not stratified (GroupKFold)",
    "loso": "leave one subject out",
    "cross-dataset": "trained on some data sets, tested on others",
    "clip": "over shuffled clips: subjects stand on both sides of a fold",
}
WINDOWS = {
    "whole": "one pass over all frames of the clip",
    "mean": "the mean softmax of its windows",
    "windows": "the mean softmax of its windows",
    "onset": "its onset frame alone",
}
FACES = {
    "none": "whole frames",
    "crop": "the face box of the first frame",
    "align": "faces aligned, one transform a clip",
}


def question(run: Run) -> str:
    """What the run asks: the first line of the experiment's docstring where the run kept it, else its declaration."""
    if kept := str(run.config.get("docstring") or "").strip():
        return kept.splitlines()[0]
    settings, classes = run.settings, f"the classes of {run.settings['data.label_protocol']}"
    if run.predictions is not None:
        *others, last = class_names(run.predictions)
        classes = f"{', '.join(others)} and {last}" if others else last
    return f"How well does {settings['model.name']} on {_encoder(run)} tell {classes} apart, on {_data(run)}?"


def subtitle(run: Run) -> str:
    """What ran, on what, and when: the encoder is the one that the run had, whatever its experiment asks for."""
    model, encoder = str(run.settings["model.name"]), _encoder(run)
    asked = run.settings.get("model.encoder")
    kind = "descriptor" if asked is None else "encoder"
    built = "without a pretrained encoder" if encoder.startswith("none") else f"on the {kind} {encoder}"
    instead = f" (asked for: {asked})" if asked not in (None, "none", run.resolved.get("encoder")) else ""
    when = run_date(run.directory, run.config)
    return f"Model {model} {built}{instead}; data: {_data(run)}; started on {when.day} {when:%B %Y}."


def protocol(run: Run) -> list[tuple[str, str]]:
    """Name and value of each choice that decides what the numbers mean."""
    settings = run.settings
    split = str(settings["evaluation.split"])
    return [
        ("Folds", f"{_folds(run)}, {SPLITS.get(split, split)}; seed of the folds {settings['evaluation.seed']}"),
        ("Trainings of each fold", _trainings(run)),
        ("Labels", f"{settings['data.label_protocol']}{', SHUFFLED' if settings['data.shuffle_labels'] else ''}"),
        ("Epochs", _epochs(run)),
        ("A test clip's prediction", _prediction(run)),
        ("Encoder", f"{_encoder(run)}, {_training_of_encoder(run)}"),
        ("Weights", str(as_mapping(run.resolved.get("weights")).get("source", "not recorded"))),
        (
            "Frames",
            f"{FACES.get(settings['preprocess.face'], settings['preprocess.face'])}, {settings['preprocess.size']} px",
        ),
        ("Training windows", f"{settings['clip.frames']} frames"),
        ("Intervals and p", _uncertainty(run)),
    ]


def counts(run: Run, frame: pd.DataFrame, classes: list[str]) -> pd.DataFrame:
    """Clips by class, subjects and clips: a row a data set, "all" last where there are several."""
    clips = frame.drop_duplicates("clip_id")
    homes = clips["dataset"] if "dataset" in clips.columns else pd.Series(run.settings["data.dataset"], clips.index)
    parts = [(str(name), part) for name, part in clips.groupby(homes)]
    if len(parts) > 1:
        parts.append(("all", clips))
    rows = [
        {"data set": name, "clips": len(part)}
        | ({"subjects": part["subject"].nunique()} if "subject" in part.columns else {})
        | {c: int((part["y_true"] == c).sum()) for c in classes}
        for name, part in parts
    ]
    return pd.DataFrame(rows)


def left_out(run: Run, frame: pd.DataFrame) -> pd.DataFrame:
    """Clips of the manifest without a prediction: clip_id, dataset, subject, label_raw."""
    absent = ~run.manifest["clip_id"].isin(frame["clip_id"])
    return run.manifest.loc[absent, ["clip_id", "dataset", "subject", "label_raw"]]


def command(run: Run) -> str:
    """The command that repeats the run; Python scripts get their interpreter in front."""
    words = [str(w) for w in run.config.get("command") or [f"experiments/{run.name}.py"]]
    return shlex.join(["python", *words] if words[0].endswith(".py") else words)


def _encoder(run: Run) -> str:
    name, at = run.resolved.get("encoder") or run.settings.get("model.encoder", "none"), run.resolved.get("features_at")
    return f"{name}, map {at}" if at else str(name)


def _data(run: Run) -> str:
    settings = run.settings
    if settings["data.manifests"]:
        return f"{len(settings['data.manifests'])} joined manifests"
    return (
        str(settings["data.dataset"])
        if settings["data.root"]
        else f"a synthetic look-alike of {settings['data.dataset']}"
    )


def _folds(run: Run) -> str:
    if run.predictions is None or "fold" not in run.predictions.columns:
        return f"{run.settings['evaluation.folds']} folds"
    return f"{run.predictions['fold'].nunique()} folds"


def _trainings(run: Run) -> str:
    if run.predictions is None or "seed" not in run.predictions.columns:
        return str(run.settings["evaluation.seeds"])
    seeds = sorted(run.predictions["seed"].unique())
    one = f"1 (seed {seeds[0]})"
    return one if len(seeds) == 1 else f"{len(seeds)} (seeds {', '.join(seeds)}); scores are their mean"


def _epochs(run: Run) -> str:
    searched = {k.removeprefix("search."): v for k, v in run.settings.items() if k.startswith("search.")}
    chosen = [name for name, values in searched.items() if isinstance(values, (list, tuple)) and values]
    if not chosen and run.choices.empty:
        return f"{run.settings['train.epochs']}, fixed in advance"
    return f"{', '.join(chosen) or 'hyper-parameters'} chosen on inner folds of the training subjects alone"


def _prediction(run: Run) -> str:
    how = [run.settings["clip.test"]]
    if run.predictions is not None and "window" in run.predictions.columns:
        how = sorted(run.predictions["window"].unique())
    return "; ".join(WINDOWS.get(str(h), str(h)) for h in how)


def _training_of_encoder(run: Run) -> str:
    start = run.settings.get("model.retrain_from")
    if start == GRADCAM:
        return "retrained from the block on that Grad-CAM chose in each fold"
    return f"retrained from {start} on" if start else "frozen"


def _uncertainty(run: Run) -> str:
    draws, shuffles = (run.settings[f"evaluation.{k}"] for k in ("bootstrap", "permutations"))
    return (
        f"95 % intervals from {draws} draws of whole subjects; p from {shuffles} shuffles of the predictions within "
        "subjects, one-sided, of the UAR"
    )
