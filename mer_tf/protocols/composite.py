"""The composite of MEGC 2019: methods on flow images, leave one subject out, scored over all clips and by data set.

Beside each network stands what it scores when every subject's epoch is chosen on that subject, as published numbers
were (the code of HTNet does so). That row peeks at the answers: it is there to be compared with, and says so.
"""

from __future__ import annotations

import logging
import random
import time
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from itertools import starmap
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mer_tf.changes import changed, migrated
from mer_tf.config import Experiment, MerError
from mer_tf.descriptors import Classical, OnsetFrame
from mer_tf.descriptors.classifiers import class_shares, classifier, fitted
from mer_tf.evaluation.metrics import class_names, evaluate, score_columns
from mer_tf.evaluation.predictions import read_predictions, write_predictions
from mer_tf.evaluation.sealed import SealedLabels
from mer_tf.files import atomic, read_mapping, write_csv, write_json, write_text
from mer_tf.inputs.clips import Clips
from mer_tf.inputs.prepare import Encoded
from mer_tf.models.au_flow import AuFlow
from mer_tf.models.kernel_model import KernelModel
from mer_tf.models.kinds import FlowImageModel
from mer_tf.notices import Notice, danger
from mer_tf.parallel import in_processes
from mer_tf.progress import Progress
from mer_tf.protocols.classical import blind_features
from mer_tf.protocols.composite_words import differences, notes, printed, published_only, said_in_advance, tuned
from mer_tf.protocols.kernel import KernelBench
from mer_tf.protocols.ladder import best_epoch
from mer_tf.protocols.pictures.always_wrong import write_always_wrong
from mer_tf.protocols.pretrained import as_given, images_of
from mer_tf.protocols.workbench import Bench
from mer_tf.reporting.plots import confusion_pair
from mer_tf.reporting.tables import composite_text, difference_text
from mer_tf.run_directory import METHODS, log_to, note_xla
from mer_tf.training.all_folds.folds import AllFolds
from mer_tf.training.trainer import EpochPredictions, training_seed

log = logging.getLogger(__name__)
TIME = "time.json"
"""Processor seconds of a method that was run in one go."""
WATCHED = 80
"""Epochs, evenly spaced, at which test clips are predicted, so that the best of them can be told."""
PEEKED = ", best epoch on the test subject"
FULL = "full"

Settings = Mapping[str, Any]
Methods = Mapping[str, Settings]
ByEpoch = dict[int, np.ndarray]
"""Epoch -> probabilities (test clips, classes)."""


def composite(
    experiment: Experiment,
    methods: Methods,
    clips: Clips,
    encoded: Encoded,
    directory: Path,
    *,
    apart: bool = True,
) -> str:
    """Run every method (name -> dotted settings, model.name among them); those that have predictions are kept.

    Each runs in a process of its own, as many at once as the cores and the memory bear; one by one in this process
    where `apart` is False. A resumed run goes by methods.json. The onset frame is left out where clips are ready-made
    flow images, which have none. Writes <method>/predictions.csv, composite.csv, metrics.json and results.txt under
    `directory`; returns the text. `MerError` of a method names it, and ends the others.
    """
    path, onsets = directory / METHODS, getattr(encoded.store, "onsets", {})
    if not path.exists():
        write_json(path, {n: s for n, s in methods.items() if onsets or s["model.name"] != OnsetFrame.name})
    stored = read_mapping(path)
    if not all(isinstance(given, dict) for given in stored.values()):
        raise MerError(f"{path}: was written by an older version; delete it, finished methods are kept")
    bench = Bench(experiment, clips, encoded)
    log.info("%s", "\n".join(said_in_advance(experiment, stored, len(clips.table), len(bench.folds()))))
    chosen = {name: changed(experiment, migrated(given)) for name, given in stored.items()}
    _run(chosen, clips, encoded, directory, apart)
    tables: dict[str, pd.DataFrame] = {}
    models: dict[str, str] = {}
    for name, one in chosen.items():
        for suffix in ("", PEEKED):
            predictions = directory / method_folder(name + suffix) / "predictions.csv"
            if predictions.exists():
                tables[name + suffix] = read_predictions(predictions)
                models[name + suffix] = one.model.name
    images: Mapping[str, np.ndarray] = encoded.store.images  # type: ignore[attr-defined]
    write_always_wrong(_seeing(tables, models), images, directory)
    return _summary(experiment, clips, tables, models, directory, bench.fold_warnings(), [*tuned(stored)])


def _run(chosen: Mapping[str, Experiment], clips: Clips, encoded: Encoded, directory: Path, apart: bool) -> None:
    """Run the methods that have no predictions yet."""
    todo = [name for name in chosen if not (directory / method_folder(name) / "predictions.csv").exists()]
    given = [(name, chosen[name], clips, encoded, directory) for name in todo]
    found = in_processes(_method, given) if apart else starmap(_method, given)
    for compiled in Progress(found, "methods", total=len(todo), unit="method"):
        note_xla(directory, compiled)


def _method(name: str, chosen: Experiment, clips: Clips, encoded: Encoded, directory: Path) -> bool | None:
    """Train and test one method, and write its predictions; whether XLA compiled its training steps."""
    log_to(directory)
    bench, home, began = Bench(chosen, clips, encoded), directory / method_folder(name), time.process_time()
    try:
        _write(bench, *_predicted(bench, name, home), home)
    except MerError as error:
        raise MerError(f"{name}: {error}") from error
    write_json(home / TIME, {"cpu_seconds": round(time.process_time() - began, 1)})
    return bench.xla()


def _predicted(bench: Bench, name: str, home: Path) -> tuple[SealedLabels, dict[int, ByEpoch]]:
    """Predictions of each fold's test clips after its watched epochs, and the labels still sealed for them."""
    seal, model = bench.seal(), bench.experiment.model
    if isinstance(model, Classical):
        return seal, _classical(model, bench, seal)
    if isinstance(model, KernelModel):
        return seal, _kernel(KernelBench(bench.experiment, bench.prepared, bench.encoded), seal)
    if isinstance(model, AuFlow) and model.head != "trained":
        return seal, as_given(bench, seal)
    at_once = isinstance(model, FlowImageModel) and model.all_folds
    return seal, _at_once(bench, seal, name) if at_once else _one_by_one(bench, seal, name, home)


def _classical(method: Classical, bench: Bench, seal: SealedLabels) -> dict[int, ByEpoch]:
    """A pipeline on the pixels of the flow images, or on what less a trivial method is given."""
    features, found = _features(method, bench), {}
    for fold in bench.folds():
        model = fitted(classifier(method), features[list(fold.train)], seal.training(fold))
        found[fold.number] = {0: class_shares(model, features[list(fold.test)], len(bench.classes))}
    return found


def _kernel(bench: KernelBench, seal: SealedLabels) -> dict[int, ByEpoch]:
    found = {}
    for fold in bench.folds():
        model, _ = bench.fit(fold.train, seal.training(fold), 0)
        found[fold.number] = {0: bench.predict(model, fold.test)}
    return found


def _features(method: Classical, bench: Bench) -> np.ndarray:
    clips = range(len(bench.clips))
    if not method.described_by:
        return blind_features(method, bench.clips)
    if isinstance(method, OnsetFrame):
        return np.stack([bench.store.vectors(clip, slice(1))[0] for clip in bench.ids(clips)])
    return images_of(bench).reshape(len(clips), -1).astype(float)


def _at_once(bench: Bench, seal: SealedLabels, name: str) -> dict[int, ByEpoch]:
    folds, config, seed = bench.folds(), bench.experiment.train, bench.experiment.train.seed
    truth = np.full((len(bench.clips), len(folds)), -1)
    for place, fold in enumerate(folds):
        truth[list(fold.train), place] = seal.training(fold)
    models = [_drawn(bench, training_seed(seed, fold.number)) for fold in folds]
    training = AllFolds(models, images_of(bench), truth, config, seed, getattr(bench.network, "dropout", 0.0))
    found: dict[int, ByEpoch] = {fold.number: {} for fold in folds}
    watched, compiled = _watched(config.epochs), bench.trainer().model
    for epoch in Progress(range(1, config.epochs + 1), f"{name}, {len(folds)} folds at once", unit="epoch"):
        training.epoch()
        if epoch in watched:
            training.give()
            for fold, model in zip(folds, models, strict=True):
                compiled.set_weights(model.get_weights())
                found[fold.number][epoch] = bench.predict(compiled, fold.test)
    return found


def _drawn(bench: Bench, seed: int) -> Any:
    """A network newly drawn. The trainer draws too, and is made after the first seed: so stored results came about."""
    random.seed(seed)
    return bench.trainer().build()


def _one_by_one(bench: Bench, seal: SealedLabels, name: str, home: Path) -> dict[int, ByEpoch]:
    """Fold by fold; each is kept in `home` when it is finished, and a stopped run goes on after it."""
    found, config, folds = {}, bench.experiment.train, bench.folds()
    for fold in Progress(folds, f"{name}, fold by fold", unit="fold"):
        path, began = home / "folds" / f"{fold.number}.npz", time.monotonic()
        if path.exists():
            found[fold.number] = _kept(path)
            continue
        watch = EpochPredictions(partial(bench.predict, rows=fold.test), _watched(config.epochs))
        bench.fit(fold.train, seal.training(fold), training_seed(config.seed, fold.number), callbacks=[watch])
        found[fold.number] = watch.shares
        with atomic(path) as part:
            np.savez(part, **{str(epoch): shares for epoch, shares in watch.shares.items()})  # type: ignore[arg-type]
        left = len(folds) - len(found)
        log.info("%s: fold %d took %.0f s, %d to go", name, fold.number, time.monotonic() - began, left)
    return found


def _kept(path: Path) -> ByEpoch:
    try:
        with np.load(path, allow_pickle=False) as stored:
            return {int(epoch): stored[epoch] for epoch in stored.files}
    except (EOFError, OSError, ValueError, zipfile.BadZipFile) as error:
        raise MerError(f"{path}: cannot be read ({error}); delete it, and its fold is trained again") from error


def _watched(epochs: int) -> set[int]:
    return {int(e) for e in np.linspace(epochs, 0, min(WATCHED, epochs), endpoint=False).round()}


def _write(bench: Bench, seal: SealedLabels, found: dict[int, ByEpoch], home: Path) -> None:
    """Predictions after the last epoch, then those of each fold's best epoch, where there were several."""
    seed, last, best = bench.experiment.train.seed, [], []
    for fold in bench.folds():
        epochs = found[fold.number]
        table = pd.concat([bench.joined(fold, seed, s, "flow image", seal).assign(epoch=e) for e, s in epochs.items()])
        final = table["epoch"] == max(epochs)
        last.append(table[final].drop(columns="epoch"))
        best.append(table[table["epoch"] == best_epoch(table)].drop(columns="epoch"))
    if any(len(epochs) > 1 for epochs in found.values()):
        write_predictions(_by_source(best), home / "best-epoch" / "predictions.csv")
    write_predictions(_by_source(last), home / "predictions.csv")


def _by_source(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Rows whose data set is that of the subject, which flow images do not say by themselves."""
    frame = pd.concat(parts)
    return frame.assign(dataset=frame["subject"].str.split("/").str[0])


def _summary(
    experiment: Experiment,
    clips: Clips,
    tables: dict[str, pd.DataFrame],
    models: dict[str, str],
    directory: Path,
    untaught: Sequence[Notice],
    chosen_on: Sequence[str],
) -> str:
    options = {"bootstrap": experiment.evaluation.bootstrap, "permutations": experiment.evaluation.permutations}
    results: dict[str, dict[str, Any]] = {}
    for name, frame in tables.items():
        parts = {FULL: frame, **{str(home): part for home, part in frame.groupby("dataset", sort=True)}}
        results[name] = {part: evaluate(one, **options) for part, one in parts.items()}
    rows = [r for n, found in results.items() for r in _rows(n, models[n], found)]
    table = pd.DataFrame(rows)
    write_csv(table, directory / "composite.csv")
    shown = pd.concat([table, pd.DataFrame(_published_rows(models))], ignore_index=True)
    gaps = differences(tables, models, experiment.evaluation.bootstrap)
    write_csv(gaps, directory / "differences.csv")
    for name, frame in tables.items():
        confusion_pair(frame, class_names(frame), name, directory / method_folder(name))
    peeked = [name for name in tables if name.endswith(PEEKED)]
    told = [danger("peeking", f"{name}: chosen on the clips it is scored on") for name in peeked]
    warnings = [*clips.warnings, *untaught, *told]
    described: dict[str, Any] = {"split": experiment.evaluation.split, "encoder": "none, trained from the start"}
    described |= {"warnings": [asdict(w) for w in warnings]}
    whole = {name: found[FULL] for name, found in results.items()}
    write_json(directory / "metrics.json", described | {"results": whole, "parts": results})
    wrong = f"{len(pd.read_csv(directory / 'always_wrong.csv'))} clips are wrong in every row that sees motion: "
    told_after = [
        *notes(models),
        *chosen_on,
        difference_text(gaps),
        _times(directory, tables),
        f"{wrong}always_wrong.html",
    ]
    text = "\n".join([*(f"warning: {w}" for w in warnings), "", composite_text(shown), *told_after])
    write_text(directory / "results.txt", text + "\n")
    return text


def _rows(name: str, model: str, found: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """A row of composite.csv for each part; what was published with chosen epochs stands by the row that chooses."""
    peeks = name.endswith(PEEKED)
    for part, metrics in found.items():
        row: dict[str, Any] = {"method": name, "data": part, "peeks": peeks}
        scored = score_columns(metrics)
        for score in ("UF1", "UAR"):
            row |= {name: scored[name] for name in (score, f"{score}_low", f"{score}_high")}
            said = printed(model, score) if part == FULL else {"published": "", "marks": ""}
            shown = ("e" in said["marks"]) == peeks
            row |= {f"{score}_{key}": value if shown else "" for key, value in said.items()}
        yield row | {k: metrics[k] for k in ("n", "subjects", "majority_rate", "chance_UAR")}


def _published_rows(models: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Published systems that were not run: figures alone."""
    for system, model in published_only(models):
        row: dict[str, Any] = {"method": system, "data": FULL, "peeks": "e" in printed(model, "UF1")["marks"]}
        yield row | {
            f"{score}_{key}": value for score in ("UF1", "UAR") for key, value in printed(model, score).items()
        }


def _seeing(tables: dict[str, pd.DataFrame], models: Mapping[str, str]) -> dict[str, pd.DataFrame]:
    """The tables of rows that see motion and do not peek; all, where there is none."""
    blind = ("majority", "subject_identity", OnsetFrame.name)
    seeing = {n: t for n, t in tables.items() if models[n] not in blind and not n.endswith(PEEKED)}
    return seeing or tables


def _times(directory: Path, tables: Mapping[str, Any]) -> str:
    known = {name: directory / method_folder(name) / TIME for name in tables if not name.endswith(PEEKED)}
    found = {name: read_mapping(path)["cpu_seconds"] for name, path in known.items() if path.exists()}
    return "processor seconds: " + ", ".join(f"{name} {seconds:g}" for name, seconds in found.items())


def method_folder(name: str) -> str:
    """Where a method's predictions.csv lies, below the run."""
    return name.removesuffix(PEEKED).replace(" ", "-").lower() + ("/best-epoch" if name.endswith(PEEKED) else "")
