"""Look-alikes with an annotation sheet, drawn from portraits: what those of CASME II and SAMM have in common.

The clips are those of `write_smic` without non-micro, under the names, folders and classes of another data set.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from mer_tf.progress import Progress
from mer_tf.synthetic.faces.clip import SyntheticClip, plan_clips
from mer_tf.synthetic.faces.portraits import load_portraits
from mer_tf.synthetic.layouts.files import Tab, write_sheet
from mer_tf.synthetic.layouts.plan import PlannedClip
from mer_tf.synthetic.trees.smic import draw_tree, tree_arguments

STATED = ("subject", "clip", "label", "onset", "apex", "offset", "aus")
"""Columns of the truth table that a sheet states, in the order of `PlannedClip`."""


@dataclass(frozen=True)
class Annotated:
    """A data set's names for drawn clips."""

    style: str
    """Stands among the arguments of the tree."""
    image: str
    """Name of a frame's file, formatted with its number and `clip`."""
    names: Callable[[int, int], dict[str, Any]]
    """Fields of the clip (subject, name, folder, ...) for its subject's number and its own, both from 1."""
    emotion: Callable[[str, Sequence[int]], str]
    """Class by SMIC's class and the drawn action units."""
    sheet: str
    """File of the annotation."""
    tab: Callable[[Sequence[PlannedClip]], Tab]
    """The annotation of clips."""


def write_annotated(
    dataset: Annotated, out: Path, *, faces: Path | None = None, progress: bool = True, **arguments: Any
) -> Path:
    """Draw frames and annotation sheet under `out` and return `out`; arguments as for `write_smic`.

    Three times `clips_per_class` clips a subject, the classes as uneven as the action units are drawn.
    """
    portraits = load_portraits(faces)
    made = tree_arguments(portraits, style=dataset.style, **arguments)
    clips = _renamed(dataset, plan_clips(made, portraits))
    bar = partial(Progress, total=made.subjects * made.clips_per_class * 3, disable=not progress)

    def finish(rows: list[dict[str, Any]]) -> None:
        stated = [PlannedClip(*(row[name] for name in STATED)) for row in rows]
        write_sheet(Path(out) / dataset.sheet, [dataset.tab(stated)])

    return draw_tree(Path(out), made, clips, bar, dataset.image, finish)


def _renamed(dataset: Annotated, clips: Iterable[SyntheticClip]) -> Iterator[SyntheticClip]:
    numbers: dict[str, int] = {}
    seen: Counter[str] = Counter()
    for clip in clips:
        if clip.label != "non-micro":
            number = numbers.setdefault(clip.subject, len(numbers) + 1)
            seen[clip.subject] += 1
            label = dataset.emotion(clip.label, clip.combination.aus)
            yield replace(clip, label=label, **dataset.names(number, seen[clip.subject]))
