"""Pictures of a predictions table. Drawn without a display; nothing here loads Keras."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from mer_tf.evaluation.metrics import confusion, row_shares, scores
from mer_tf.files import atomic, write_csv


def save(figure: Figure, path: Path) -> Path:
    """Write a picture atomically; return the path."""
    with atomic(path) as part:
        figure.savefig(part)
    return Path(path)


def confusion_png(counts: np.ndarray, classes: Sequence[str], title: str, path: Path) -> Path:
    """Confusion matrix: colour is the share of the true class, text the share and the count. Rows are the truth."""
    share = row_shares(counts)
    figure = Figure(figsize=(1.9 + 1.05 * len(classes), 1.5 + 0.95 * len(classes)), layout="constrained", dpi=120)
    axes = figure.subplots()
    picture = axes.imshow(share, vmin=0, vmax=1, cmap="Blues")
    for (row, column), value in np.ndenumerate(share):
        colour = "white" if value > 0.55 else "black"
        text = f"{value:.0%}\n{counts[row, column]:d}"
        axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=10)
    ticks = range(len(classes))
    axes.set_xticks(ticks, classes, rotation=20, ha="right", rotation_mode="anchor")
    axes.set_yticks(ticks, [f"{name}\n(n={n})" for name, n in zip(classes, counts.sum(axis=1), strict=True)])
    axes.set(xlabel="predicted", ylabel="true")
    axes.set_title(title, fontsize=10)
    figure.colorbar(picture, ax=axes, shrink=0.8, label="share of the true class")
    return save(figure, path)


def confusion_pair(frame: pd.DataFrame, classes: Sequence[str], title: str, folder: Path) -> None:
    """confusion.csv (a row a true class) and confusion.png of a predictions table, UAR, UF1 and n in its title."""
    counts = confusion(frame, classes)
    _, uar, uf1 = scores(counts)
    table = pd.DataFrame(counts, index=pd.Index(classes, name="true"), columns=list(classes))
    write_csv(table, folder / "confusion.csv", index=True)
    confusion_png(counts, classes, f"{title}\nUAR {uar:.1%}  UF1 {uf1:.1%}  (n={len(frame)})", folder / "confusion.png")


def ladder_png(table: pd.DataFrame, title: str, path: Path) -> Path:
    """UAR and accuracy of each rung with 95 % intervals, the leakiest on top; leaky rungs in orange."""
    figure = Figure(figsize=(8.4, 1.4 + 0.62 * len(table)), layout="constrained", dpi=120)
    axes = figure.subplots()
    for place, row in enumerate(table.to_dict("records")):
        colour = "#c2570c" if row["leaks"] else "#1d5fa8"
        for name, shift, marker in (("UAR", -0.12, "o"), ("accuracy", 0.14, "D")):
            span = [[row[name] - row[f"{name}_low"]], [row[f"{name}_high"] - row[name]]]
            face = colour if name == "UAR" else "white"
            axes.errorbar(
                row[name],
                place + shift,
                xerr=np.clip(span, 0, None),
                fmt=marker,
                color=colour,
                markerfacecolor=face,
                capsize=2.5,
                lw=1.2,
            )
        axes.text(1.02, place, f"UAR {row['UAR']:.1%}", va="center", fontsize=9, color=colour)
    axes.axvline(table["chance"].iloc[-1], color="0.45", lw=1, ls="--")
    axes.text(table["chance"].iloc[-1], -0.62, " chance UAR", fontsize=8, color="0.35", va="center")
    names = [f"{r}\n{leak or 'no leak'}" for r, leak in zip(table["rung"], table["leaks"], strict=True)]
    axes.set_yticks(range(len(table)), names, fontsize=9)
    axes.set(
        xlim=(0, 1),
        ylim=(len(table) - 0.4, -0.85),
        xlabel="filled: UAR, hollow: accuracy; 95 % intervals over subjects",
    )
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    axes.grid(axis="x", alpha=0.3)
    axes.set_title(title, fontsize=10)
    return save(figure, path)


def sensitivity_png(table: pd.DataFrame, halfway: pd.DataFrame, path: Path) -> Path:
    """UAR against amplitude, one line a system and frame rate, with intervals, chance and the halfway amplitudes."""
    figure = Figure(figsize=(7.6, 4.6), layout="constrained", dpi=120)
    axes = figure.subplots()
    colours = {name: f"C{k}" for k, name in enumerate(table["experiment"].unique())}
    rates = sorted(table["fps"].unique(), reverse=True)
    for (name, fps), rows in table.groupby(["experiment", "fps"], sort=False):
        style = ("-", "--", "-.", ":")[min(rates.index(fps), 3)]
        error = [rows["UAR"] - rows["UAR_low"], rows["UAR_high"] - rows["UAR"]]
        axes.errorbar(
            rows["amplitude"],
            rows["UAR"],
            yerr=np.clip(error, 0, None),
            ls=style,
            marker="o",
            ms=4,
            capsize=2,
            color=colours[name],
            label=f"{name}, {fps:g} fps",
        )
    for row in halfway.dropna(subset="amplitude").to_dict("records"):
        axes.axvline(row["amplitude"], color=colours[row["experiment"]], lw=0.8, alpha=0.6)
    axes.axhline(table["chance"].iloc[0], color="0.45", lw=1, ls="--", label="chance")
    axes.set(xlabel="amplitude at the apex, pixels on a face 96 pixels wide", ylabel="UAR")
    return _shares(figure, "Vertical lines: halfway between chance and ceiling", "upper left", path)


def sweep_png(table: pd.DataFrame, field: str, chance: float, path: Path) -> Path:
    """UAR with its 95 % interval and pooled accuracy against one swept number (`sweep.sweep`)."""
    figure = Figure(figsize=(7.6, 4.4), layout="constrained", dpi=120)
    axes, rows = figure.subplots(), table.sort_values(field)
    error = np.clip([rows["UAR"] - rows["UAR_low"], rows["UAR_high"] - rows["UAR"]], 0, None)
    axes.errorbar(rows[field], rows["UAR"], yerr=error, marker="o", ms=4, capsize=2, label="UAR, 95 % over subjects")
    axes.plot(rows[field], rows["pooled accuracy"], ls="--", marker="D", ms=3, color="0.4", label="pooled accuracy")
    axes.axhline(chance, color="0.45", lw=1, ls=":", label="chance UAR")
    axes.set(xlabel=field, ylabel="score")
    return _shares(figure, f"{field}: {len(rows)} settings on the same test folds", "lower right", path)


def _shares(figure: Figure, title: str, legend: Literal["upper left", "lower right"], path: Path) -> Path:
    """Write a figure whose height is a share from 0 to 1."""
    (axes,) = figure.axes
    axes.set_ylim(0, 1)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    axes.set_title(title, fontsize=10)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8, loc=legend)
    return save(figure, path)


def learning_curve_png(table: pd.DataFrame, warnings: Sequence[str], path: Path) -> Path:
    """UF1 against training subjects (`au_flow.learning_curve`), with drawn images beside and without."""
    figure = Figure(figsize=(6, 3.8), dpi=110, layout="constrained")
    axes = figure.subplots()
    for beside, rows in table.groupby("drawn"):
        line = axes.plot(rows["subjects"], rows["UF1"], "o-", label="with drawn images" if beside else "without")[0]
        axes.fill_between(rows["subjects"], rows["UF1_low"], rows["UF1_high"], color=line.get_color(), alpha=0.15)
    axes.set(xlabel="training subjects", ylabel="UF1 on all others", ylim=(0, 1))
    axes.set_title("; ".join(warnings) or "band: least to greatest of the choices", fontsize=8)
    axes.legend()
    return save(figure, path)
