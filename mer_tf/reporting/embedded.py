"""Pictures of a run as data URIs, so that the page is one file. What cannot be embedded is said in its place."""

from __future__ import annotations

import base64
import dataclasses
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image, UnidentifiedImageError

from mer_tf.config import MerError
from mer_tf.files import inside
from mer_tf.preprocessing.pictures import INNER
from mer_tf.reporting.privacy import without_paths

WIDEST = 1400
"""Pixels: twice the text column, for dense screens."""
SMALL = 200_000
"""Bytes up to which a file is embedded as it is."""
PAPER, INK = (22, 24, 27), (230, 231, 233)
"""Of the dark page, as report.css has them."""
STRIP, ANIMATION = "strip.png", "overlay.gif"
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
    dark: str | None = None
    """The same on dark paper, where the file says what of it is paper."""
    number: int = 0
    """Its row in the table that names it."""
    moving: Picture | None = None
    """The clip as an animation."""


def picture_sections(table: pd.DataFrame, folder: Path, hidden: str = "") -> list[tuple[str, list[Picture]]]:
    """Pictures of pictures.csv (section, title, caption, file) by section, in the order of the file.

    `hidden` says why none is shown.
    """
    sections: dict[str, list[Picture]] = {}
    for number, row in enumerate(table.to_dict("records")):
        shown = embed(folder, row["file"], row["title"], row["caption"], hidden)
        shown = dataclasses.replace(shown, number=number, moving=_animation(folder, row["file"], row["title"], hidden))
        sections.setdefault(row["section"], []).append(shown)
    return list(sections.items())


def _animation(folder: Path, name: str, title: str, hidden: str) -> Picture | None:
    """The animation that a run keeps beside the strip of a clip."""
    if hidden or Path(name).name != STRIP or not (folder / name).with_name(ANIMATION).is_file():
        return None
    found = embed(folder, Path(name).with_name(ANIMATION).as_posix(), title, "in slow motion, with its heat")
    return found if found.source else None


def worst_pictures(table: pd.DataFrame, folder: Path, hidden: str = "") -> list[Picture]:
    """Filmstrips of worst.csv (clip_id, subject, y_true, y_pred, p_true, file), in the order of the file.

    `hidden` says why none is shown.
    """
    shown = []
    for number, row in enumerate(table.to_dict("records")):
        wrong = f"subject {row['subject']}: {row['y_true']}, taken for {row['y_pred']}"
        caption = f"{wrong}; probability of the true class {row['p_true']}"
        picture = embed(folder, row["file"], row["clip_id"], caption, hidden)
        shown.append(dataclasses.replace(picture, number=number))
    return shown


def embed(folder: Path, name: str, title: str, caption: str, hidden: str = "") -> Picture:
    """The image file `name` below `folder`; a large one is made narrower and stored as JPEG. `hidden`: why not."""
    if hidden:
        return Picture(title, caption, problem=f"{name} {hidden}")
    try:
        return _read(inside(folder, name, f"{folder.name}, {title}"), Picture(title, caption))
    except (MerError, OSError, UnidentifiedImageError) as error:
        return Picture(title, caption, problem=f"{name} cannot be shown ({without_paths(str(error))})")


def _read(path: Path, picture: Picture) -> Picture:
    data = path.read_bytes()
    with Image.open(io.BytesIO(data), formats=list(FORMATS)) as image:
        kind, (width, height), large = FORMATS[str(image.format)], image.size, len(data) > SMALL
        if not getattr(image, "is_animated", False):
            image.load()  # texts may stand behind the pixels
            large = large or width > WIDEST
            dark = on_dark_paper(image)
            if dark is not None:
                turned = _smaller(dark) if large else (_png(dark), FORMATS["PNG"])
                picture = dataclasses.replace(picture, dark=_uri(*turned))
            if large:
                (data, kind), (width, height) = _smaller(image), _fitted(image.size)
    return dataclasses.replace(picture, source=_uri(data, kind), width=width, height=height)


def on_dark_paper(image: Image.Image) -> Image.Image | None:
    """A figure with its paper dark and its ink light, the pictures in it as they are; None where it names no pictures.

    A colour keeps its hue: what changes is how light it is.
    """
    try:
        boxes = [[max(0, int(edge)) for edge in box] for box in json.loads(str(getattr(image, "text", {})[INNER]))]
        paper, ink = np.array(PAPER, float), np.array(INK, float)
        pixels = np.asarray(image.convert("RGB"), float)
        grey = pixels.mean(axis=-1, keepdims=True)
        turned = paper + (ink - paper) * (1 - grey / 255) + (pixels - grey)
        for left, top, right, bottom in boxes:
            turned[top:bottom, left:right] = pixels[top:bottom, left:right]
    except (KeyError, TypeError, ValueError):
        return None
    return Image.fromarray(turned.clip(0, 255).astype(np.uint8))


def _uri(data: bytes, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def _png(image: Image.Image) -> bytes:
    held = io.BytesIO()
    image.save(held, "PNG", optimize=True)
    return held.getvalue()


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
