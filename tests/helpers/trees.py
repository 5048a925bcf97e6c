"""Small data set folders and annotation sheets, as tests write them."""

from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import openpyxl


def write_sheet(path: Path, lines: Iterable[Sequence[Any]]) -> None:
    """An .xlsx file of one tab."""
    book = openpyxl.Workbook()
    for line in lines:
        book.active.append(line)
    path.parent.mkdir(parents=True, exist_ok=True)
    book.save(path)


@cache
def tiny_image(suffix: str) -> bytes:
    """The file of a black image of 2 x 2 pixels."""
    return cv2.imencode(suffix, np.zeros((2, 2, 3), np.uint8))[1].tobytes()


def write_frames(folder: Path, numbers: Iterable[int], name: str = "{}.jpg") -> None:
    """Tiny images, one a number, in a new folder."""
    folder.mkdir(parents=True)
    for number in numbers:
        (folder / name.format(number)).write_bytes(tiny_image(Path(name).suffix))
