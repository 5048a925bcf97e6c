"""Small data set folders and annotation sheets, as tests write them."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
from skimage.io import imsave

IMAGE = np.zeros((2, 2, 3), np.uint8)


def write_sheet(path: Path, lines: Iterable[Sequence[Any]]) -> None:
    """An .xlsx file of one tab."""
    book = openpyxl.Workbook()
    for line in lines:
        book.active.append(line)
    path.parent.mkdir(parents=True, exist_ok=True)
    book.save(path)


def write_frames(folder: Path, numbers: Iterable[int], name: str = "{}.jpg") -> None:
    """Tiny images, one a number, in a new folder."""
    folder.mkdir(parents=True)
    for number in numbers:
        imsave(folder / name.format(number), IMAGE, check_contrast=False)
