"""Pictures of a predictions table. Drawn without a display; nothing here loads Keras."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from mer_tf.files import atomic


def confusion_png(counts: np.ndarray, classes: Sequence[str], title: str, path: Path) -> Path:
    """Confusion matrix: colour is the share of the true class, text the share and the count. Rows are the truth."""
    support = counts.sum(axis=1, keepdims=True)
    share = np.divide(counts, support, out=np.zeros(counts.shape), where=support > 0)
    figure = Figure(figsize=(1.9 + 1.05 * len(classes), 1.5 + 0.95 * len(classes)), layout="constrained", dpi=120)
    axes = figure.subplots()
    picture = axes.imshow(share, vmin=0, vmax=1, cmap="Blues")
    for (row, column), value in np.ndenumerate(share):
        colour = "white" if value > 0.55 else "black"
        text = f"{value:.0%}\n{counts[row, column]:d}"
        axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=10)
    ticks = range(len(classes))
    axes.set_xticks(ticks, classes, rotation=20, ha="right", rotation_mode="anchor")
    axes.set_yticks(ticks, [f"{name}\n(n={n})" for name, n in zip(classes, support[:, 0], strict=True)])
    axes.set(xlabel="predicted", ylabel="true")
    axes.set_title(title, fontsize=10)
    figure.colorbar(picture, ax=axes, shrink=0.8, label="share of the true class")
    with atomic(path) as part:
        figure.savefig(part)
    return path


def confusion_csv(counts: np.ndarray, classes: Sequence[str], path: Path) -> Path:
    """Counts as CSV: one row a true class, one column a predicted class."""
    frame = pd.DataFrame(counts, index=pd.Index(classes, name="true"), columns=list(classes))
    with atomic(path) as part:
        frame.to_csv(part)
    return path
