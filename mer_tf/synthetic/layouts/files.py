"""The files of a look-alike: frame folders of one tiny image under many names, and annotation sheets."""

from __future__ import annotations

import os
import re
import shutil
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mer_tf.config import MerError
from mer_tf.files import read_mapping
from mer_tf.preprocessing.pictures import write_picture


@dataclass(frozen=True)
class Frames:
    """Image files of one folder, all of one picture."""

    folder: str
    """Relative to the root of the tree."""
    names: Sequence[str]
    picture: int = 0
    """Equal numbers are equal pictures."""


@dataclass(frozen=True)
class Tab:
    """A tab of a sheet: text and header rows as they stand, then one row a clip."""

    title: str
    head: Sequence[Sequence[Any]]
    rows: Sequence[Sequence[Any]]


@dataclass(frozen=True)
class Tree:
    """A look-alike before it is written."""

    frames: list[Frames]
    sheets: dict[str, list[Tab]] = field(default_factory=dict)
    """File name, relative to the root -> tabs."""
    shape: tuple[int, ...] = (8, 8, 3)
    """Height, width and channels of the pictures, pixels."""


def finished(out: Path, arguments: Mapping[str, Any], *markers: str) -> bool:
    """Whether the tree of these `arguments` is in `out`, by the first of `markers`; the others say that it was begun.

    `MerError` when a tree of other arguments is there, or files that are not ours.
    """
    for marker in (out / name for name in markers):
        if marker.is_file():
            found = read_mapping(marker)
            if differ := [f"{k} {found.get(k)!r} not {v!r}" for k, v in arguments.items() if found.get(k) != v]:
                said = f"holds drawn data of other arguments ({', '.join(differ)})"
                raise MerError(f"{out}: {said}; delete it or choose another folder")
            return marker == out / markers[0]
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise MerError(f"{out}: holds other files, no look-alike; mer_tf did not draw them: choose an empty folder")
    return False


def header(titles: str) -> list[str | None]:
    """Column titles written as `Subject | Filename | | Onset`; None for a blank column."""
    return [title.strip() or None for title in titles.split("|")]


def beside(trees: dict[str, Tree]) -> Tree:
    """Several trees as the folders of one."""
    frames = [Frames(f"{home}/{f.folder}", f.names, f.picture) for home, tree in trees.items() for f in tree.frames]
    return Tree(frames, {f"{home}/{name}": tabs for home, tree in trees.items() for name, tabs in tree.sheets.items()})


def write_tree(tree: Tree, root: Path, *, seed: int, shuffle_rows: bool) -> None:
    """Write all files of a tree; `shuffle_rows` writes the rows below the headers in another order."""
    _write_frames(tree, root, seed)
    rng = np.random.default_rng([seed, 1])
    for name, tabs in tree.sheets.items():
        if shuffle_rows:
            tabs = [Tab(t.title, t.head, [t.rows[i] for i in rng.permutation(len(t.rows))]) for t in tabs]
        write_sheet(root / name, tabs)


def write_sheet(path: Path, tabs: Sequence[Tab]) -> None:
    """Write an .xlsx file whose bytes depend on its content alone."""
    import openpyxl  # type: ignore[import-untyped]

    book = openpyxl.Workbook()
    book.remove(book.active)
    for tab in tabs:
        page = book.create_sheet(tab.title)
        for row in [*tab.head, *tab.rows]:
            page.append(list(row))
    path.parent.mkdir(parents=True, exist_ok=True)
    book.save(path)
    _without_dates(path)


def _without_dates(path: Path) -> None:
    """Give the members of a zip, and the properties of the workbook, one fixed date."""
    with zipfile.ZipFile(path) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            if name == "docProps/core.xml":
                data = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", b"2014-05-08T00:00:00Z", data)
            archive.writestr(zipfile.ZipInfo(name, (2014, 5, 8, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)


def _write_frames(tree: Tree, root: Path, seed: int) -> None:
    """Each picture once, with its other names as hard links, so that a full-size tree takes seconds."""
    sources: dict[tuple[str, int], str] = {}
    for frames in tree.frames:
        folder = root / frames.folder
        folder.mkdir(parents=True, exist_ok=True)
        for name in frames.names:
            path, picture = f"{folder}/{name}", (Path(name).suffix, frames.picture)
            if picture not in sources:
                rng = np.random.default_rng([seed, 2, frames.picture])
                write_picture(Path(path), rng.integers(0, 256, tree.shape, dtype=np.uint8))
                sources[picture] = path
            elif not _linked(sources[picture], path):
                sources[picture] = path


def _linked(source: str, path: str) -> bool:
    """Whether `path` became a link to `source`, or is there; else it became a copy."""
    try:
        os.link(source, path)
    except FileExistsError:
        pass
    except OSError:  # no hard links here, or too many of one file
        shutil.copyfile(source, path)
        return False
    return True
