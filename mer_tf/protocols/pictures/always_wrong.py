"""The clips that every row of a composite gets wrong, as a page of flow images: labels may be wrong."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from mer_tf.files import write_csv, write_text

SHOWN = 112
"""Side of a channel on the page, pixels."""
STYLE = "body{font:15px sans-serif;max-width:60em;margin:2em auto}img{image-rendering:pixelated}td{padding:.4em 1em}"


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
    return write_text(folder / "always_wrong.html", _page(table, list(tables), images))


def _page(table: pd.DataFrame, rows: Sequence[str], images: Mapping[str, np.ndarray]) -> str:
    lines = [
        f"<!doctype html><meta charset=utf-8><title>Always wrong</title><style>{STYLE}</style>",
        f"<h1>{len(table)} clips that every row gets wrong</h1>",
        f"<p>Rows: {escape(', '.join(rows))}. Their label, onset or apex may be wrong, or the image shows nothing: "
        "look at the frames before a label is changed. u, v and optical strain, each stretched to 0..255.</p><table>",
        "<tr><th>clip<th>subject<th>labelled<th>most rows say<th>u, v, strain",
    ]
    for row in table.to_dict("records"):
        cells = (row["clip_id"], row["subject"], row["y_true"], f"{row['most_said']} ({row['by']} of {len(rows)})")
        picture = f'<img alt="u, v, strain" src="data:image/png;base64,{_png(images[row["clip_id"]])}">'
        lines.append("<tr><td>" + "<td>".join(escape(str(cell)) for cell in cells) + f"<td>{picture}")
    return "\n".join([*lines, "</table>"]) + "\n"


def _png(image: np.ndarray) -> str:
    """The three channels side by side, grey."""
    side = np.hstack([image[..., k] for k in range(3)])
    large = cv2.resize(side, (3 * SHOWN, SHOWN), interpolation=cv2.INTER_NEAREST)
    return base64.b64encode(cv2.imencode(".png", large)[1].tobytes()).decode()
