"""The leak ladder: one model, one data set, scored under protocols that leak less and less.

What each rung lets through:

    random windows      overlapping windows of one clip stand on both sides
    clip folds          clips of one subject stand on both sides
    LOSO, best epoch    the epoch is picked on the test subject
    LOSO, fixed epochs  nothing: the last epoch, whatever it gives
    LOSO, nested        nothing: the epoch is chosen on inner folds of the training subjects

The three LOSO rungs share one training a subject: its predictions after every epoch are kept, and training for e
epochs with the same seed is the beginning of training for more.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import pandas as pd
from sklearn.model_selection import KFold

from mer_tf.config import Search
from mer_tf.datasets.windows import arrange_windows
from mer_tf.evaluation.folds import Fold
from mer_tf.evaluation.metrics import SCORES, evaluate, score_columns
from mer_tf.evaluation.predictions import read_predictions, write_predictions
from mer_tf.files import write_csv
from mer_tf.progress import Progress
from mer_tf.protocols.cross_validation import ShowEpochs
from mer_tf.protocols.selection import choose
from mer_tf.protocols.workbench import Bench
from mer_tf.reporting.plots import ladder_png
from mer_tf.training.trainer import EpochPredictions, predict_windows, training_seed

RUNGS = {
    "random windows": "windows of one clip on both sides",
    "clip folds": "subjects on both sides",
    "LOSO, best epoch": "epoch picked on the test subject",
    "LOSO, fixed epochs": "",
    "LOSO, nested": "",
}
"""Rung -> what it leaks; empty where nothing."""


def climb(bench: Bench, directory: Path, inner_folds: int = 2) -> pd.DataFrame:
    """Every rung's predictions under `directory`, with ladder.csv and ladder.png; rungs and subjects done are kept.

    Returns columns rung, leaks, n, subjects, majority, and each score with its 95 % interval (UAR, UAR_low, UAR_high).
    """
    folds, epochs = bench.experiment.evaluation.folds, bench.experiment.train.epochs
    with Progress(
        total=(2 * folds + len(_loso(bench)) * (1 + inner_folds)) * epochs, desc="ladder", unit="epoch"
    ) as bar:
        tables = {}
        for rung, make in {"random windows": _random_windows, "clip folds": _clip_folds}.items():
            path = _folder(directory, rung) / "predictions.csv"
            if path.exists():
                bar.update(folds * epochs)
            else:
                write_predictions(make(bench, bar), path)
            tables[rung] = read_predictions(path)
        tables |= _loso_rungs(bench, directory, Search(epochs=tuple(range(1, epochs + 1)), folds=inner_folds), bar)
    return _written(bench, tables, directory)


def ladder_text(table: pd.DataFrame) -> str:
    shown = {
        name: [
            f"{r[name]:.1%} [{r[f'{name}_low'] * 100:.1f}, {r[f'{name}_high'] * 100:.1f}]" for _, r in table.iterrows()
        ]
        for name in SCORES
    }
    leaks = table["leaks"].replace("", "nothing")
    return pd.DataFrame({"rung": table["rung"], "leaks": leaks} | shown | {"n": table["n"]}).to_string(index=False)


def _folder(directory: Path, rung: str) -> Path:
    return directory / rung.replace(",", "").replace(" ", "-")


def _random_windows(bench: Bench, bar: Progress) -> pd.DataFrame:
    """k folds over shuffled windows; a row is a window."""
    experiment, parts = bench.experiment, []
    windows, seal = bench.windows()
    splitter = KFold(experiment.evaluation.folds, shuffle=True, random_state=experiment.evaluation.seed)
    for number, (train, test) in enumerate(splitter.split(windows)):
        fold, seed = Fold(number, tuple(train), tuple(test)), training_seed(experiment.train.seed, number)
        labels = dict(zip((windows[i].clip_id for i in train), map(int, seal.training(fold)), strict=True))
        plan = arrange_windows([windows[i] for i in train], labels, experiment.clip, len(bench.classes), seed)
        trainer, show = bench.trainer(), ShowEpochs(bar, f"random windows, fold {number}")
        trainer.fit(bench.store, plan, labels, experiment.clip.frames, seed, callbacks=[show])
        held = [windows[i] for i in test]
        shares = predict_windows(trainer.model, bench.store, held, experiment.clip.frames)
        rows = bench.clips.set_index("clip_id").loc[[w.clip_id for w in held], ["dataset", "subject"]].reset_index()
        rows["clip_id"] = [f"{w.clip_id}@{w.start}" for w in held]
        parts.append(bench.join(rows, fold, experiment.train.seed, shares, "window", seal))
    return pd.concat(parts)


def _clip_folds(bench: Bench, bar: Progress) -> pd.DataFrame:
    parts, seed = [], bench.experiment.train.seed
    for fold in bench.folds(replace(bench.experiment.evaluation, split="clip")):
        seal, show = bench.seal(), ShowEpochs(bar, f"clip folds, fold {fold.number}")
        model, _ = bench.fit(fold.train, seal.training(fold), training_seed(seed, fold.number), callbacks=[show])
        parts.append(bench.joined(fold, seed, bench.predict(model, fold.test), "clip", seal))
    return pd.concat(parts)


def _loso(bench: Bench) -> list[Fold]:
    return bench.folds(replace(bench.experiment.evaluation, split="loso"))


def _loso_rungs(bench: Bench, directory: Path, search: Search, bar: Progress) -> dict[str, pd.DataFrame]:
    """One training a subject, predicted after every epoch, then read three ways."""
    total = bench.experiment.train.epochs
    parts: dict[str, list[pd.DataFrame]] = {rung: [] for rung in RUNGS if rung.startswith("LOSO")}
    for fold in _loso(bench):
        path = directory / "LOSO-epochs" / f"fold-{fold.number}.csv"
        if path.exists():
            bar.update(total * (1 + search.folds))
        else:
            _loso_fold(bench, fold, search, path, bar)
        table = pd.read_csv(path, keep_default_na=False)
        epochs = (best_epoch(table), total, int(table["chosen_epoch"].iloc[0]))
        for rows, epoch in zip(parts.values(), epochs, strict=True):
            rows.append(table[table["epoch"] == epoch].drop(columns=["epoch", "chosen_epoch"]))
    paths = {rung: _folder(directory, rung) / "predictions.csv" for rung in parts}
    return {rung: read_predictions(write_predictions(pd.concat(parts[rung]), path)) for rung, path in paths.items()}


def _loso_fold(bench: Bench, fold: Fold, search: Search, path: Path, bar: Progress) -> None:
    """Choose an epoch on inner subjects, train once more on all, predict the held-out subject after every epoch."""
    seal, seed, show = bench.seal(), bench.experiment.train.seed, ShowEpochs(bar, f"LOSO {fold.held_out}")
    labels = seal.training(fold)
    choice, _ = choose(bench, search, fold.train, labels, (seed, fold.number), [show])
    watch = EpochPredictions(partial(bench.predict, rows=fold.test), search.epochs)
    bench.fit(fold.train, labels, training_seed(seed, fold.number), callbacks=[watch, show])
    tables = [bench.joined(fold, seed, s, "epoch", seal).assign(epoch=e) for e, s in watch.shares.items()]
    write_csv(pd.concat(tables).assign(chosen_epoch=choice.epochs), path)


def best_epoch(table: pd.DataFrame) -> int:
    """The epoch most accurate on the test subject, the earliest among equals: nobody may choose so, and many did."""
    hits = table.assign(hit=table["y_true"] == table["y_pred"]).groupby("epoch", as_index=False)["hit"].sum()
    return int(hits["epoch"].iloc[hits["hit"].argmax()])


def _written(bench: Bench, tables: dict[str, pd.DataFrame], directory: Path) -> pd.DataFrame:
    evaluation, rows = bench.experiment.evaluation, []
    for rung, frame in tables.items():
        metrics = evaluate(frame, bootstrap=evaluation.bootstrap, permutations=evaluation.permutations)
        rows.append({"rung": rung, "leaks": RUNGS[rung]} | score_columns(metrics))
    table = pd.DataFrame(rows).rename(columns={"majority_rate": "majority"})
    write_csv(table, directory / "ladder.csv")
    ladder_png(table, f"{bench.experiment.name}: what each leak buys", directory / "ladder.png")
    return table
