"""A look-alike of CASME II drawn from portraits: five classes told apart by their action units alone, and its sheet.

The clips are those of `write_smic`, without non-micro, in CASME II's folders; their class follows from the drawn action
units. They have the length of 100 frames a second, though the manifest says 200, as the adapter knows of CASME II.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from mer_tf.datasets.lookalike_casme2 import HEADER
from mer_tf.datasets.lookalike_files import Tab, write_sheet
from mer_tf.datasets.portraits import load_portraits
from mer_tf.datasets.synthetic import draw_tree, tree_arguments
from mer_tf.datasets.synthetic_clip import SyntheticClip, plan_clips

SHEET = "CASME2-coding-20140508.xlsx"
DISGUST, REPRESSION = frozenset({9, 10, 7}), frozenset({14, 15, 17})
"""Action units that make a negative expression one of these (Yan et al. 2014, table of emotions); 4 alone is others."""


def write_casme2(
    out: Path,
    *,
    amplitude: float = 3.0,
    subjects: int = 16,
    clips_per_class: int = 2,
    seed: int = 0,
    faces: Path | None = None,
    progress: bool = True,
) -> Path:
    """Draw Cropped/subNN/ and the annotation sheet under `out` and return `out`; arguments as for `write_smic`.

    Three times `clips_per_class` clips a subject, the classes as uneven as the action units are drawn.
    """
    portraits = load_portraits(faces)
    arguments = tree_arguments("hs", amplitude, subjects, clips_per_class, seed, "casme2", portraits)
    clips = _renamed(clip for clip in plan_clips(arguments, portraits) if clip.label != "non-micro")
    total = subjects * clips_per_class * 3
    bar = tqdm(clips, "synthetic clips", total, disable=not progress, unit="clip")
    return draw_tree(out, arguments, bar, "reg_img{}.jpg", lambda rows: _write_sheet(out / SHEET, rows))


def emotion(label: str, aus: Sequence[int]) -> str:
    """CASME II's class of a drawn expression."""
    if label != "negative":
        return {"positive": "happiness"}.get(label, label)
    return "disgust" if DISGUST & set(aus) else "repression" if REPRESSION & set(aus) else "others"


def _renamed(clips: Iterator[SyntheticClip]) -> Iterator[SyntheticClip]:
    """Subjects 01, 02, ..., clips EP01_01, ... in CASME II's folders."""
    numbers: dict[str, int] = {}
    seen: Counter[str] = Counter()
    for clip in clips:
        subject = f"{numbers.setdefault(clip.subject, len(numbers) + 1):02d}"
        seen[subject] += 1
        name, label = f"EP01_{seen[subject]:02d}", emotion(clip.label, clip.combination.aus)
        yield replace(clip, subject=subject, name=name, folder=f"Cropped/sub{subject}/{name}", label=label)


def _write_sheet(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    lines = [
        (int(r["subject"]), r["clip"], None, r["onset"], r["apex"], r["offset"], None, r["aus"], r["label"])
        for r in rows
    ]
    write_sheet(path, [Tab("Sheet1", [HEADER], lines)])
