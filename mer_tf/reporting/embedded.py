"""Pictures of a run as data URIs, so that the page is one file. What cannot be embedded is said in its place."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from PIL import Image, UnidentifiedImageError

from mer_tf.config import MerError
from mer_tf.files import inside
from mer_tf.reporting.privacy import without_paths

WIDEST = 1400
"""Pixels: twice the text column, for dense screens."""
SMALL = 200_000
"""Bytes up to which a file is embedded as it is."""
FORMATS = {"PNG": "image/png", "JPEG": "image/jpeg", "GIF": "image/gif"}


@dataclass(frozen=True)
class Picture:
    """A picture of the page; `source` is None where it cannot be shown, and `problem` says why."""

    title: str
    caption: str
    source: str | None = None
    width: int = 0
    height: int = 0
    problem: str = ""


def picture_sections(table: pd.DataFrame, folder: Path, hidden: str = "") -> list[tuple[str, list[Picture]]]:
    """Pictures of pictures.csv (section, title, caption, file) by section, in the order of the file.

    `hidden` says why none is shown.
    """
    sections: dict[str, list[Picture]] = {}
    for row in table.to_dict("records"):
        sections.setdefault(row["section"], []).append(embed(folder, row["file"], row["title"], row["caption"], hidden))
    return list(sections.items())


def worst_pictures(table: pd.DataFrame, folder: Path, hidden: str = "") -> list[Picture]:
    """Filmstrips of worst.csv (clip_id, subject, y_true, y_pred, p_true, file), in the order of the file.

    `hidden` says why none is shown.
    """
    return [
        embed(
            folder,
            row["file"],
            row["clip_id"],
            f"subject {row['subject']}: {row['y_true']}, taken for {row['y_pred']}; "
            f"probability of the true class {row['p_true']}",
            hidden,
        )
        for row in table.to_dict("records")
    ]


def embed(folder: Path, name: str, title: str, caption: str, hidden: str = "") -> Picture:
    """The image file `name` below `folder`; a large one is made narrower and stored as JPEG. `hidden`: why not."""
    if hidden:
        return Picture(title, caption, problem=f"{name} {hidden}")
    try:
        path = inside(folder, name, f"{folder.name}, {title}")
        source, width, height = _data_uri(path)
    except (MerError, OSError, UnidentifiedImageError) as error:
        return Picture(title, caption, problem=f"{name} cannot be shown ({without_paths(str(error))})")
    return Picture(title, caption, source, width, height)


def _data_uri(path: Path) -> tuple[str, int, int]:
    data = path.read_bytes()
    with Image.open(io.BytesIO(data), formats=list(FORMATS)) as image:
        kind, (width, height) = FORMATS[str(image.format)], image.size
        moving = getattr(image, "is_animated", False)
        if not moving and (len(data) > SMALL or width > WIDEST):
            data, kind, (width, height) = *_smaller(image), _fitted(image.size)
    return f"data:{kind};base64,{base64.b64encode(data).decode()}", width, height


def _smaller(image: Image.Image) -> tuple[bytes, str]:
    held = io.BytesIO()
    canvas = image.convert("RGBA")
    opaque = Image.alpha_composite(Image.new("RGBA", canvas.size, "white"), canvas).convert("RGB")
    opaque.resize(_fitted(image.size), Image.Resampling.LANCZOS).save(held, "JPEG", quality=88, optimize=True)
    return held.getvalue(), FORMATS["JPEG"]


def _fitted(size: Sequence[int]) -> tuple[int, int]:
    width, height = size
    scale = min(1.0, WIDEST / width)
    return max(1, round(width * scale)), max(1, round(height * scale))
