"""The clips that every row of a composite gets wrong, as a page of flow images: labels may be wrong."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from mer_tf.files import write_csv, write_text
from mer_tf.reporting.report import page_of

SHOWN = 112
"""Side of a channel on the page, pixels."""


def always_wrong(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Clips that no table gets right: clip_id, subject, y_true, most_said, by (how many rows said that)."""
    said = pd.DataFrame({name: frame.set_index("clip_id")["y_pred"] for name, frame in tables.items()})
    known = next(iter(tables.values())).set_index("clip_id")[["subject", "y_true"]].loc[said.index]
    wrong = said[(said.ne(known["y_true"], axis=0)).all(axis=1)]
    most = wrong.mode(axis=1)[0] if len(wrong) else pd.Series(dtype=str)
    table = known.loc[wrong.index].assign(most_said=most, by=wrong.eq(most, axis=0).sum(axis=1))
    return table.reset_index().rename(columns={"index": "clip_id"})


def write_always_wrong(tables: Mapping[str, pd.DataFrame], images: Mapping[str, np.ndarray], folder: Path) -> Path:
    """always_wrong.csv and .html in `folder`, the page with the flow images uint8 (S, S, 3) of the clips."""
    table = always_wrong(tables)
    write_csv(table, folder / "always_wrong.csv")
    pictures = {name: _png(images[name]) for name in table["clip_id"]}
    page = page_of("always_wrong.html.j2", clips=table.to_dict("records"), rows=list(tables), pictures=pictures)
    return write_text(folder / "always_wrong.html", page)


def _png(image: np.ndarray) -> str:
    """The three channels side by side, grey."""
    side = np.hstack([image[..., k] for k in range(3)])
    large = cv2.resize(side, (3 * SHOWN, SHOWN), interpolation=cv2.INTER_NEAREST)
    return base64.b64encode(cv2.imencode(".png", large)[1].tobytes()).decode()
